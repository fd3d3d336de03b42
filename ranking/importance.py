"""What a ranker goes by: how much each feature moves its scores, and in which direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ranking.context import ratio
from ranking.features import FEATURES
from ranking.groups import RankingGroup
from ranking.ranker import Ranker
from ranking.spans import Floats


@dataclass(frozen=True, slots=True)
class FeatureEffect:
    """How one feature moves the scores."""

    feature: str
    group: str
    strength: float  # mean size of its contribution to a score
    share: float  # of the strength of all features, 0 to 1
    direction: float  # rank correlation of value and contribution within episodes: 1 the more the better, -1 the less


def summarise(ranker: Ranker, groups: Sequence[RankingGroup]) -> tuple[FeatureEffect, ...]:
    """The effect of every feature on the scores of these episodes, the strongest first."""
    sizes, total, directions = np.zeros(len(FEATURES)), 0, []
    for group in groups:
        parts = ranker.score(group.matrix).contributions
        sizes += np.abs(parts).sum(axis=0)
        total += len(parts)
        directions.append(_rank_correlation(group.matrix, parts))
    strength = sizes / max(1, total)
    share, direction = ratio(strength, strength.sum()), _mean_known(directions)
    effects = [
        FeatureEffect(feature.name, feature.group, *map(float, numbers))
        for feature, *numbers in zip(FEATURES, strength, share, direction, strict=True)
    ]
    return tuple(sorted(effects, key=lambda effect: (-effect.strength, effect.feature)))


def by_group(effects: Iterable[FeatureEffect]) -> dict[str, float]:
    """Share of the strength that each group of features has, the largest first."""
    shares: dict[str, float] = defaultdict(float)
    for effect in effects:
        shares[effect.group] += effect.share
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def _rank_correlation(values: Floats, parts: Floats) -> Floats:
    """Spearman's, column by column; NaN where a column does not vary."""
    one, other = _centred_ranks(values), _centred_ranks(parts)
    scale = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.where(scale > 0, ratio((one * other).sum(axis=0), scale), np.nan)


def _centred_ranks(columns: Floats) -> Floats:
    from scipy.stats import rankdata  # seconds to import

    ranks = np.asarray(rankdata(columns, axis=0), dtype=np.float64)
    return np.asarray(ranks - (len(columns) + 1) / 2)


def _mean_known(directions: Sequence[Floats]) -> Floats:
    """Mean over the episodes in which it is known, 0 if it is in none."""
    stacked = np.array(directions).reshape(-1, len(FEATURES))
    known = ~np.isnan(stacked)
    return ratio(np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0))
