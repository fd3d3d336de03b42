"""How well an order of clips agrees with what editors chose.

Tied scores count as every order of the tied clips at once (McSherry and Najork, "Computing Information Retrieval
Performance Measures Efficiently in the Presence of Tied Scores", ECIR 2008), so that a ranker that says nothing is
worth no more than chance, however its rows are sorted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_DIGITS = 9  # scores nearer than this are equal on every machine


def ndcg(scores: Floats, grades: Ints, k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`, gain 2^grade - 1 (Burges et al. 2005).

    Raises ValueError if no clip has a grade above 0: such an episode has no best order.
    """
    gain: Floats = np.exp2(grades.astype(np.float64)) - 1
    if not gain.any():
        raise ValueError("an episode without a graded clip cannot be judged")
    discount = 1 / np.log2(np.arange(2, min(k, len(gain)) + 2))
    best = float((np.sort(gain)[::-1][: len(discount)] * discount).sum())
    return float((_expected(gain, scores)[: len(discount)] * discount).sum()) / best


def reciprocal_rank(scores: Floats, good: NDArray[np.bool_]) -> float:
    """1 / rank of the first good clip, 0 without one; of tied ones the rank to expect of the first good."""
    if not good.any():
        return 0.0
    rounded = np.round(scores, _DIGITS)
    best = rounded[good].max()
    above, tied = int((rounded > best).sum()), rounded == best
    return float(1 / (above + (tied.sum() + 1) / (good[tied].sum() + 1)))


def order(scores: Floats, start: Floats) -> Ints:
    """Indices of clips, best first; equal scores by start, as clips are picked for publication."""
    return np.lexsort((start, -np.round(scores, _DIGITS)))


def _expected(gain: Floats, scores: Floats) -> Floats:
    """Gains in the order of the scores, each tied run replaced by its mean."""
    rounded = np.round(scores, _DIGITS)
    by_score = np.argsort(-rounded, kind="stable")
    _, run, size = np.unique(-rounded[by_score], return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(run, weights=gain[by_score]) / size)[run])
