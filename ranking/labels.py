"""Labels: how well each candidate agrees with the clips that editors marked, as grades 0 to 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from featurization.media import Segment
from ranking.context import Ints, ratio
from ranking.spans import Floats


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """How near a clip must come to an editor's to be as good."""

    grade_ious: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7)  # the grade is how many of these the IoU reaches

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.grade_ious, self.grade_ious[1:], strict=False))
        if not (1 <= len(self.grade_ious) <= 4 and rising and self.grade_ious[0] > 0 and self.grade_ious[-1] <= 1):
            raise ValueError(f"grade_ious must be one to four rising numbers above 0, up to 1, got {self.grade_ious}")


def ious(candidates: Sequence[Segment], golden: Sequence[Segment]) -> Floats:
    """Intersection over union of each candidate with each golden clip, (candidates, golden)."""
    start, end = _edges(candidates)
    gold_start, gold_end = _edges(golden)
    shared = np.maximum(0.0, np.minimum.outer(end, gold_end) - np.maximum.outer(start, gold_start))
    joint = np.add.outer(end - start, gold_end - gold_start) - shared
    return ratio(shared, joint)


def best_ious(candidates: Sequence[Segment], golden: Sequence[Segment]) -> Floats:
    """Intersection over union of each candidate with the golden clip it fits best, (candidates,)."""
    return np.asarray(ious(candidates, golden).max(axis=1, initial=0.0), dtype=np.float64)


def grades(
    candidates: Sequence[Segment],
    golden: Sequence[Segment],
    *,
    worth: Sequence[int] | None = None,
    options: LabelOptions | None = None,
) -> Ints:
    """Grade of each candidate: by default 0 below .1 IoU, then 1, 2, 3, and 4 from .7 IoU on.

    `worth` is the highest grade that each golden clip can give, 4 unless stated. Where editors only refused clips
    (worth 0), those that share half with a refused one stay 0 and the others get 1: anything is better.
    """
    thresholds = np.array((options or LabelOptions()).grade_ious)
    overlap = ious(candidates, golden)
    most = np.full(len(golden), len(thresholds)) if worth is None else np.array(worth, dtype=np.int64)
    if len(golden) and not most.any():
        return np.asarray(overlap.max(axis=1) < 0.5, dtype=np.int64)
    reached = np.minimum(np.searchsorted(thresholds, overlap, side="right"), most)
    return np.asarray(reached.max(axis=1, initial=0), dtype=np.int64)


def _edges(segments: Sequence[Segment]) -> tuple[Floats, Floats]:
    edges = np.array([(s.start, s.end) for s in segments], dtype=np.float64).reshape(-1, 2)
    return edges[:, 0], edges[:, 1]
