"""The fast pass over all frames: which transitions are beyond doubt, and which frames the network must look at.

Everything is measured on 27×48 frames. Cuts are steps: frames far from the one before, whose edges lie elsewhere even
if the camera moved. Flashes and fast motion are steps too, but keep their edges or come in rows. Dissolves and fades
are mixes (`blends.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from featurization.shot_detection.blends import FARTHEST, BlendOptions, find_blends, measure_extent
from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.edges import likeness
from featurization.shot_detection.readings import Flags, Small, changes

MARGIN = FARTHEST  # frames of context that the pass needs on both sides
_AROUND = 5  # frames to either side that a step is compared with
_NEAR = 2  # a step is the largest among so many to either side
_DARK = 24  # rows and columns that never get brighter are bars, not picture
_SMALLEST = (12, 20)  # rows and columns of picture; less is a dark film, not bars


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Differences are means per pixel of the picture without bars, 0 to 255; likeness is a correlation of edges."""

    step: float = 8.0  # a smaller one is never a cut
    same_scene: float = 0.7  # more likeness than this and nothing was cut
    same_scene_at_once: float = 0.9  # the same for a step that stands alone: a jump cut keeps much
    alone: float = 3.5  # ratio to the next largest step around
    in_a_row: float = 1.5  # a smaller ratio is motion, unless the edges say otherwise
    likely_likeness: float = 0.65  # at most, for a step that stands alone
    sure_step: float = 15.0
    sure_ratio: float = 2.0
    sure_rest: float = 0.7  # share of the step by which the pictures before and after stay apart
    sure_likeness: float = 0.45  # at most
    sure_likeness_alone: float = 0.55
    blends: BlendOptions = field(default_factory=BlendOptions)


@dataclass(frozen=True, eq=False)
class Suspicion:
    """What the fast pass says of each frame of a stretch."""

    sure: Flags  # a new shot begins here
    likely: Flags  # one may well begin here
    doubtful: Flags  # look here
    gradual: tuple[Boundary, ...] = ()  # surely a transition


def suspect(frames: Small, options: GateOptions) -> Suspicion:
    """Sort the frames of a stretch; the first and last `MARGIN` of them are only judged in part."""
    picture = _without_bars(frames)
    sure, likely, doubtful = (np.zeros(len(frames), dtype=bool) for _ in range(3))
    for step in _steps(picture, options):
        sure[step.at] = step.is_sure(options)
        likely[step.at] = step.is_likely(options)
        doubtful[step.at] = step.is_doubtful(options) and not sure[step.at]
    gradual = []
    for blend in find_blends(picture, sure, options.blends):
        if blend.is_sure(options.blends):
            gradual.append(measure_extent(picture, sure, blend))
            continue
        doubtful[blend.first : blend.last + 1] = True
        likely[blend.first : blend.last + 1] |= blend.is_likely(options.blends)
    return Suspicion(sure, likely, doubtful, tuple(gradual))


@dataclass(frozen=True, slots=True)
class _Step:
    """A frame that is far from the one before, and what tells a cut from motion and light."""

    at: int
    size: float
    ratio: float  # to the next largest step around
    rest: float  # share of it by which the pictures before and after stay apart
    likeness: float

    def is_sure(self, options: GateOptions) -> bool:
        """Whether the pictures on both sides are so different that no network need be asked."""
        alone = self.ratio >= options.alone
        alike = self.likeness > (options.sure_likeness_alone if alone else options.sure_likeness)
        return (
            self.size >= options.sure_step and self.ratio >= options.sure_ratio and self._lasts(options) and not alike
        )

    def is_likely(self, options: GateOptions) -> bool:
        alone = self.ratio >= options.alone
        return self._lasts(options) and self.likeness <= (options.likely_likeness if alone else options.sure_likeness)

    def _lasts(self, options: GateOptions) -> bool:
        return self.rest >= options.sure_rest

    def is_doubtful(self, options: GateOptions) -> bool:
        if self.ratio < options.in_a_row:
            return self.likeness <= options.sure_likeness
        return self.likeness < (options.same_scene_at_once if self.ratio >= options.alone else options.same_scene)


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
