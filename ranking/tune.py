"""Hyper-parameters by Optuna's tree-structured Parzen estimator inside cross-validation by show.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011. The given options are always the first
trial, so what is found is never worse on the folds than not searching.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featurization.errors import ModelError
from ranking.context import Ints
from ranking.folds import show_folds
from ranking.groups import RankingGroup, lessons
from ranking.kinds import Kind
from ranking.spans import Floats

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)
Metric = Callable[[Floats, Ints], float]
_STOPPING_PARTS = 5  # one of so many parts of the training episodes says when to stop
_LEAST_STOPPING = 10  # episodes: fewer stop by accident, after a handful of rounds, and are worth more as training


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """How long to search, and on how many folds each trial is judged."""

    trials: int = 20  # at most; a kind with fewer options takes fewer
    folds: int = 4
    seed: int = 7

    def __post_init__(self) -> None:
        if self.trials < 1 or self.folds < 2:
            raise ValueError("there must be at least 1 trial and 2 folds")


@dataclass(frozen=True, eq=False)
class Fold:
    """Episodes to train on, to stop by, and to judge, no show in two of them."""

    trained: tuple[RankingGroup, ...]
    stopping: tuple[RankingGroup, ...]
    scored: tuple[RankingGroup, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried, and its mean metric over episodes out of fold."""

    options: dict[str, float]
    score: float
    folds: int  # fewer than there are if it was given up: half of them were enough to see that it is worse


@dataclass(frozen=True, eq=False)
class Tuned:
    """The best options of one kind, with the rounds to train for without early stopping."""

    kind: str
    options: Any  # of the kind's type; `rounds` is the median of the folds' best
    score: float
    out_of_fold: dict[str, Floats]  # scores by asset id, each from a ranker that saw no episode of its show
    judged: dict[str, float]  # their metric
    trials: tuple[Trial, ...]


def tune(
    kind: Kind,
    groups: Sequence[RankingGroup],
    *,
    metric: Metric,
    options: TuneOptions | None = None,
    start: Any = None,
) -> Tuned:
    """Search the options of one kind, beginning with `start`; `metric` judges scores by grades, higher is better.

    A trial that is worse than the first on half of the folds is given up. Raises ModelError if there are fewer than
    two episodes to learn from, or if nothing can be learned.
    """
    import optuna  # only the search needs it, and settings import this module

    options = options or TuneOptions()
    folds = _folds(lessons(groups), options, stops=kind.stops)
    count = min(options.trials, kind.trials)
    first = _judge(kind, start or kind.options_type(), folds, metric)
    tried = [first]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=options.seed))

    def attempt(trial: optuna.Trial) -> float:
        try:
            tried.append(_judge(kind, kind.suggest(trial, first.options), folds, metric, first=first))
        except ModelError as error:
            raise optuna.TrialPruned(str(error)) from error
        log.info("%s: tried %d of %d options, the best reaches %.3f", kind.name, len(tried), count, _best(tried).score)
        return tried[-1].score

    study.optimize(attempt, n_trials=count - 1)
    best = _best(tried)
    return replace(best, trials=tuple(trial for found in tried for trial in found.trials))


def _best(tried: Sequence[Tuned]) -> Tuned:
    """The best of those that were judged on all folds, as the first was."""
    whole = tried[0].trials[0].folds
    return max((found for found in tried if found.trials[0].folds == whole), key=lambda found: found.score)


def _folds(learned: Sequence[RankingGroup], options: TuneOptions, *, stops: bool) -> tuple[Fold, ...]:
    if len(learned) < 2:
        raise ModelError("one episode with golden clips is too few to learn from and to judge by; mark a second")
    fold = show_folds([group.show for group in learned], options.folds, options.seed)
    found = []
    for number in range(int(fold.max()) + 1):
        others = [group for group, own in zip(learned, fold, strict=True) if own != number]
        trained, stopping = _parted(others, options.seed) if stops else (tuple(others), ())
        scored = tuple(group for group, own in zip(learned, fold, strict=True) if own == number)
        found.append(Fold(trained, stopping, scored))
    return tuple(found)


def _parted(groups: Sequence[RankingGroup], seed: int) -> tuple[tuple[RankingGroup, ...], tuple[RankingGroup, ...]]:
    """What to train on and what to stop by, one of five parts by show; nothing if that is too little."""
    part = show_folds([group.show for group in groups], _STOPPING_PARTS, seed)
    stopping = part == part.max()
    if stopping.sum() < _LEAST_STOPPING or stopping.all():
        return tuple(groups), ()
    return (
        tuple(group for group, stops in zip(groups, stopping, strict=True) if not stops),
        tuple(group for group, stops in zip(groups, stopping, strict=True) if stops),
    )


def _judge(kind: Kind, options: Any, folds: Sequence[Fold], metric: Metric, *, first: Tuned | None = None) -> Tuned:
    """What the options reach out of fold; given up after half of the folds if `first` was better on those."""
    scores: dict[str, Floats] = {}
    judged: dict[str, float] = {}
    rounds: list[float] = []
    for number, fold in enumerate(folds):
        if first and number == len(folds) // 2 and _mean(judged) < _mean({name: first.judged[name] for name in judged}):
            break
        ranker = kind.train(fold.trained, validation=fold.stopping, options=options)
        rounds.append(ranker.options["rounds"])
        for group in fold.scored:
            scores[group.asset_id] = ranker.score(group.matrix).values
            judged[group.asset_id] = metric(scores[group.asset_id], group.grades)
    trial = Trial(asdict(options), _mean(judged), len(rounds))
    best = replace(options, rounds=round(float(np.median(rounds))))
    return Tuned(kind.name, best, trial.score, scores, judged, (trial,))


def _mean(judged: Mapping[str, float]) -> float:
    return float(np.mean(list(judged.values())))
