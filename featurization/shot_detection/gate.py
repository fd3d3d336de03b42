"""The fast pass over all frames: which cuts are beyond doubt, and which frames the network must look at.

Everything is measured on 27×48 frames. Two things are looked for. A step: a frame far from the one before, whose edges
lie elsewhere even if the camera moved; flashes and fast motion are steps too, but keep their edges or come in rows.
And a blend: a frame that is the mean of what was before and what comes after, as in dissolves and fades of any length;
of a moving camera's frames hardly any is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.shot_detection.readings import Flags, Small, changes

MARGIN = 12  # frames of context that the pass needs on both sides
_LAGS = (MARGIN // 2, MARGIN)  # frames: transitions of 4 to 50 show in one of them
_AROUND = 5  # frames to either side that a step is compared with
_NEAR = 2  # a step is the largest among so many to either side
_SHIFT = (3, 5)  # rows and columns that the picture may move between two frames and still be known
_DARK = 24  # rows and columns that never get brighter are bars, not picture
_SMALLEST = (12, 20)  # rows and columns of picture; less is a dark film, not bars


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Differences are means per pixel of the picture without bars, 0 to 255; likeness is a correlation of edges."""

    step: float = 8.0  # a smaller one is never a cut
    blend_change: float = 12.0  # between the pictures around a blend
    blend_distance: float = 0.4  # of a blend from their mean, as a share of that change
    same_scene: float = 0.7  # more likeness than this and nothing was cut
    same_scene_at_once: float = 0.9  # the same for a step that stands alone: a jump cut keeps much
    alone: float = 3.0  # ratio to the next largest step around
    sure_step: float = 15.0
    sure_ratio: float = 2.0
    sure_rest: float = 0.7  # share of the step by which the pictures before and after stay apart
    sure_likeness: float = 0.45  # at most


@dataclass(frozen=True, eq=False)
class Suspicion:
    """What the fast pass says of each frame of a stretch."""

    sure: Flags  # a new shot begins here
    likely: Flags  # one may well begin here
    doubtful: Flags  # look here

    def part(self, first: int, last: int) -> Suspicion:
        """Frames [first, last) of it."""
        return Suspicion(self.sure[first:last], self.likely[first:last], self.doubtful[first:last])


def suspect(frames: Small, options: GateOptions) -> Suspicion:
    """Sort the frames of a stretch; the first and last `MARGIN` of them are only judged in part."""
    picture = _without_bars(frames)
    sure, likely, doubtful = (np.zeros(len(frames), dtype=bool) for _ in range(3))
    for step in _steps(picture, options):
        sure[step.at] = step.is_sure(options)
        likely[step.at] = step.is_likely(options)
        doubtful[step.at] = step.is_doubtful(options) and not sure[step.at]
    for lag in _LAGS:
        doubtful |= _blends(picture, lag, sure, options)
    return Suspicion(sure, likely, doubtful)


@dataclass(frozen=True, slots=True)
class _Step:
    """A frame that is far from the one before, and what tells a cut from motion and light."""

    at: int
    size: float
    ratio: float  # to the next largest step around
    rest: float  # share of it by which the pictures before and after stay apart
    likeness: float

    def is_sure(self, options: GateOptions) -> bool:
        large = self.size >= options.sure_step and self.ratio >= options.sure_ratio
        return large and self.is_likely(options)

    def is_likely(self, options: GateOptions) -> bool:
        return self.rest >= options.sure_rest and self.likeness <= options.sure_likeness

    def is_doubtful(self, options: GateOptions) -> bool:
        alone = self.ratio >= options.alone
        return self.likeness < (options.same_scene_at_once if alone else options.same_scene)


def _without_bars(frames: Small) -> Small:
    """The part of the frames that ever gets brighter than bars are."""
    lit = frames.max(axis=(0, 3)) > _DARK
    rows, columns = (np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return frames
    part = frames[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return part if part.shape[1] >= _SMALLEST[0] and part.shape[2] >= _SMALLEST[1] else frames


def _steps(frames: Small, options: GateOptions) -> Iterator[_Step]:
    sizes = changes(frames)
    for at in map(int, np.flatnonzero(sizes >= options.step)):
        if sizes[at] < sizes[max(1, at - _NEAR) : at + _NEAR + 1].max():
            continue
        others = np.delete(sizes[max(1, at - _AROUND) : at + _AROUND + 1], at - max(1, at - _AROUND))
        before, after = frames[max(0, at - _AROUND) : at], frames[at : at + _AROUND]
        apart = float(np.abs(after.mean(axis=0) - before.mean(axis=0)).mean())
        ratio = sizes[at] / max(float(others.max(initial=0.0)), 1.0)
        yield _Step(at, sizes[at], ratio, apart / sizes[at], likeness(frames[at - 1], frames[at]))


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of two pictures' edges where they fit best, -1 to 1: what the light or a small movement leaves."""
    import cv2

    rows, columns = _SHIFT
    template = _edges(other)[rows:-rows, columns:-columns]
    if not template.any():
        return 0.0
    fits = cv2.matchTemplate(_edges(one), np.ascontiguousarray(template), cv2.TM_CCORR_NORMED)
    return float(np.nan_to_num(fits, posinf=0.0, neginf=0.0).max())


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How brightness changes across and down, (height, width, 2)."""
    down, across = np.gradient(picture.mean(axis=2, dtype=np.float32))
    return np.stack([across, down], axis=2)


def _blends(frames: Small, lag: int, sure: Flags, options: GateOptions) -> Flags:
    """Frames midway between what is `lag` before and after: another scene, and no sure cut between."""
    found = np.zeros(len(frames), dtype=bool)
    count = len(frames) - 2 * lag
    if count <= 0:
        return found
    before, now, after = frames[:count], frames[lag : lag + count], frames[2 * lag :]
    middle = ((before.astype(np.uint16) + after) // 2).astype(np.int16)
    change = np.abs(after.astype(np.int16) - before).mean(axis=(1, 2, 3))
    apart = np.abs(now - middle).mean(axis=(1, 2, 3))
    cuts = np.cumsum(sure)
    whole = cuts[2 * lag :] == cuts[:count]
    for at in np.flatnonzero((change > options.blend_change) & (apart < options.blend_distance * change) & whole):
        found[lag + at] = likeness(before[at], after[at]) < options.same_scene
    return found
