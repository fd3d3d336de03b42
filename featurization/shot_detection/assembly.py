"""From boundaries to shots: nothing left out, and no shot that is only the black between two fades."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.frames import Footage
from featurization.media import Shot, Transition
from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.readings import changes, luma, plain_frames

_CHUNK = 1000  # frames read together
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class _Measures:
    """What was measured of each frame, 0 to 1."""

    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]
    motion: NDArray[np.float64]  # to the frame before
    plain: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Joint:
    """Where two shots meet, or the film begins or ends; frames [first, last] around `at` are not purely one shot."""

    at: int
    first: int
    last: int
    kind: Transition
    confidence: float = 1.0


def assemble_shots(footage: Footage, boundaries: Sequence[Boundary]) -> tuple[Shot, ...]:
    """The shots of a film, covering [0, end): cut where boundaries are, gradual ones in their middle."""
    measures = _measure(footage)
    length = len(footage.times)
    inner = [_Joint(b.middle, b.first, b.last, b.kind, b.confidence) for b in boundaries if 0 < b.middle < length]
    joints = [_Joint(0, 0, -1, "start"), *inner, _Joint(length, length, length, "cut")]
    pairs = itertools.pairwise(_without_plain_shots(joints, measures.plain))
    return tuple(_shot(footage, measures, number, *pair) for number, pair in enumerate(pairs))


def _without_plain_shots(joints: Sequence[_Joint], plain: NDArray[np.bool_]) -> list[_Joint]:
    """A fade is one transition with the single colour that it leads to, and with what comes after that."""
    kept: list[_Joint] = []
    for joint in joints:
        whole = kept and _one_transition(kept[-1], joint, plain)
        kept.append(_joined(kept.pop(), joint) if whole else joint)
    return kept


def _one_transition(before: _Joint, after: _Joint, plain: NDArray[np.bool_]) -> bool:
    kinds = {before.kind, after.kind}
    return "fade" in kinds and "dissolve" not in kinds and bool(plain[before.last + 1 : after.first].all())


def _joined(before: _Joint, after: _Joint) -> _Joint:
    """Two joints as one, at the one that is no fade, or between two fades."""
    confidence = max(before.confidence, after.confidence)
    if before.kind == after.kind:
        return _Joint((before.first + after.last + 1) // 2, before.first, after.last, "fade", confidence)
    hard = before if after.kind == "fade" else after
    return _Joint(hard.at, before.first, after.last, hard.kind, hard.confidence)


def _shot(footage: Footage, measures: _Measures, number: int, begin: _Joint, finish: _Joint) -> Shot:
    start, end = _time(footage, begin.at) if number else 0.0, _time(footage, finish.at)
    picture = min(_time(footage, begin.last + 1), end) if begin.last > begin.at else start
    gone = max(_time(footage, finish.first), start) if finish.first < finish.at else end
    inside = slice(begin.at, finish.at)
    steps = measures.motion[begin.at + 1 : finish.at]
    return Shot(
        start,
        end,
        number=number,
        transition=begin.kind,
        fade_in_s=round(picture - start, _DIGITS),
        fade_out_s=round(end - gone, _DIGITS),
        brightness=round(float(measures.brightness[inside].mean()), _DIGITS),
        contrast=round(float(measures.contrast[inside].mean()), _DIGITS),
        motion=round(float(steps.mean()), _DIGITS) if len(steps) else 0.0,
        confidence=round(begin.confidence, _DIGITS),
    )


def _time(footage: Footage, frame: int) -> float:
    """When a frame begins; the one after the last where the film ends."""
    return round(float(footage.times[frame]) if frame < len(footage.times) else footage.end, _DIGITS)


def _measure(footage: Footage) -> _Measures:
    parts = list(zip(*_measured_parts(footage), strict=True))
    return _Measures(*(np.concatenate(part) for part in parts))


def _measured_parts(footage: Footage) -> Iterator[tuple[NDArray[Any], ...]]:
    for first in range(0, len(footage.times), _CHUNK):
        start = max(0, first - 1)
        frames = footage.small(start, first + _CHUNK)
        kept = slice(first - start, None)
        light = luma(frames)[kept] / 255
        means, deviations = light.mean(axis=(1, 2)), light.std(axis=(1, 2))
        yield means, deviations, changes(frames)[kept] / 255, plain_frames(frames)[kept]
