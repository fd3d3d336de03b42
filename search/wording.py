"""Sentences by the words that are in them: exactly, misspelt, or in part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from featurization.media import Word
from search.corpus import Corpus
from search.results import WordFound
from search.spoken import Spoken, words_of

_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]+)["“”„«»]')


@dataclass(slots=True)
class Line:
    """What is known of a sentence while lists are being put together."""

    last: int  # row of the sentence in which it ends
    confidence: float = 0.0
    score: float = 0.0
    why: list[str] = field(default_factory=list)


Lines = dict[int, Line]  # by the row in which they begin


def quoted(text: str) -> tuple[list[str], str]:
    """What stands in quotes, and the rest."""
    return [part for part in _QUOTED.findall(text) if words_of(part)], _QUOTED.sub(" ", text)


@dataclass(frozen=True, eq=False)
class Wording:
    """Searches the words of a corpus."""

    corpus: Corpus

    @property
    def spoken(self) -> Spoken:
        return self.corpus.spoken

    def phrase(self, text: str) -> Lines:
        """Where the words follow each other, over the end of a sentence too. Short sentences first."""
        words, asset_ids = words_of(text), self.corpus.layer("sentences").asset_ids
        places = [(a, b) for a, b in self.spoken.phrase(words) if asset_ids[a] == asset_ids[b]]
        lengths = np.bincount(self.spoken.rows, minlength=self.spoken.sentences)
        why = f"says “{' '.join(words)}”"
        return {a: Line(b, 1.0, len(words) / max(1, int(lengths[a : b + 1].sum())), [why]) for a, b in places}

    def all_words(self, text: str) -> Lines:
        """Sentences with every word."""
        codes = self.spoken.codes(words_of(text))
        return self._every([{} if code is None else {code: 1.0} for code in codes])

    def misspelt(self, text: str) -> Lines:
        """Sentences with every word or one much like it; less sure the more letters differ."""
        return self._every([self.spoken.similar(word) for word in words_of(text)])

    def exact(self, text: str) -> Lines:
        """What stands in quotes as it stands, and all the other words."""
        phrases, rest = quoted(text)
        parts = [self.phrase(part) for part in phrases] + ([self.all_words(rest)] if words_of(rest) else [])
        return {row: _together([part[row] for part in parts]) for row in _common(parts)}

    def some_words(self, text: str, rows: Iterable[int] | None = None) -> Lines:
        """Sentences with any of the words (or the `rows`, in their order), as sure as their words are telling."""
        shares = self._shares(words_of(text))
        if rows is None:
            found = self.spoken.holding(list(shares)).tolist()
            return {row: self._partly(row, shares) for row in found}
        return {row: self._partly(row, shares) for row in rows}

    def _every(self, choices: Sequence[Mapping[int, float]]) -> Lines:
        rows = _common([dict.fromkeys(self.spoken.holding(list(choice)).tolist()) for choice in choices])
        return {row: self._chosen(row, choices) for row in sorted(rows)}

    def _chosen(self, row: int, choices: Sequence[Mapping[int, float]]) -> Line:
        said = self.spoken.in_row(row).tolist()
        best = [max((choice[code], -code) for code in said if code in choice) for choice in choices]
        likeness = float(np.mean([likeness for likeness, _ in best]))
        words = dict.fromkeys(self.spoken.vocabulary[-code] for _, code in best)
        return Line(row, likeness, likeness * min(1.0, len(best) / len(said)), [f"says {', '.join(words)}"])

    def _shares(self, words: Sequence[str]) -> dict[int, float]:
        """How much of the query each word is; what was never said is missing, so that the rest sums to less than 1."""
        unheard = float(np.log1p(self.spoken.sentences))
        codes = dict.fromkeys(zip(words, self.spoken.codes(words), strict=True))
        weights = [(code, unheard if code is None else float(self.spoken.weights[code])) for _, code in codes]
        whole = sum(weight for _, weight in weights) or 1.0
        return {code: weight / whole for code, weight in weights if code is not None}

    def _partly(self, row: int, shares: Mapping[int, float]) -> Line:
        said = dict.fromkeys(code for code in self.spoken.in_row(row).tolist() if code in shares)
        share = min(1.0, sum(shares[code] for code in said))
        words = ", ".join(self.spoken.vocabulary[code] for code in said)
        return Line(row, share, share, [f"says {words}"] if words else [])


def _common(parts: Sequence[Iterable[int]]) -> set[int]:
    return set.intersection(*(set(part) for part in parts)) if parts else set()


def _together(lines: Sequence[Line]) -> Line:
    why = [reason for line in lines for reason in line.why]
    return Line(max(line.last for line in lines), 1.0, sum(line.score for line in lines), why)


def timed(text: str, start: float, end: float, words: Sequence[Word]) -> list[Word]:
    """The words of a stretch with their times; where nobody recorded them, each has its share of the letters."""
    if words:
        return list(words)
    parts = text.split()
    edges = np.cumsum([0, *(len(part) + 1 for part in parts)]) / max(1, sum(len(part) + 1 for part in parts))
    times = start + edges * (end - start)
    return [Word(float(a), float(b), part, estimated=True) for part, a, b in zip(parts, times, times[1:], strict=False)]


def marked(words: Sequence[Word], *, phrases: Sequence[Sequence[str]], single: set[str]) -> tuple[WordFound, ...]:
    """Words, with those marked that are part of a phrase or one of the single words."""
    tokens = [(place, token) for place, word in enumerate(words) for token in words_of(word.text)]
    hit = {place for place, token in tokens if token in single}
    for phrase in phrases:
        for first in range(len(tokens) - len(phrase) + 1):
            run = tokens[first : first + len(phrase)]
            if [token for _, token in run] == list(phrase):
                hit.update(place for place, _ in run)
    return tuple(WordFound(word.start, word.end, word.text, place in hit) for place, word in enumerate(words))
