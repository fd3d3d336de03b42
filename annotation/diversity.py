"""Whether judgements cover a corpus: Netflix Video Annotator's data score over clusters of vectors.

Ziai et al., "Video Annotator", 2024: with 10 clusters, each counts as covered by 10 judgements of a kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLUSTERS = 10
ENOUGH = 10  # judgements of one kind that cover a cluster
_MOST = 10_000  # rows that clusters are found on
_STEP = 20_000  # rows assigned at once
_ROUNDS = 15
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Diversity:
    """How far judgements cover the clusters, and how many clusters they touch."""

    score: float  # 0..1
    positives: int  # clusters with a positive
    negatives: int
    clusters: int


def clusters_of(features: NDArray[np.float32], k: int = CLUSTERS, seed: int = 7) -> Ints:
    """Which of at most `k` clusters each row (n, d) is of, (n,), by k-means on at most 10,000 of them."""
    count = min(k, len(features))
    if count < 2:
        return np.zeros(len(features), dtype=np.int64)
    draw = np.random.default_rng(seed).permutation(len(features))[:_MOST]
    some = np.asarray(features[np.sort(draw)], dtype=np.float32)
    centres = _spread(some, count, seed)
    for _ in range(_ROUNDS):
        member = _nearest(some, centres)
        centres = np.stack([some[member == own].mean(axis=0) for own in np.unique(member)])
    return _nearest(features, centres)


def diversity(assignment: Ints, holds_by_row: Mapping[int, bool]) -> Diversity:
    """The data score of judgements (row → whether it shows it) over clusters (n,)."""
    clusters = int(assignment.max()) + 1 if len(assignment) else 0
    counts = np.zeros((2, max(clusters, 1)))
    for row, holds in holds_by_row.items():
        counts[int(holds), assignment[row]] += 1
    score = float(np.minimum(counts, ENOUGH).sum() / (ENOUGH * counts.size))
    touched = (counts > 0).sum(axis=1)
    return Diversity(score, int(touched[1]), int(touched[0]), clusters)


def _nearest(rows: NDArray[np.float32], centres: NDArray[np.float32]) -> Ints:
    """The nearest of `centres` (k, d) to each row, (n,)."""
    half = (centres**2).sum(axis=1) / 2
    parts = (rows[at : at + _STEP] @ centres.T - half for at in range(0, len(rows), _STEP))
    return np.concatenate([part.argmax(axis=1) for part in parts]).astype(np.int64)


def _spread(rows: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float32]:
    """Rows to start from, (k, d), far from each other (k-means++; Arthur and Vassilvitskii, 2007)."""
    draw = np.random.default_rng(seed)
    chosen = [int(draw.integers(len(rows)))]
    nearest = np.full(len(rows), np.inf)
    for _ in range(k - 1):
        nearest = np.minimum(nearest, ((rows - rows[chosen[-1]]) ** 2).sum(axis=1))
        if not nearest.sum():
            break
        chosen.append(int(draw.choice(len(rows), p=nearest / nearest.sum())))
    return rows[chosen]
