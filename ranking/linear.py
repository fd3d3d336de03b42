"""Linear LambdaRank: one weight per feature, learned from the order of clips, starting at the documented prior.

The same pairs as the trees learn from (`ranking.pairs`), a score that anybody can check by hand, and a pull towards the
prior's weights: what few episodes do not contradict stays as documented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ranking.digest import identity
from ranking.groups import RankingGroup, lessons, refuse_indifference, standardised, thinned
from ranking.pairs import Pairs, lambda_pairs
from ranking.prior import Prior, standardise
from ranking.ranker import Scores
from ranking.spans import Floats

_STEPS = 60  # of L-BFGS between two weightings of the pairs; it has converged by then


@dataclass(frozen=True, slots=True)
class LinearOptions:
    """How far the weights may leave the prior's."""

    rounds: int = 4  # times the pairs are weighted anew by the order reached
    l2: float = 10.0  # pull towards the prior, as many episodes' worth as it is large
    truncation: int = 20  # pairs count if one of the two is among the first so many

    def __post_init__(self) -> None:
        if min(self.rounds, self.truncation) < 1:
            raise ValueError("rounds and truncation must be at least 1")
        if self.l2 <= 0:
            raise ValueError(f"l2 must be above 0, got {self.l2}")


@dataclass(frozen=True)
class LinearRanker:
    """A trained Ranker: a weight for every feature, in the order of FEATURES."""

    weights: tuple[float, ...]
    options: dict[str, float] = field(default_factory=dict)
    name: str = "linear"

    @property
    def identity(self) -> str:
        return identity(self.name, self.weights)

    def score(self, matrix: Floats) -> Scores:
        """Standardised features times weights: the contributions are exact."""
        return Scores(standardise(matrix) * np.array(self.weights))


def train(
    groups: Sequence[RankingGroup],
    *,
    validation: Sequence[RankingGroup] = (),  # noqa: ARG001
    options: LinearOptions | None = None,
) -> LinearRanker:
    """Train on episodes, whose order does not matter; the fit is convex, so `validation` has nothing to stop.

    Raises ModelError if there is nothing to learn from.
    """
    options = options or LinearOptions()
    learned = [thinned(standardised(group)) for group in lessons(groups)]
    weights = _weights(learned, options)
    refuse_indifference(lambda matrix: matrix @ weights, learned)
    return LinearRanker(tuple(weights.tolist()), asdict(options))


def _weights(groups: Sequence[RankingGroup], options: LinearOptions) -> Floats:
    rows = np.concatenate([group.matrix for group in groups])
    prior = weights = Prior().weights
    for _ in range(options.rounds):
        pairs = lambda_pairs(groups, rows @ weights, options.truncation)
        weights = _fitted(pairs, rows, prior, options.l2, start=weights)
    return weights


def _fitted(pairs: Pairs, rows: Floats, prior: Floats, l2: float, *, start: Floats) -> Floats:
    """The weights with the smallest loss of the pairs plus pull towards the prior: a convex problem."""
    from scipy.optimize import minimize  # half a second that only training needs

    def loss(weights: Floats) -> tuple[float, Floats]:
        away, scores = weights - prior, rows @ weights
        return (
            pairs.loss(scores) + l2 / 2 * float(away @ away),
            np.asarray(rows.T @ pairs.slope(scores) + l2 * away, dtype=np.float64),
        )

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x, dtype=np.float64)
