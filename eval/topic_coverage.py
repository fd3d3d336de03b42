"""Does a preview tell what the episode is about? The share of the episode's keywords that it says.

Beside it stands what a clip of the same length says that begins anywhere at random: the exact mean over all starts on
a grid, so that there is no luck in the baseline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.keywords import POSSESSIVE
from featurization.media import Segment, Word

Floats = NDArray[np.float64]
_GRID_S = 1.0
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class TopicCoverage:
    """Keyword counts over previews. `a + b` pools them; `TopicCoverage()` is the empty pool."""

    keywords: int = 0
    said: int = 0
    said_at_random: float = 0.0  # expected of a random clip of the same length

    def __add__(self, other: TopicCoverage) -> TopicCoverage:
        return TopicCoverage(
            self.keywords + other.keywords, self.said + other.said, self.said_at_random + other.said_at_random
        )

    @property
    def coverage(self) -> float:
        return self.said / self.keywords if self.keywords else 0.0

    @property
    def random_coverage(self) -> float:
        return self.said_at_random / self.keywords if self.keywords else 0.0

    @property
    def lift(self) -> float:
        """Coverage as a multiple of a random clip's; 0 if a random clip covers nothing."""
        return self.said / self.said_at_random if self.said_at_random else 0.0


def topic_coverage(preview: Segment, words: Sequence[Word], keywords: Sequence[str]) -> TopicCoverage:
    """Coverage of one preview. `words` are the episode's in order, `keywords` its most frequent, words or phrases."""
    said = _said(words, keywords)
    starts = _starts(words, preview.duration)
    return TopicCoverage(
        len(said),
        int(_counts(said, np.array([preview.start]), np.array([preview.end]))[0]),
        float(_counts(said, starts, starts + preview.duration).mean()),
    )


def keywords_said(clips: Sequence[Segment], words: Sequence[Word], keywords: Sequence[str]) -> NDArray[np.int64]:
    """How many of the keywords each clip says, (clips,)."""
    edges = np.array([(clip.start, clip.end) for clip in clips], dtype=np.float64).reshape(-1, 2)
    return _counts(_said(words, keywords), edges[:, 0], edges[:, 1])


def _said(words: Sequence[Word], keywords: Sequence[str]) -> list[Floats]:
    """Start and end of each time each keyword is said, (times, 2) by start."""
    tokens = [(token, word) for word in words for token in _tokens(word.text)]
    places: dict[str, list[int]] = {}
    for at, (token, _) in enumerate(tokens):
        places.setdefault(token, []).append(at)
    return [_occurrences(tokens, places, keyword) for keyword in dict.fromkeys(map(_tokens, keywords))]


def _occurrences(
    tokens: Sequence[tuple[str, Word]], places: Mapping[str, Sequence[int]], keyword: tuple[str, ...]
) -> Floats:
    size = len(keyword)
    found = [
        (tokens[at][1].start, tokens[at + size - 1][1].end)
        for at in places.get(keyword[0] if keyword else "", ())
        if tuple(token for token, _ in tokens[at : at + size]) == keyword
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _counts(said: Sequence[Floats], starts: Floats, ends: Floats) -> NDArray[np.int64]:
    """How many of the keywords are said wholly within each [start, end)."""
    return sum((_within(times, starts, ends).astype(np.int64) for times in said), np.zeros(len(starts), dtype=np.int64))


def _within(times: Floats, starts: Floats, ends: Floats) -> NDArray[np.bool_]:
    if not len(times):
        return np.zeros(len(starts), dtype=bool)
    after = np.searchsorted(times[:, 0], starts - 1e-9, side="left")
    said_by = np.append(times[:, 1], np.inf)
    return np.asarray(said_by[after] <= ends + 1e-9)


def _starts(words: Sequence[Word], duration_s: float) -> Floats:
    """Where a clip of this length may begin, between the first and the last word."""
    if not words:
        return np.zeros(1)
    first, last = words[0].start, max(word.end for word in words)
    return np.arange(first, max(first, last - duration_s) + _GRID_S / 2, _GRID_S)


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(POSSESSIVE.sub("", token) for token in _TOKEN.findall(text.replace("\u2019", "'").lower()))
