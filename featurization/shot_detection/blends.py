"""Dissolves and fades by arithmetic: each of their frames is a mix of the picture before and the picture after.

The frame in the middle of a transition is the mean of what lies as far before it as after it, whatever its length. Of
a moving camera's frames hardly any is, for what moves is in three places instead of being in two at half strength.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.edges import likeness
from featurization.shot_detection.readings import Flags, Small, gradual_kind, runs

FARTHEST = 25  # frames to either side that a transition's extent is measured with
_QUICK = 3
_LAGS = (_QUICK, 6, 12, 24)  # frames: transitions of 4 to 50 show in one of them
_SPREADS = (3, 6, 9, 12, 18, FARTHEST)
_PAST = 3  # frames beyond the mixes found, where there is little left of the other picture
_SATURATED = 0.85  # share of the largest change at which the pictures are taken to be past the transition


@dataclass(frozen=True, slots=True)
class BlendOptions:
    """When a frame is taken for a mix. Changes are means per pixel, 0 to 255, between the pictures around it."""

    change: float = 15.0
    quick_change: float = 25.0  # over the shortest lag, over which a moving camera is a mix too
    distance: float = 0.35  # of the frame from their mean, as a share of the change
    likeness: float = 0.5  # of the pictures around; more is one scene
    poor_distance: float = 0.3  # of a mix that counts only between pictures that are not alike at all
    poor_likeness: float = 0.25
    likely_likeness: float = 0.4
    sure_change: float = 25.0
    sure_distance: float = 0.2
    sure_likeness: float = 0.35


@dataclass(frozen=True, slots=True)
class Blend:
    """Frames [first, last] that are mixes, and what the best of them mixes, and how well."""

    first: int
    last: int
    best: int
    change: float
    distance: float
    likeness: float

    def is_sure(self, options: BlendOptions) -> bool:
        """Whether it is a transition without further question."""
        clear = self.distance <= options.sure_distance and self.likeness <= options.sure_likeness
        return clear and self.change >= options.sure_change

    def is_likely(self, options: BlendOptions) -> bool:
        """Whether little is missing for it to be one."""
        return self.likeness <= options.likely_likeness


def find_blends(frames: Small, cuts: Flags, options: BlendOptions) -> Iterator[Blend]:
    """Stretches of mixes, in order; none of them is measured across one of the `cuts`."""
    distance = _distance_from_mean(frames, cuts, options)
    for first, last in runs(distance <= options.distance):
        best = first + int(distance[first : last + 1].argmin())
        spread = _spread(frames, cuts, best)
        before, after = frames[best - spread], frames[best + spread]
        low, high = _between_cuts(cuts, best)
        ends = likeness(frames[max(low, first - _PAST)], frames[min(high, last + _PAST)])
        alike = min(likeness(before, after), ends)
        poor = distance[best] > options.poor_distance
        if alike <= (options.poor_likeness if poor else options.likeness):
            yield Blend(first, last, best, _apart(before, after), float(distance[best]), alike)


def _distance_from_mean(frames: Small, cuts: Flags, options: BlendOptions) -> NDArray[np.float64]:
    """Each frame's distance from the mean of those around it, as a share of their change, at the lag where it is least.

    It is 1 where the change is too small to tell.
    """
    distance = np.ones(len(frames))
    count = np.cumsum(cuts)
    for lag in _LAGS:
        inner = slice(lag, max(lag, len(frames) - lag))
        before, now, after = frames[: -2 * lag].astype(np.int16), frames[inner], frames[2 * lag :]
        if not len(after):
            continue
        changes = np.abs(after - before).mean(axis=(1, 2, 3))
        apart = np.abs(now - (before + after) // 2).mean(axis=(1, 2, 3))
        least = options.quick_change if lag == _QUICK else options.change
        whole = (count[2 * lag :] == count[: -2 * lag]) & (changes >= least)
        distance[inner] = np.minimum(distance[inner], np.where(whole, apart / np.maximum(changes, 1.0), 1.0))
    return distance


def _apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())


def measure_extent(frames: Small, cuts: Flags, blend: Blend) -> Boundary:
    """The transition that `blend` is part of: where the mix goes from all of one picture to all of the other.

    The ends are taken from the quarter points, as if the mix changed evenly; noise and motion blur the ends themselves.
    """
    low, high = _between_cuts(cuts, blend.best)
    spread = _spread(frames, cuts, blend.best)
    first = max(low, min(blend.best - spread, blend.first - _PAST))
    last = min(high, max(blend.best + spread, blend.last + _PAST))
    share = _share_of_last(frames[first : last + 1])
    quarters = [float(np.interp(level, np.maximum.accumulate(share), np.arange(len(share)))) for level in (0.25, 0.75)]
    half = max(0.5, quarters[1] - quarters[0])
    middle = first + sum(quarters) / 2
    ends = max(low, round(middle - half + 0.5)), min(high, round(middle + half - 0.5))
    reach_frames = (min(ends), max(ends))
    confidence = min(1.0, max(0.5, 1.0 - 2 * blend.distance))
    return Boundary(*reach_frames, gradual_kind(frames, reach_frames), confidence)


def _between_cuts(cuts: Flags, at: int) -> tuple[int, int]:
    """First and last frame of the stretch without a cut that `at` lies in."""
    places = np.flatnonzero(cuts)
    before, after = places[places <= at], places[places > at]
    return int(before[-1]) if len(before) else 0, int(after[0]) - 1 if len(after) else len(cuts) - 1


def _spread(frames: Small, cuts: Flags, at: int) -> int:
    """How far to go from the middle of a transition for pictures that have no part in it."""
    low, high = _between_cuts(cuts, at)
    reach = max(1, min(FARTHEST, at - low, high - at))
    spreads = [spread for spread in _SPREADS if spread <= reach] or [reach]
    changes = [_apart(frames[at - s], frames[at + s]) for s in spreads]
    return next(s for s, change in zip(spreads, changes, strict=True) if change >= _SATURATED * max(changes))


def _share_of_last(frames: Small) -> NDArray[np.float64]:
    """How much of each frame is the last picture, how much the first: 0 to 1."""
    flat = frames.reshape(len(frames), -1).astype(np.float64)
    direction = flat[-1] - flat[0]
    return np.asarray((flat - flat[0]) @ direction / max(float(direction @ direction), 1.0))
