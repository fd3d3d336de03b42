"""How far an advertisement reaches around its telling phrases: "let's thank…" to "now back to the show"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.cues import CLOSER, OPENER
from featurization.keywords import STOP_WORDS
from featurization.media import Segment, Sentence, SoundSpan, merge, overlap_s

AROUND = (6, 30)  # sentences away from the ad that count as the talk around it
BRAND_BONUS = 0.4  # gain of a neighbour that names what the ad names
STRANGER_COST = 0.08  # loss of a neighbour spoken by somebody who is not heard in the ad
MUSIC_GAIN = 0.1  # gain or loss by a bed of music that only the ad has
MUSIC_CONTRAST = 0.5  # difference in share of music that makes a bed
PAUSE_GAIN = 0.05  # for an edge at a long pause
LONG_PAUSE_S = 0.8
BRAND_ELSEWHERE = 2  # sentences elsewhere that may name a brand before it counts as the episode's subject
CAPITALISED = re.compile(r"(?<=[^\s.!?\"“'’] )[A-Z][\w'’-]{2,}|[A-Za-z0-9-]{4,}(?=\.(?:com|org|net|io|co|fm|app)\b)")


@dataclass(frozen=True)
class ExtentOptions:
    """Limits of growing."""

    reach_s: float
    max_length_s: float
    margin: float


class AdExtent:
    """Grows passages over the sentences of one recording."""

    def __init__(
        self,
        sentences: Sequence[Sentence],
        vectors: NDArray[np.float32],
        *,
        sounds: Sequence[SoundSpan],
        options: ExtentOptions,
    ) -> None:
        self.sentences = sentences
        self.vectors = vectors
        self.options = options
        self.names = [_names(sentence.text) for sentence in sentences]
        self.named = Counter(name for names in self.names for name in names)
        self.music = _shares(sentences, merge(sound for sound in sounds if sound.label == "music"))

    def grow(self, first: int, last: int, *, opened: bool) -> tuple[int, int]:
        """First and last sentence of the whole read; if `opened`, the passage already says that it begins."""
        gains = self._gains(first, last)
        return self._first(first, gains, opened=opened), self._last(last, gains)

    def _first(self, first: int, gains: dict[int, float], *, opened: bool) -> int:
        reach = [place for place in sorted(gains, reverse=True) if place < first]
        opening = next((place for place in reach if OPENER.search(self.sentences[place].text)), None)
        if opening is not None and (not opened or opening == first - 1):
            return opening
        if opened or OPENER.search(self.sentences[first].text):
            return first
        ended = next((place for place in reach if CLOSER.search(self.sentences[place].text)), -1)
        return self._best(first, [place for place in reach if place > ended], gains, step=0)

    def _last(self, last: int, gains: dict[int, float]) -> int:
        if CLOSER.search(self.sentences[last].text):
            return last
        reach = [place for place in sorted(gains) if place > last]
        closing = next((place for place in reach if CLOSER.search(self.sentences[place].text)), None)
        if closing is not None:
            return closing
        return self._best(last, reach, gains, step=1)

    def _best(self, edge: int, reach: Sequence[int], gains: dict[int, float], *, step: int) -> int:
        """The place in reach up to which the gains add up to most, edges at pauses preferred."""
        best, most, total = edge, self._pause_gain(edge + step), 0.0
        for place in reach:
            total += gains[place]
            if total + self._pause_gain(place + step) > most:
                best, most = place, total + self._pause_gain(place + step)
        return best

    def _pause_gain(self, place: int) -> float:
        """The gain of an edge before sentence `place`."""
        if not 0 < place < len(self.sentences):
            return PAUSE_GAIN
        return PAUSE_GAIN if self.sentences[place].start - self.sentences[place - 1].end >= LONG_PAUSE_S else 0.0

    def _gains(self, first: int, last: int) -> dict[int, float]:
        """For each sentence in reach, how much more it belongs to the ad than to the talk around it."""
        inside = range(first, last + 1)
        talk = self._around(first, last)
        ad_vector, talk_vector = _centroid(self.vectors[first : last + 1]), _centroid(self.vectors[talk])
        reach = self._reach(first, last)
        brands = self._brands(inside, near=[*reach, *inside])
        voices = {self.sentences[place].speaker for place in inside}
        bed = float(self.music[first : last + 1].mean())
        contrast = abs(bed - float(self.music[talk].mean())) > MUSIC_CONTRAST if talk else False
        gains = {}
        for place in reach:
            gain = float(self.vectors[place] @ (ad_vector - talk_vector)) - self.options.margin
            gain += BRAND_BONUS if self.names[place] & brands else 0.0
            gain -= STRANGER_COST if self.sentences[place].speaker not in voices else 0.0
            gain += (MUSIC_GAIN if abs(self.music[place] - bed) < MUSIC_CONTRAST else -MUSIC_GAIN) if contrast else 0.0
            gains[place] = gain
        return gains

    def _reach(self, first: int, last: int) -> list[int]:
        """Neighbours near enough to belong to the ad."""
        start, end = self.sentences[first].start, self.sentences[last].end
        room = min(self.options.reach_s, max(0.0, self.options.max_length_s - (end - start)))
        near = range(max(0, first - AROUND[1]), min(len(self.sentences), last + AROUND[1] + 1))
        return [
            place
            for place in near
            if (place < first and start - self.sentences[place].start <= room)
            or (place > last and self.sentences[place].end - end <= room)
        ]

    def _around(self, first: int, last: int) -> list[int]:
        """Sentences a little way off, on both sides."""
        near, far = AROUND
        before = range(max(0, first - far), max(0, first - near))
        return [*before, *range(min(len(self.sentences), last + near + 1), min(len(self.sentences), last + far + 1))]

    def _brands(self, inside: Iterable[int], *, near: Iterable[int]) -> frozenset[str]:
        """Names in the ad that the recording hardly uses away from it."""
        here = frozenset(name for place in inside for name in self.names[place])
        nearby = Counter(name for place in near for name in self.names[place])
        return frozenset(name for name in here if self.named[name] - nearby[name] <= BRAND_ELSEWHERE)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.lower() for name in CAPITALISED.findall(text) if name.lower() not in STOP_WORDS)


def _centroid(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit mean of vectors, zero if there are none."""
    mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], dtype=np.float32)
    unit: NDArray[np.float32] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return unit


def _shares(sentences: Sequence[Sentence], music: Sequence[Segment]) -> NDArray[np.float64]:
    """Share of each sentence that lies over music, (n,)."""
    shares, place = np.zeros(len(sentences)), 0
    for row, sentence in enumerate(sentences):
        while place < len(music) and music[place].end <= sentence.start:
            place += 1
        shares[row] = overlap_s(sentence, music[place : place + 8]) / max(sentence.duration, 1e-9)
    return shares
