"""What a group of features is worth: hide it, train again, and see what is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ranking.features import FEATURES
from ranking.groups import RankingGroup

FEATURE_GROUPS: tuple[str, ...] = tuple(dict.fromkeys(feature.group for feature in FEATURES))


def blinded(groups: Sequence[RankingGroup], feature_group: str) -> tuple[RankingGroup, ...]:
    """The episodes with the features of one group set to 0, so that no ranker, nor the prior, can use them."""
    if feature_group not in FEATURE_GROUPS:
        raise ValueError(f"no group of features is called {feature_group!r}; known: {', '.join(FEATURE_GROUPS)}")
    seen = np.array([feature.group != feature_group for feature in FEATURES])
    return tuple(replace(group, matrix=np.where(seen, group.matrix, 0.0)) for group in groups)
