"""LambdaRank's pairs: which clip should stand before which, and what it would be worth to exchange the two.

Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82. With the weights held fixed, the logistic loss of
the pairs bounds NDCG (Wang et al., "The LambdaLoss Framework for Ranking Metric Optimization", CIKM 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ranking.context import Ints
from ranking.groups import RankingGroup
from ranking.spans import Floats


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of clips of which the one is better than the other, and the weight of each pair, all (pairs,)."""

    better: Ints
    worse: Ints
    weight: Floats

    def loss(self, scores: Floats) -> float:
        """Weighted logistic loss of the differences of `scores` (clips,)."""
        return float(self.weight @ np.logaddexp(0.0, -self._margin(scores)))

    def slope(self, scores: Floats) -> Floats:
        """Derivative of the loss by each score, (clips,)."""
        pull = self.weight / (1.0 + np.exp(self._margin(scores)))
        count = len(scores)
        lost = np.bincount(self.worse, pull, minlength=count) - np.bincount(self.better, pull, minlength=count)
        return np.asarray(lost, dtype=np.float64)

    def _margin(self, scores: Floats) -> Floats:
        return np.asarray(scores[self.better] - scores[self.worse])


def gains(grades: Ints) -> Floats:
    """What a clip of each grade is worth: 2^grade - 1."""
    return np.exp2(grades.astype(np.float64)) - 1


def lambda_pairs(groups: Sequence[RankingGroup], scores: Floats, truncation: int) -> Pairs:
    """The pairs of all episodes, their clips stacked as in `scores` (clips,).

    A pair counts if one of the two stands among the first `truncation` of its episode, by how much NDCG would change
    if they changed places, times the weight of the episode.
    """
    starts = np.cumsum([0, *(len(group.grades) for group in groups)])
    found = [
        _of_episode(group, scores[start : start + len(group.grades)], start, truncation)
        for group, start in zip(groups, starts, strict=False)
    ]
    return Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _of_episode(group: RankingGroup, scores: Floats, first: int, truncation: int) -> tuple[Ints, Ints, Floats]:
    order = np.argsort(-scores, kind="stable")
    gain = gains(group.grades)[order]
    places = np.arange(len(order))
    discount = np.where(places < truncation, 1 / np.log2(places + 2), 0.0)
    above, below = np.triu_indices(min(truncation, len(order)), 1, len(order))
    change = (gain[above] - gain[below]) * (discount[above] - discount[below])
    counts = change != 0
    above, below, change = order[above[counts]] + first, order[below[counts]] + first, change[counts]
    right, best = change > 0, np.sort(gain)[::-1] @ discount
    return np.where(right, above, below), np.where(right, below, above), np.abs(change) * group.weight / best
