"""The default detector: a fast pass over all frames, and TransNetV2 where that pass is in doubt.

Most cuts leave no doubt and most frames none either, so that the network sees a part of the film, in stretches as long
as needed. Above 37 frames a second frames are left out until it is about 30, which is what the network knows; the
frame of a cut is then looked up among those left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.gate import MARGIN, GateOptions, Suspicion, suspect
from featurization.shot_detection.readings import Flags, Network, Small, changes, read_boundaries, runs

Window = Callable[[int, int], Small]  # frames [first, last) of a film

CONTEXT = 14  # frames around a doubt that the network sees with it
_REACH = MARGIN + CONTEXT
_ASKED = 12  # frames around a doubt that an answer may lie in
_BESIDE = 2  # the network's answer may be so many frames off
_CHUNK = 1500  # frames that are looked at together, to bound memory
_LIKELY = 0.15  # enough of the network's probability where the fast pass thinks of a cut too
_POSSIBLE = 0.1  # less than this by either head, and a mix is no transition
_SURE = 0.5
_USUAL_RATE = 30.0
_DIP = 8  # frames of one colour, at most, that belong to the fades around them


class Sampled:
    """A film at about the frame rate that detectors are made for."""

    def __init__(self, window: Window, length: int, frame_rate: float) -> None:
        self.step = max(1, round(frame_rate / _USUAL_RATE - 0.25))
        self.length = -(-length // self.step)
        self._window, self._all = window, length

    def __call__(self, first: int, last: int) -> Small:
        """Frames [first, last) of those that are left."""
        return self._window(first * self.step, min(last * self.step, self._all))[:: self.step]

    def in_film(self, boundary: Boundary) -> Boundary:
        """The same boundary in frames of the film."""
        if self.step == 1:
            return boundary
        if boundary.kind != "cut":
            last = min(boundary.last * self.step, self._all - 1)
            return replace(boundary, first=boundary.first * self.step, last=last)
        start = max(0, (boundary.first - 1) * self.step)
        between = self._window(start, min(boundary.first * self.step + 1, self._all))
        at = start + int(changes(between).argmax())
        return replace(boundary, first=at, last=at)


def find_by_cascade(film: Sampled, network: Network, options: GateOptions) -> tuple[Boundary, ...]:
    """The transitions of a film, in order."""
    found: list[Boundary] = []
    for first in range(0, film.length, _CHUNK):
        found += _in_chunk(film, first, min(first + _CHUNK, film.length), network, options)
    return in_order(found)


def find_by_network(film: Sampled, network: Network) -> tuple[Boundary, ...]:
    """The transitions of a film by TransNetV2 alone, every frame seen."""
    found: list[Boundary] = []
    step = _CHUNK // 10
    for first in range(0, film.length, step):
        last = min(first + step, film.length)
        start, end = max(0, first - _REACH), min(last + _REACH, film.length)
        frames = film(start, end)
        found += _placed(read_boundaries(frames, network(frames)), start, first, last)
    return in_order(found)


def in_order(found: list[Boundary]) -> tuple[Boundary, ...]:
    """Boundaries that do not overlap: of two that do, the surer one stays. A dip to one colour is one fade."""
    kept: list[Boundary] = []
    for boundary in sorted(found):
        last = kept[-1] if kept else None
        if last and boundary.kind == last.kind == "fade" and boundary.first <= last.last + _DIP:
            confidence = max(boundary.confidence, last.confidence)
            kept[-1] = Boundary(last.first, max(boundary.last, last.last), "fade", confidence)
        elif last is None or boundary.first > last.last:
            kept.append(boundary)
        elif boundary.confidence > kept[-1].confidence:
            kept[-1] = boundary
    return tuple(kept)


def _in_chunk(film: Sampled, first: int, last: int, network: Network, options: GateOptions) -> Iterator[Boundary]:
    start, end = max(0, first - _REACH), min(last + _REACH, film.length)
    frames = film(start, end)
    suspicion = suspect(frames, options)
    found = [Boundary(int(at), int(at)) for at in np.flatnonzero(suspicion.sure)]
    found += _confirmed(frames, suspicion.gradual, network)
    found += _by_network(frames, suspicion, network, found)
    return _placed(found, start, first, last)


def _confirmed(frames: Small, gradual: Sequence[Boundary], network: Network) -> Iterator[Boundary]:
    """Fades, and the dissolves that the network does not rule out: a slow pan over soft shapes is a mix of its ends."""
    for boundary in gradual:
        if boundary.kind == "fade":
            yield boundary
            continue
        begin = max(0, boundary.first - CONTEXT)
        seen = network(frames[begin : boundary.last + CONTEXT + 1])
        if seen[boundary.first - begin : boundary.last - begin + 1].max() >= _POSSIBLE:
            yield boundary


def _by_network(frames: Small, suspicion: Suspicion, network: Network, known: Sequence[Boundary]) -> Iterator[Boundary]:
    """What the network finds where it was asked and nothing is known yet; frames around serve as context."""
    taken = np.zeros(len(frames), dtype=bool)
    for boundary in known:
        taken[boundary.first : boundary.last + 1] = True
    asked = _near(suspicion.doubtful, _ASKED)
    enough = np.where(_near(suspicion.likely, _BESIDE), _LIKELY, _SURE)
    for begin, stop in runs(_near(suspicion.doubtful, CONTEXT)):
        part = slice(begin, stop + 1)
        for boundary in read_boundaries(frames[part], network(frames[part]), enough[part]):
            span = slice(begin + max(0, boundary.first - _BESIDE), begin + boundary.last + _BESIDE + 1)
            if asked[span].any() and not taken[span].any():
                yield _moved(boundary, begin)


def _near(flags: Flags, distance: int) -> Flags:
    """Frames with a set flag at most `distance` away."""
    ends = np.concatenate([[0], np.cumsum(flags)])
    at = np.arange(len(flags))
    counts: NDArray[np.int64] = ends[np.minimum(at + distance + 1, len(flags))] - ends[np.maximum(at - distance, 0)]
    return counts > 0


def _moved(boundary: Boundary, by: int) -> Boundary:
    return replace(boundary, first=boundary.first + by, last=boundary.last + by)


def _placed(found: tuple[Boundary, ...] | list[Boundary], start: int, first: int, last: int) -> Iterator[Boundary]:
    """Boundaries of a stretch that begins at `start`, numbered in the film; those whose middle is in [first, last)."""
    moved = (_moved(boundary, start) for boundary in found)
    return (boundary for boundary in moved if first <= boundary.middle < last)
