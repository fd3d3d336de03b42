"""How well words are placed in time: how far the edges of recognised words lie from those of a truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.word_errors import matches, normalised
from featurization.media import Word


@dataclass(frozen=True, slots=True)
class WordTiming:
    """Errors over recordings. `a + b` pools them; `WordTiming()` is the empty pool."""

    late_s: tuple[float, ...] = ()  # of each start and each end of a word in both; negative is early

    def __add__(self, other: WordTiming) -> WordTiming:
        return WordTiming(self.late_s + other.late_s)

    @property
    def words(self) -> int:
        """How many words were compared."""
        return len(self.late_s) // 2

    @property
    def median_s(self) -> float:
        """The median distance of an edge; not a number without words."""
        return self.quantile_s(0.5)

    @property
    def bias_s(self) -> float:
        """The median error with its sign: above zero, words are late; not a number without words."""
        return float(np.median(self.late_s)) if self.late_s else float("nan")

    def quantile_s(self, share: float) -> float:
        """The distance that this share of the edges does not exceed; not a number without words."""
        return float(np.quantile(np.abs(self.late_s), share)) if self.late_s else float("nan")


def word_timing(truth: Sequence[Word], found: Sequence[Word], *, language: str = "en") -> WordTiming:
    """Errors of the words that both have, paired as for the word error rate."""
    pairs = matches(_keys(truth, language, "truth"), _keys(found, language, "found"))
    late = ((found[f].start - truth[t].start, found[f].end - truth[t].end) for t, f in pairs)
    return WordTiming(tuple(seconds for edges in late for seconds in edges))


def _keys(words: Sequence[Word], language: str, whose: str) -> list[str]:
    """Each word as it is compared; one without a normal form of its own equals no other."""
    spelled = ("".join(normalised(word.text, language=language)) for word in words)
    return [key or f"{whose} {place}" for place, key in enumerate(spelled)]
