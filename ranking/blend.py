"""A learned ranker and the prior, mixed as much as cross-validation allows: few golden clips must not make it worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ranking.context import Ints
from ranking.digest import identity
from ranking.ranker import Ranker, Scores
from ranking.spans import Floats

GRID: tuple[float, ...] = tuple(round(step / 10, 1) for step in range(11))
_SURE = 0.975  # how sure it must be, one-sided, that a weight above 0 is better than the prior


@dataclass(frozen=True)
class BlendedRanker:
    """weight · z(learned) + (1 - weight) · z(prior), z the scores of one episode with mean 0 and deviation 1."""

    learned: Ranker
    prior: Ranker
    weight: float
    name: str = "blend"

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError(f"the weight of the learned ranker must be between 0 and 1, got {self.weight}")

    @property
    def identity(self) -> str:
        return identity(self.name, [self.learned.identity, self.prior.identity, self.weight])

    def score(self, matrix: Floats) -> Scores:
        """Mixed scores; the contributions of both rankers, scaled and added, add up to them."""
        learned, prior = _scaled(self.learned.score(matrix)), _scaled(self.prior.score(matrix))
        rest = 1 - self.weight
        return Scores(
            self.weight * learned.contributions + rest * prior.contributions,
            self.weight * learned.base + rest * prior.base,
        )


@dataclass(frozen=True, slots=True)
class BlendWeight:
    """The weight of the learned ranker and what it stands on."""

    weight: float
    gain: float  # metric of the best weight above that of the prior, mean over episodes
    error: float  # standard error of the gain
    curve: tuple[tuple[float, float], ...]  # weight, mean metric


def choose_weight(
    learned: Sequence[Floats],
    prior: Sequence[Floats],
    grades: Sequence[Ints],
    metric: Callable[[Floats, Ints], float],
    *,
    shows: Sequence[str] = (),
) -> BlendWeight:
    """The weight whose metric is best, if that beats the prior beyond chance; else 0, and so do ties.

    Scores and grades by episode; `learned` must be out of fold. Episodes of one of `shows` count as one observation of
    the gain, so that forty episodes of two shows prove little. Chance: Student's t at 2.5 %, one-sided.
    Episodes without clips of different grades are passed over.
    """
    taught = [number for number, known in enumerate(grades) if len(np.unique(known)) > 1]
    if not taught:
        return BlendWeight(0.0, 0.0, 0.0, ())
    table = np.array([_metrics(learned[n], prior[n], grades[n], metric) for n in taught])  # (episodes, grid)
    means = table.mean(axis=0)
    best = int(np.argmax(np.round(means, 9)))
    gain = table[:, best] - table[:, 0]
    error, clusters = _error(gain, [shows[n] for n in taught] if shows else [])
    sure = clusters > 1 and gain.mean() > error * stdtrit(clusters - 1, _SURE)
    curve = tuple(zip(GRID, means.tolist(), strict=True))
    return BlendWeight(GRID[best] if sure else 0.0, float(gain.mean()), error, curve)


def _metrics(learned: Floats, prior: Floats, grades: Ints, metric: Callable[[Floats, Ints], float]) -> list[float]:
    ours, theirs = _standard(learned), _standard(prior)
    return [metric(weight * ours + (1 - weight) * theirs, grades) for weight in GRID]


def _error(gain: Floats, shows: Sequence[str]) -> tuple[float, int]:
    """Standard error of the mean, and of how many independent observations: shows, or episodes if there is one show."""
    names, member = np.unique(np.array(shows), return_inverse=True)
    if len(names) < 2:
        member = np.arange(len(gain))
    sums = np.bincount(member, weights=gain - gain.mean())
    count = len(sums)
    return float(np.sqrt((sums**2).sum() * count / max(1, count - 1)) / len(gain)), count


def _standard(scores: Floats) -> Floats:
    middle, spread = _scale(scores)
    return np.asarray((scores - middle) / spread)


def _scaled(scores: Scores) -> Scores:
    middle, spread = _scale(scores.values)
    return Scores(scores.contributions / spread, (scores.base - middle) / spread)


def _scale(values: Floats) -> tuple[float, float]:
    """Mean and deviation; infinite deviation if all are alike, which makes everything 0."""
    if not len(values):
        return 0.0, 1.0
    middle, spread = float(values.mean()), float(values.std())
    alike = spread <= 1e-12 * max(1.0, float(np.abs(values).max()))
    return middle, np.inf if alike else spread
