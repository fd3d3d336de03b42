"""How well words were recognised: the word error rate, pooled over recordings.

Both texts are normalised alike before they are compared: NFKC, lower case, apostrophes left out ("don't" is "dont"),
every other mark a blank (so "forty-two" is two words); in English also figures spelled out (`spoken_numbers`), "and"
inside a number left out, "&" read as "and", and Mr., Mrs. and Dr. written in full. Spelling variants and fillers count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.spoken_numbers import spell_numbers, without_and

_TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
_STAY, _DELETE, _INSERT = range(3)


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Counts over recordings. `a + b` pools them; `WordErrors()` is the empty pool."""

    words: int = 0  # of the reference
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.words + other.words,
            self.substituted + other.substituted,
            self.deleted + other.deleted,
            self.inserted + other.inserted,
        )

    @property
    def errors(self) -> int:
        return self.substituted + self.deleted + self.inserted

    @property
    def rate(self) -> float:
        """Word error rate: errors over words of the reference; may exceed 1. Without a reference 0 or infinite."""
        if self.words:
            return self.errors / self.words
        return float("inf") if self.errors else 0.0


def normalised(text: str, *, language: str = "en") -> list[str]:
    """The words of `text` as they are compared; `language` is ISO 639-1."""
    text = re.sub(r"['’ʼ`]", "", unicodedata.normalize("NFKC", text).lower())
    if language == "en":
        text = spell_numbers(text.replace("&", " and "))
    words = re.sub(r"[\W_]+", " ", text).split()
    if language != "en":
        return words
    return without_and(" ".join(_TITLES.get(word, word) for word in words)).split()


def rate_interval(
    recordings: Sequence[WordErrors], *, level: float = 0.95, resamples: int = 2000
) -> tuple[float, float]:
    """The interval of the pooled rate by bootstrap over recordings (percentiles); two zeros without any."""
    if not recordings:
        return 0.0, 0.0
    counts = np.array([(errors.errors, errors.words) for errors in recordings])
    drawn = np.random.default_rng(7).integers(0, len(counts), (resamples, len(counts)))
    errors, words = counts[drawn].sum(axis=1).T
    low, high = np.quantile(errors / np.maximum(words, 1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def word_errors(reference: str, found: str, *, language: str = "en") -> WordErrors:
    """Errors of one recording by the cheapest alignment of the normalised words (Levenshtein, 1966)."""
    return align(normalised(reference, language=language), normalised(found, language=language))


def align(reference: Sequence[str], found: Sequence[str]) -> WordErrors:
    """Errors between two sequences of words, one byte of memory for each pair: two texts of an hour need 80 MB."""
    substituted = deleted = inserted = 0
    for row, column, move in _path(reference, found):
        substituted += int(move == _STAY and reference[row] != found[column])
        deleted += int(move == _DELETE)
        inserted += int(move == _INSERT)
    return WordErrors(len(reference), substituted, deleted, inserted)


def matches(reference: Sequence[str], found: Sequence[str]) -> list[tuple[int, int]]:
    """Places in both sequences of each word that the cheapest alignment finds in both, in order."""
    path = _path(reference, found)
    return [(row, column) for row, column, move in path if move == _STAY and reference[row] == found[column]][::-1]


def _path(reference: Sequence[str], found: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Place in each sequence and move, from the end to the beginning; only a _STAY uses up a word of both."""
    moves = _moves(*_numbered(reference, found))
    row, column = len(reference), len(found)
    while row or column:
        move = int(moves[row, column])
        yield row - 1, column - 1, move
        row, column = row - int(move != _INSERT), column - int(move != _DELETE)


def _numbered(*texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """Each text with its words as numbers, equal for equal words."""
    numbers: dict[str, int] = {}
    return [np.array([numbers.setdefault(word, len(numbers)) for word in text], dtype=np.int64) for text in texts]


def _moves(reference: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The last move of the cheapest alignment of each pair of beginnings, (len(reference) + 1, len(found) + 1)."""
    steps = np.arange(len(found) + 1)
    moves = np.full((len(reference) + 1, len(found) + 1), _INSERT, dtype=np.uint8)
    cost = steps
    for row, word in enumerate(reference, start=1):
        stay = np.concatenate([[np.iinfo(np.int64).max // 2], cost[:-1] + (found != word)])
        delete = cost + 1
        best = np.minimum(stay, delete)
        cost = np.minimum.accumulate(best - steps) + steps  # an insertion costs one for each step to the right
        moves[row] = np.where(cost < best, _INSERT, np.where(stay <= delete, _STAY, _DELETE))
    return moves
