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
    options: dict[str, float] = field(default_factory=dict)  # `rounds` is the best one
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
    validation: Sequence[RankingGroup] = (),
    options: LinearOptions | None = None,
) -> LinearRanker:
    """Train on episodes; with `validation` episodes, keep the round whose loss on them is smallest.

    The order of `groups` does not matter. Raises ModelError if there is nothing to learn from.
    """
    options = options or LinearOptions()
    learned = _prepared(lessons(groups))
    held_out = _prepared(lessons(validation, what="validation")) if validation else ()
    path = _path(learned, options)
    best = _best_round(path, held_out, options) if held_out else len(path)
    ranker = LinearRanker(tuple(path[best - 1].tolist()), asdict(options) | {"rounds": best})
    refuse_indifference(lambda matrix: matrix @ path[best - 1], learned)
    return ranker


def _prepared(groups: Sequence[RankingGroup]) -> tuple[RankingGroup, ...]:
    return tuple(thinned(standardised(group)) for group in groups)


def _path(groups: Sequence[RankingGroup], options: LinearOptions) -> list[Floats]:
    """The weights after every round."""
    rows = np.concatenate([group.matrix for group in groups])
    prior = weights = Prior().weights
    path = []
    for _ in range(options.rounds):
        pairs = lambda_pairs(groups, rows @ weights, options.truncation)
        weights = _fitted(pairs, rows, prior, options.l2, start=weights)
        path.append(weights)
    return path


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


def _best_round(path: Sequence[Floats], held_out: Sequence[RankingGroup], options: LinearOptions) -> int:
    """1 for the first. The pairs are weighted by the prior's order throughout, so that the losses can be compared."""
    rows = np.concatenate([group.matrix for group in held_out])
    pairs = lambda_pairs(held_out, rows @ Prior().weights, options.truncation)
    return int(np.argmin([pairs.loss(rows @ weights) for weights in path])) + 1
