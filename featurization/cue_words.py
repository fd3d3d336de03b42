"""Words with times from a publisher's cues, fitted to where speech was heard.

All reckoning is done on the speech clock: seconds of speech heard so far. There a pause is a single point, so a word
can end before it and the next begin after it, and time that is not speech cannot be given to a word.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment, Word, merge
from featurization.transcripts import Cue

Floats = NDArray[np.float64]

SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
MIN_WORD_S = 0.02
SNAP_S = 0.5  # an edge of a cue or sentence this near to a pause is taken to mean the pause
FAR_S = 1.0  # a word that could only be put this far from its cue was not heard
JOINED_CUES_S = 0.05  # cues closer than this flow on; a wider gap is the transcript's own pause
NEAR_S = 0.3  # a cue that ends this near to a pause is said to end at it
ENOUGH_ENDS = 10  # sentence ends below which chance cannot be told from agreement
CLEARLY = 3.0  # standard deviations above chance


@dataclass(frozen=True)
class SpeechClock:
    """Converts media time to seconds of speech and back; `spans` are sorted and disjoint."""

    spans: Sequence[Segment]
    elapsed: Sequence[float]  # speech before each span, then the total

    @classmethod
    def over(cls, speech: Sequence[Segment]) -> SpeechClock:
        """The clock of these spans; touching ones are joined, so that every border is a pause."""
        spans = merge(speech)
        return cls(spans, [0.0, *accumulate(span.duration for span in spans)])

    def read(self, time: float) -> float:
        """Seconds of speech before media time `time`."""
        place = bisect_right(self.spans, time, key=lambda span: span.start) - 1
        if place < 0:
            return 0.0
        return self.elapsed[place] + min(time, self.spans[place].end) - self.spans[place].start

    def locate(self, start: float, end: float) -> Segment:
        """Media time of a stretch of the clock, kept to the side of a pause on which more of it lies."""
        place = min(bisect_right(self.elapsed, (start + end) / 2) - 1, len(self.spans) - 1)
        span, offset = self.spans[place], self.elapsed[place]
        at = [min(max(span.start + time - offset, span.start), span.end) for time in (start, end)]
        return Segment(at[0], at[1])

    def nearest_pause(self, reading: float) -> float:
        """The clock reading of the pause, or outer edge of speech, nearest to `reading`."""
        place = bisect_left(self.elapsed, reading)
        return min(self.elapsed[max(0, place - 1) : place + 1], key=lambda pause: abs(pause - reading))


def words_from_cues(cues: Sequence[Cue], speech: Sequence[Segment]) -> tuple[Word, ...]:
    """Words of the cues with times inside speech, shared out by number of characters.

    Where a sentence or an unjoined cue ends within `SNAP_S` of a pause, it ends at the pause. Cues more than that away
    from all speech are left out: nobody was heard to say them. `estimated` is false only for one-word cues.
    """
    clock = SpeechClock.over(speech)
    heard = [cue for cue in cues if cue.text.split() and _is_heard(cue, clock)]
    if not heard:
        return ()
    said = [(cue, word) for cue in heard for word in cue.text.split()]
    starts, ends = np.array([reading for cue in heard for reading in _readings(cue, clock)]).T
    breaks = _sentence_breaks(heard)
    starts, ends = _unempty(
        _snapped(starts, breaks[:-1], clock), _snapped(ends, breaks[1:], clock), total=clock.elapsed[-1]
    )
    words = []
    for (cue, text), start, end in zip(said, starts, ends, strict=True):
        at = clock.locate(start, end)
        if at.duration >= MIN_WORD_S / 2 and at.overlaps(Segment(max(0.0, cue.start - FAR_S), cue.end + FAR_S)):
            words.append(Word(at.start, at.end, text, estimated=text != cue.text))
    return tuple(words)


def agreement(cues: Sequence[Cue], speech: Sequence[Segment]) -> float:
    """How well the cues lie on the speech, 0 to 1; a transcript of another recording or with shifted times is low.

    F1 of time (share of cue time that is speech, share of speech under a cue), halved as far as sentence ends fall on
    pauses no more often than by chance: in dense talk that alone gives away a shift by inserted ads.
    """
    spoken, shown = merge(speech), merge(cues)
    both = _common_s(spoken, shown)
    total = sum(span.duration for span in spoken) + sum(span.duration for span in shown)
    return 2 * both / total * _pause_agreement(cues, spoken) if total else 0.0


def _is_heard(cue: Cue, clock: SpeechClock) -> bool:
    return clock.read(cue.end + SNAP_S) - clock.read(max(0.0, cue.start - SNAP_S)) >= MIN_WORD_S


def _readings(cue: Cue, clock: SpeechClock) -> Iterator[tuple[float, float]]:
    """(start, end) on the speech clock for each word of a cue, by its share of characters."""
    done = [0, *accumulate(len(word) + 1 for word in cue.text.split())]
    start, end = clock.read(cue.start), clock.read(cue.end)
    yield from pairwise(start + (end - start) * part / done[-1] for part in done)


def _sentence_breaks(cues: Sequence[Cue]) -> list[bool]:
    """For each border between words, both outer ones included: is a pause to be expected there?"""
    breaks = [True]
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        breaks += [bool(SENTENCE_END.search(word)) for word in cue.text.split()]
        breaks[-1] |= following is None or following.start - cue.end > JOINED_CUES_S
    return breaks


def _snapped(readings: Floats, breaks: Sequence[bool], clock: SpeechClock) -> Floats:
    """Readings with each pause drawing the nearest sentence break to itself, and those between breaks in proportion."""
    ordered = np.maximum.accumulate(readings)
    shifts: dict[int, float] = {}
    drawn: dict[float, int] = {}
    for place in np.flatnonzero(breaks).tolist():
        pause = clock.nearest_pause(ordered[place])
        shift, rival = pause - ordered[place], drawn.get(pause)
        shifts[place] = 0.0
        if abs(shift) <= SNAP_S and (rival is None or abs(shift) < abs(shifts[rival])):
            shifts |= {place: shift} if rival is None else {place: shift, rival: 0.0}
            drawn[pause] = place
    if not shifts:
        return ordered
    anchors = np.fromiter(shifts, dtype=np.intp)
    return ordered + np.interp(ordered, ordered[anchors], np.fromiter(shifts.values(), dtype=np.float64))


def _unempty(starts: Floats, ends: Floats, *, total: float) -> tuple[list[float], list[float]]:
    """The same words in order, without overlap, of at least `MIN_WORD_S` each while the clock's total allows it."""
    firsts, lasts, clock = starts.tolist(), ends.tolist(), 0.0
    for place, end in enumerate(lasts):
        firsts[place] = max(firsts[place], clock)
        limit = firsts[place + 1] if place + 1 < len(firsts) else end
        clock = lasts[place] = max(min(end, limit), firsts[place] + MIN_WORD_S)
    limit = total
    for place in reversed(range(len(lasts))):
        lasts[place] = max(0.0, min(lasts[place], limit))
        limit = firsts[place] = max(0.0, min(firsts[place], lasts[place] - MIN_WORD_S))
    return firsts, lasts


def _common_s(first: Sequence[Segment], second: Sequence[Segment]) -> float:
    """Seconds that two sorted, disjoint lists share."""
    common, place = 0.0, 0
    for segment in first:
        while place < len(second) and second[place].end <= segment.start:
            place += 1
        for other in second[place:]:
            if other.start >= segment.end:
                break
            common += (segment & other).duration
    return common


def _pause_agreement(cues: Sequence[Cue], spoken: Sequence[Segment]) -> float:
    """1 if cues that end a sentence end at pauses clearly more often than chance would have it, down to 0.5."""
    ends = [cue.end for cue in cues if SENTENCE_END.search(cue.text)]
    near = merge(Segment(max(0.0, a.end - NEAR_S), b.start + NEAR_S) for a, b in pairwise(spoken))
    if len(ends) < ENOUGH_ENDS or not near:
        return 1.0
    chance = min(0.99, sum(span.duration for span in near) / (spoken[-1].end - spoken[0].start))
    starts = [span.start for span in near]
    hits = sum(end in near[max(0, bisect_right(starts, end) - 1)] for end in ends) / len(ends)
    deviations = (hits - chance) / math.sqrt(chance * (1 - chance) / len(ends))
    return 0.5 + 0.5 * min(1.0, max(0.0, deviations / CLEARLY))
