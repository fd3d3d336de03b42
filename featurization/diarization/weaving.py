"""What overlapping windows say of each person, woven into one track of frames, and the turns in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from featurization.diarization.grouping import Labels
from featurization.diarization.local_speakers import LocalVoices
from featurization.diarization.segmentation import FIRST_S, FRAME_S, WINDOW_FRAMES
from featurization.media import Segment, merge

Likely = NDArray[np.float32]  # (frame, person), mean probability over windows that the person talks
Talks = NDArray[np.bool_]  # (frame, person)

_ONE, _TWO = 0.5, 0.5  # mean probability from which somebody talks, and from which a second does
_FAINT = 0.05  # probability from which a person may be the one who talks where voice activity hears somebody
_REACH_S = 0.5  # how far from what a person says such speech may be theirs, if nobody is likely


def weave(voices: LocalVoices, people: Labels, count: int) -> tuple[Likely, Talks]:
    """How likely each of `count` people talks in each frame, and who does: nobody, one, or two at a time.

    `people[i]` is the person of local speaker i. Frames weigh more in the middle of a window than at its edges.
    """
    taper = np.hamming(WINDOW_FRAMES).astype(np.float32)
    likely = np.zeros((voices.frames, count), dtype=np.float32)
    loudest, weight = np.zeros((voices.frames, 2), dtype=np.float32), np.zeros((voices.frames, 1), dtype=np.float32)
    for window, activities in enumerate(voices.activities):
        part, weighted = voices.of_window(window), activities / np.float32(255) * taper[:, None]
        weight[part] += taper[:, None]
        loudest[part] += np.sort(weighted, axis=1)[:, :-3:-1]
    for speaker, person in zip(voices.speakers, people, strict=True):
        part = voices.of_window(speaker.window)
        likely[part, person] += voices.activities[speaker.window, :, speaker.place] / np.float32(255) * taper
    likely = np.minimum(likely / weight, 1.0)
    return likely, _who_talks(likely, loudest / weight)


def _who_talks(likely: Likely, loudest: Likely) -> Talks:
    """The likeliest one or two people, as many as the (frame, 2) mean probabilities of local speakers say."""
    first = loudest[:, 0] >= _ONE
    how_many = first.astype(np.int8) + (first & (loudest[:, 1] >= _TWO))
    rank = np.argsort(np.argsort(-likely, axis=1, kind="stable"), axis=1)
    return np.asarray((rank < how_many[:, None]) & (likely > 0))


def give_speech(speech: Sequence[Segment], likely: Likely, talks: Talks, *, start: float) -> Talks:
    """`talks` with somebody wherever voice activity hears `speech`: who is likely there, else who talks nearby."""
    known = np.flatnonzero(talks.any(axis=1))
    lone = np.flatnonzero(_frames_of(speech, len(talks), start) & ~talks.any(axis=1))
    if not len(known) or not len(lone):
        return talks
    after = np.searchsorted(known, lone).clip(max=len(known) - 1)
    before = (after - 1).clip(min=0)
    nearest = np.where(np.abs(known[after] - lone) < np.abs(known[before] - lone), known[after], known[before])
    given = talks.copy()
    faint = likely[lone].max(axis=1) >= _FAINT
    near = ~faint & (np.abs(nearest - lone) * FRAME_S <= _REACH_S)
    given[lone[faint], likely[lone[faint]].argmax(axis=1)] = True
    given[lone[near]] = talks[nearest[near]]
    return given


def _frames_of(spans: Sequence[Segment], length: int, start: float) -> NDArray[np.bool_]:
    inside = np.zeros(length, dtype=bool)
    for span in spans:
        first, last = (round((time - start - FIRST_S) / FRAME_S) for time in (span.start, span.end))
        inside[max(0, first) : max(0, last)] = True
    return inside


def turns_of(
    likely: Likely, talks: Talks, person: int, *, span: Segment, max_gap_s: float, least_s: float
) -> Iterator[tuple[Segment, float]]:
    """A person's turns in `span`, whose first frame is the first of the track, with how sure they are, 0 to 1."""
    edges = np.flatnonzero(np.diff(talks[:, person].astype(np.int8), prepend=0, append=0)).reshape(-1, 2).tolist()
    runs = [_between(first, last, span) for first, last in edges]
    for turn in merge((run for run in runs if run.duration), max_gap_s=max_gap_s):
        if turn.duration >= least_s:
            first, last = (round((time - span.start - FIRST_S) / FRAME_S) for time in (turn.start, turn.end))
            yield turn, float(likely[max(0, first) : max(1, last), person].mean())


def _between(first: int, last: int, span: Segment) -> Segment:
    """The time from frame `first` to before frame `last`, within `span`."""
    return Segment(span.start + FIRST_S + first * FRAME_S, span.start + FIRST_S + last * FRAME_S) & span
