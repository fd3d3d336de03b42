"""Intervals by bootstrap over shows: episodes of one show resemble each other, so they are drawn together.

Field and Welsh, "Bootstrapping clustered data", JRSS B 69(3), 2007: whole clusters are drawn with replacement, and the
pooled mean of what was drawn is one replicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval; `clusters` is how many shows it stands on, 1 if it was drawn over episodes."""

    mean: float
    low: float
    high: float
    level: float
    clusters: int
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"

    @property
    def signed(self) -> str:
        """The same for people, as a difference."""
        return f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def bootstrap(
    values: Floats, clusters: Sequence[str], *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 7
) -> Interval:
    """Mean of `values` (episodes,) with its percentile interval; `clusters` names the show of each.

    With one show only, episodes are drawn instead: such an interval says nothing of other shows.
    Raises ValueError without values.
    """
    if not len(values) or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values of {len(clusters)} episodes have no mean")
    names, member = np.unique(np.array(clusters), return_inverse=True)
    if len(names) == 1:
        member = np.arange(len(values))
    sums, counts = np.bincount(member, weights=values), np.bincount(member)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(np.mean(values)), float(low), float(high), level, len(names), len(values))


def paired(ours: Floats, theirs: Floats, clusters: Sequence[str], *, level: float = 0.95, seed: int = 7) -> Interval:
    """How much better `ours` is than `theirs` on the same episodes, with its interval."""
    return bootstrap(np.asarray(ours - theirs), clusters, level=level, seed=seed)
