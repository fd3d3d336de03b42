"""What rankers learn from: the clips of one episode, and how good each of them is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.context import Ints
from ranking.features import FEATURE_NAMES
from ranking.spans import Floats


@dataclass(frozen=True, eq=False)
class RankingGroup:
    """The clips of one episode: features (clips, features) and integer grades 0 to 4 (clips,)."""

    asset_id: str
    matrix: Floats
    grades: Ints
    show: str = ""  # groups of one show are never parted by a split
    weight: float = 1.0  # how much its editors are trusted

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.grades), len(FEATURE_NAMES)):
            raise ValueError(
                f"{self.asset_id}: {self.matrix.shape} features for {len(self.grades)} grades of {len(FEATURE_NAMES)}"
            )
        if not np.issubdtype(self.grades.dtype, np.integer):
            raise ValueError(f"{self.asset_id}: grades must be integers, got {self.grades.dtype}")
        if not np.isfinite(self.weight) or self.weight <= 0:
            raise ValueError(f"{self.asset_id}: the weight must be a positive number, got {self.weight}")

    @property
    def teaches(self) -> bool:
        """Whether any clip is better than another."""
        return len(np.unique(self.grades)) > 1
