"""The kinds of rankers that can be trained, behind one interface: which is best is measured, not assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from ranking.groups import RankingGroup
from ranking.lambdarank import LambdaRankOptions
from ranking.lambdarank import train as train_trees
from ranking.linear import LinearOptions
from ranking.linear import train as train_linear
from ranking.neural import NeuralOptions
from ranking.ranker import Ranker

if TYPE_CHECKING:
    from optuna import Trial


class Learned(Ranker, Protocol):
    """A ranker that was trained."""

    @property
    def options(self) -> dict[str, float]:
        """What it was trained with; `rounds` is the best one if it stopped early."""
        ...


class Train(Protocol):
    """Training: a ranker from episodes, stopped early by `validation` episodes of other shows if there are any."""

    def __call__(
        self, groups: Sequence[RankingGroup], *, validation: Sequence[RankingGroup] = (), options: Any = None
    ) -> Learned: ...


@dataclass(frozen=True)
class Kind:
    """One way to learn a ranker."""

    name: str
    train: Train
    suggest: Callable[[Trial, Any], Any]  # other options to try, beginning from given ones
    options_type: type[Any]
    stops: bool = True  # early, if validation episodes say so
    trials: int = 20  # of a search; fewer options need fewer


def _train_network(
    groups: Sequence[RankingGroup], *, validation: Sequence[RankingGroup] = (), options: NeuralOptions | None = None
) -> Learned:
    from ranking.neural_training import train  # brings torch

    return train(groups, validation=validation, options=options)


def _suggest_trees(trial: Trial, options: LambdaRankOptions) -> LambdaRankOptions:
    return replace(
        options,
        learning_rate=trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        leaves=trial.suggest_int("leaves", 3, 6),
        min_leaf=trial.suggest_int("min_leaf", 5, 100, log=True),
        l2=trial.suggest_float("l2", 0.1, 100.0, log=True),
        truncation=trial.suggest_int("truncation", 5, 40),
    )


def _suggest_weights(trial: Trial, options: LinearOptions) -> LinearOptions:
    return replace(
        options,
        l2=trial.suggest_float("l2", 0.3, 300.0, log=True),
        truncation=trial.suggest_int("truncation", 5, 40),
    )


def _suggest_network(trial: Trial, options: NeuralOptions) -> NeuralOptions:
    return replace(
        options,
        learning_rate=trial.suggest_float("learning_rate", 0.001, 0.02, log=True),
        width=trial.suggest_int("width", 8, 64, log=True),
        decay=trial.suggest_float("decay", 0.01, 3.0, log=True),
    )


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("lambdarank", train_trees, _suggest_trees, LambdaRankOptions),
        Kind("linear", train_linear, _suggest_weights, LinearOptions, stops=False, trials=8),
        Kind("neural", _train_network, _suggest_network, NeuralOptions, trials=12),
    )
}
