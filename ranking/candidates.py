"""Candidates: every run of whole sentences that lasts about as long as a preview.

A run never crosses a long silence or a stretch of music or noise, and never cuts a sentence, its own or one spoken
over it. Time is linear in the number of sentences, and the number of candidates is bounded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal

from featurization.media import Hearing, Segment, Sentence, SoundSpan, merge

TOUCHING_S = 0.02  # sentence edges closer than a word's least length are one edge


@dataclass(frozen=True, slots=True)
class CandidateOptions:
    """How long a candidate lasts, and how many there may be."""

    min_s: float = 20.0
    max_s: float = 40.0
    target_s: float = 30.0
    max_gap_s: float = 2.0  # a longer pause between two sentences parts them
    max_nonspeech_s: float = 0.5  # so does more music or noise than this in the pause
    snap_s: float = 1.0  # how far an edge may move through a pause to lie on a cut of the film
    per_start: int = 3  # candidates that begin with one sentence or shot, those nearest to the target length
    max_count: int = 6000  # of one episode; LightGBM refuses groups above 10,000 rows

    def __post_init__(self) -> None:
        if not 0 < self.min_s <= self.target_s <= self.max_s:
            raise ValueError(
                f"candidate lengths must satisfy 0 < min_s <= target_s <= max_s, got {self.min_s}, {self.target_s}, "
                f"{self.max_s}; set all three, or the preview length alone"
            )
        if self.per_start < 1 or self.max_count < 1:
            raise ValueError(f"per_start and max_count must be at least 1, got {self.per_start} and {self.max_count}")
        if self.snap_s < 0:
            raise ValueError(f"snap_s must not be negative, got {self.snap_s}")

    def lasting(self, target_s: float) -> CandidateOptions:
        """The same options for clips about `target_s` long."""
        low, high = window(target_s)
        return replace(self, min_s=low, max_s=high, target_s=target_s)


def window(target_s: float) -> tuple[float, float]:
    """The shortest and longest clip, in seconds, that still counts as `target_s` long: two thirds to four thirds."""
    return target_s * 2 / 3, target_s * 4 / 3


@dataclass(frozen=True, slots=True)
class Candidate(Segment):
    """A run of whole sentences: `hearing.sentences[first:last]`; of a run of shots, those that it contains, if any."""

    asset_id: str
    first: int
    last: int
    text: str
    made_of: Literal["sentences", "shots"] = "sentences"


def make_candidates(asset_id: str, hearing: Hearing, options: CandidateOptions | None = None) -> tuple[Candidate, ...]:
    """All candidates of one episode, by start and then by end."""
    options = options or CandidateOptions()
    sentences = hearing.sentences
    found = [
        _candidate(asset_id, sentences, first, last)
        for island in _islands(hearing, options)
        for first, last in _runs(sentences, island, options)
    ]
    return thinned(found, options)


def thinned(found: Sequence[Candidate], options: CandidateOptions) -> tuple[Candidate, ...]:
    """At most as many as the options allow, evenly from all."""
    step = -(-len(found) // options.max_count) or 1
    return tuple(found[::step])


def _candidate(asset_id: str, sentences: Sequence[Sentence], first: int, last: int) -> Candidate:
    run = sentences[first:last]
    end = max(sentence.end for sentence in run)
    return Candidate(run[0].start, end, asset_id, first, last, " ".join(sentence.text for sentence in run))


def _islands(hearing: Hearing, options: CandidateOptions) -> Iterator[list[int]]:
    """Clean cutting points as sentence indices, grouped so that no long gap lies inside a group."""
    sentences = hearing.sentences
    disturbing = _nonspeech(hearing.sounds)
    heard = list(accumulate((sentence.end for sentence in sentences), max))
    island: list[int] = []
    for index, sentence in enumerate(sentences):
        until = heard[index - 1] if index else sentence.start
        if sentence.start < until - TOUCHING_S:
            continue
        pause = Segment(min(until, sentence.start), sentence.start)
        if island and _parts(pause, disturbing, options):
            yield [*island, index]
            island = []
        island.append(index)
    if island:
        yield [*island, len(sentences)]


def _nonspeech(sounds: Sequence[SoundSpan]) -> list[Segment]:
    return merge(span for span in sounds if span.label in {"music", "noise"})


def _parts(pause: Segment, disturbing: Sequence[Segment], options: CandidateOptions) -> bool:
    if pause.duration > options.max_gap_s:
        return True
    begin = bisect_left(disturbing, pause.start, key=lambda span: span.end)
    until = bisect_left(disturbing, pause.end, key=lambda span: span.start)
    return sum((pause & span).duration for span in disturbing[begin:until]) > options.max_nonspeech_s


def _runs(sentences: Sequence[Sentence], edges: Sequence[int], options: CandidateOptions) -> Iterator[tuple[int, int]]:
    """Sentence runs between two cutting points whose length is within the limits."""
    ends = list(accumulate((_last_end(sentences, a, b) for a, b in pairwise(edges)), max))
    for position, first in enumerate(edges[:-1]):
        start = sentences[first].start
        low = max(position, bisect_left(ends, start + options.min_s))
        high = bisect_right(ends, start + options.max_s)
        nearest = sorted(range(low, high), key=lambda k: (abs(ends[k] - start - options.target_s), k))
        yield from ((first, edges[k + 1]) for k in sorted(nearest[: options.per_start]))


def _last_end(sentences: Sequence[Sentence], first: int, last: int) -> float:
    return max(sentence.end for sentence in sentences[first:last])
