"""Labels: how well each candidate agrees with the clips that editors marked, as grades 0 to 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from featurization.media import Segment
from ranking.context import Ints, ratio
from ranking.spans import Floats

GRADE_IOUS = (0.1, 0.3, 0.5, 0.7)  # the grade is how many of these the IoU reaches


def best_ious(candidates: Sequence[Segment], golden: Sequence[Segment]) -> Floats:
    """Intersection over union of each candidate with the golden clip it fits best, (candidates,)."""
    if not candidates or not golden:
        return np.zeros(len(candidates))
    start, end = _edges(candidates)
    gold_start, gold_end = _edges(golden)
    shared = np.maximum(0.0, np.minimum.outer(end, gold_end) - np.maximum.outer(start, gold_start))
    joint = np.add.outer(end - start, gold_end - gold_start) - shared
    return np.asarray(ratio(shared, joint).max(axis=1))


def grades(candidates: Sequence[Segment], golden: Sequence[Segment]) -> Ints:
    """Grade of each candidate: 0 below 0.1 IoU, then 1, 2, 3, and 4 from 0.7 IoU on."""
    return np.searchsorted(np.array(GRADE_IOUS), best_ious(candidates, golden), side="right").astype(np.int64)


def _edges(segments: Sequence[Segment]) -> tuple[Floats, Floats]:
    return np.array([s.start for s in segments]), np.array([s.end for s in segments])
