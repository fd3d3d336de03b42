"""What every ranker does: give each clip of one episode a score, and say what the score is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ranking.spans import Floats


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of the clips of one episode: `base` plus the sum of each row of contributions (clips, features)."""

    contributions: Floats
    base: float = 0.0

    @property
    def values(self) -> Floats:
        """One score per clip, higher is better."""
        return np.asarray(self.base + self.contributions.sum(axis=1), dtype=np.float64)


class Ranker(Protocol):
    """Orders the clips of one episode; scores of different episodes are not comparable."""

    @property
    def name(self) -> str:
        """What kind it is: "prior", one of KINDS, or "blend"."""
        ...

    @property
    def identity(self) -> str:
        """The name with a digest of everything that decides its scores: name@12 hex digits."""
        ...

    def score(self, matrix: Floats) -> Scores:
        """Scores for one episode's feature matrix (clips, features), columns in the order of FEATURES."""
        ...
