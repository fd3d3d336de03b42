"""What a ranker owes to what: each group of features left out, the gates off, and fewer golden episodes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.bootstrap import Interval
from featurization.errors import ModelError
from ranking.ablation import FEATURE_GROUPS, blinded
from ranking.folds import show_folds
from ranking.graded import GradedEpisode, teaching
from ranking.groups import RankingGroup
from ranking.kinds import KINDS
from ranking.prior import Prior
from ranking.spans import Floats
from ranking.tune import TuneOptions, tune
from steps.dataset import Dataset, read_dataset
from steps.judging import Judgement, difference, interval, judge, pooled, spread
from steps.settings import Settings
from steps.splitting import Split
from steps.store import Store
from steps.training import Fitted, lessons, ndcg_5, reached

log = logging.getLogger(__name__)
EVERYTHING, GATES_OFF = "everything", "gates off"


@dataclass(frozen=True)
class Ablation:
    """What the fitted kind reaches out of fold when something is left out; never beside the prior."""

    name: str  # "everything", "without words", …, "gates off"
    ndcg_5: Interval
    iou: Interval
    loss: Interval | None  # of nDCG@5, against everything; None for everything itself
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a ranker reaches out of fold that was taught by so many episodes; the prior needs none."""

    episodes: int
    ndcg_5: Interval


def ablate(fitted: Fitted, dataset: Dataset, parted: Split, *, settings: Settings, store: Store) -> list[Ablation]:
    """Train again without each group of features, and without the gates; the first row leaves out nothing."""
    episodes = parted.training(read_dataset(dataset, store=store))
    whole = _out_of_fold(fitted, episodes, settings)
    found = [_row(EVERYTHING, whole)]
    for group in FEATURE_GROUPS:
        found.append(_row(f"without {group}", _out_of_fold(fitted, episodes, settings, without=group), whole))
        log.info("%s: nDCG@5 %s", found[-1].name, found[-1].ndcg_5)
    return [*found, _row(GATES_OFF, _out_of_fold(fitted, episodes, settings, gated=False), whole)]


def _out_of_fold(
    fitted: Fitted, episodes: Sequence[GradedEpisode], settings: Settings, *, without: str = "", gated: bool = True
) -> list[Judgement]:
    """Every episode judged by a ranker that was taught by other shows."""
    groups: Sequence[RankingGroup] = teaching(episodes, gated=gated)
    groups = blinded(groups, without) if without else groups
    once = replace(settings.tune, trials=1)
    scores = tune(KINDS[fitted.kind], groups, metric=ndcg_5, options=once, start=fitted.options).out_of_fold
    return [
        judge(episode, spread(scores[episode.asset_id], episode, gated=gated), gated=gated)
        for episode in episodes
        if episode.asset_id in scores
    ]


def _row(name: str, judged: Sequence[Judgement], whole: Sequence[Judgement] | None = None) -> Ablation:
    known = {judgement.asset_id: judgement for judgement in whole or ()}
    both = [judgement for judgement in judged if judgement.asset_id in known]
    theirs = [known[judgement.asset_id] for judgement in both]
    return Ablation(
        name,
        interval(judged, "ndcg_5"),
        interval(judged, "iou"),
        difference(theirs, both, "ndcg_5") if both else None,
        pooled(judged).figures(),
    )


def learning_curve(
    fitted: Fitted, dataset: Dataset, parted: Split, *, settings: Settings, store: Store
) -> list[CurvePoint]:
    """What the fitted kind reaches with fewer golden episodes, from the prior's 0 up to all there are."""
    groups = lessons(dataset, parted, store=store)
    fold = show_folds([group.show for group in groups], settings.tune.folds, settings.tune.seed)
    most = min(int((fold != number).sum()) for number in np.unique(fold))
    prior = Prior(settings.prior)
    points = [CurvePoint(0, reached([prior.score(group.matrix).values for group in groups], groups))]
    for count in sorted({*(n for n in settings.train.curve if n < most), most}):
        try:
            points.append(CurvePoint(count, _taught_by(count, groups, fold, fitted, settings.tune)))
        except ModelError as error:
            log.info("learning curve: nothing is learned from %d episodes: %s", count, error)
    return points


def _taught_by(
    count: int, groups: Sequence[RankingGroup], fold: np.ndarray, fitted: Fitted, options: TuneOptions
) -> Interval:
    """nDCG@5 of each fold under a ranker that so many episodes of other folds taught."""
    scores: list[Floats] = []
    judged: list[RankingGroup] = []
    rng = np.random.default_rng(options.seed)
    for number in np.unique(fold):
        others = rng.permutation(np.flatnonzero(fold != number))[:count]
        ranker = KINDS[fitted.kind].train([groups[int(index)] for index in others], options=fitted.options)
        scored = [group for group, own in zip(groups, fold, strict=True) if own == number]
        scores += [ranker.score(group.matrix).values for group in scored]
        judged += scored
    return reached(scores, judged)
