"""Training a ranker: gather golden clips and grade, search in cross-validation over shows, fit the best kind."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.bootstrap import Interval, bootstrap
from eval.ranking_metrics import ndcg
from featurization.errors import ModelError
from ranking.blend import BlendedRanker, BlendWeight, choose_weight
from ranking.context import Ints
from ranking.graded import teaching
from ranking.groups import RankingGroup
from ranking.kinds import KINDS
from ranking.prior import Prior
from ranking.ranker import Ranker
from ranking.saved import to_json
from ranking.spans import Floats
from ranking.tune import Tuned, TuneOptions, tune
from steps.dataset import Dataset, keep_dataset, read_dataset
from steps.golden import GoldenSet, gather_golden
from steps.grading import graded_episodes
from steps.settings import Settings
from steps.splitting import Split, split
from steps.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """The best that a search found in one kind of ranker."""

    kind: str
    tuned: Tuned
    blend: BlendWeight
    ndcg_5: Interval  # of the kind alone, out of fold
    prior_ndcg_5: Interval  # of the documented prior on the same episodes
    seconds: float = 0.0

    @property
    def worth(self) -> float:
        """Mean nDCG@5 out of fold, beside the prior as far as that helps."""
        return dict(self.blend.curve).get(self.blend.weight, self.prior_ndcg_5.mean)


@dataclass(frozen=True)
class Fitted:
    """A trained ranker, ready to be judged."""

    document: str  # the ranker as JSON
    identity: str
    kind: str
    weight: float  # of what was learned, beside the prior's
    options: Any  # that the kind was trained with
    episodes: int  # that taught it
    shows: tuple[str, ...]


def ndcg_5(scores: Floats, grades: Ints) -> float:
    """What searches maximise."""
    return ndcg(scores, grades, 5)


def prepare(golden_file: str, *, length_s: float, settings: Settings, store: Store) -> tuple[GoldenSet, Dataset, Split]:
    """Golden clips from all sources, the graded clips of their episodes, and which shows are held out."""
    golden = golden_clips(golden_file, settings=settings, store=store)
    if not golden.clips:
        raise ModelError(
            "there is no golden clip to learn from: ingest feeds with podcast:soundbite tags, POST /golden-clips, or "
            f"give a CSV with --golden; {len(golden.refused)} were refused (`rushes golden` says why)"
        )
    episodes = list(graded_episodes(golden.clips, length_s=length_s, settings=settings, store=store))
    options = settings.train
    parted = split(episodes, share=options.held_out, at_least=options.min_shows, seed=settings.tune.seed)
    return golden, keep_dataset(episodes, store=store), parted


def golden_clips(golden_file: str, *, settings: Settings, store: Store) -> GoldenSet:
    """The golden clips of a run: those of the store, and of a CSV or Parquet file if one is named."""
    file = Path(golden_file) if golden_file else None
    golden = gather_golden(store=store, options=settings.golden, off_policy=settings.off_policy, file=file)
    log.info("%s", golden.describe())
    return golden


def lessons(dataset: Dataset, parted: Split, *, store: Store) -> list[RankingGroup]:
    """What the episodes on the teaching side have to teach."""
    return teaching(parted.training(read_dataset(dataset, store=store)))


def search_kind(kind: str, dataset: Dataset, parted: Split, *, settings: Settings, store: Store) -> Found:
    """Tune one kind of ranker on the episodes that teach."""
    started = time.perf_counter()
    groups = lessons(dataset, parted, store=store)
    start = getattr(settings, kind)  # each kind has a table of the config
    found = search(kind, groups, prior=Prior(settings.prior), options=settings.tune, start=start)
    log.info("%s: nDCG@5 %s out of fold, weight %g beside the prior", kind, found.ndcg_5, found.blend.weight)
    return replace(found, seconds=time.perf_counter() - started)


def search(
    kind: str, groups: Sequence[RankingGroup], *, prior: Ranker, options: TuneOptions, start: Any = None
) -> Found:
    """The best options of a kind on the groups, beginning with `start`, and its weight beside the prior."""
    tuned = tune(KINDS[kind], groups, metric=ndcg_5, options=options, start=start)
    judged = [group for group in groups if group.asset_id in tuned.out_of_fold]
    learned = [tuned.out_of_fold[group.asset_id] for group in judged]
    documented = [prior.score(group.matrix).values for group in judged]
    grades, shows = [group.grades for group in judged], [group.show for group in judged]
    weight = choose_weight(learned, documented, grades, ndcg_5, shows=shows)
    return Found(kind, tuned, weight, reached(learned, judged), reached(documented, judged))


def reached(scores: Sequence[Floats], groups: Sequence[RankingGroup]) -> Interval:
    """Mean nDCG@5 of scores by episode, with its interval over shows."""
    values = [ndcg_5(own, group.grades) for own, group in zip(scores, groups, strict=True)]
    return bootstrap(np.array(values), [group.show for group in groups])


def fit_best(
    found: Sequence[Found], dataset: Dataset, parted: Split, *, died: str, settings: Settings, store: Store
) -> Fitted:
    """Train the first of `found`, the best, with its options. Raises ModelError if no search came to an end."""
    if not found:
        raise ModelError(f"no kind of ranker could be trained ({died or 'no reason was left'})")
    groups = lessons(dataset, parted, store=store)
    best = found[0]
    ranker = fit(best, groups, prior=Prior(settings.prior))
    log.info("%s has the best nDCG@5 out of fold, %.3f; trained %s", best.kind, best.worth, ranker.identity)
    return Fitted(
        document=to_json(ranker),
        identity=ranker.identity,
        kind=best.kind,
        weight=best.blend.weight,
        options=best.tuned.options,
        episodes=len(groups),
        shows=tuple(sorted({group.show for group in groups})),
    )


def fit(best: Found, groups: Sequence[RankingGroup], *, prior: Ranker) -> Ranker:
    """A ranker of the kind and the options that were found, beside the prior as far as that helps.

    Where it does not help at all, what was learned is kept with no say, to be looked at.
    """
    learned = KINDS[best.kind].train(groups, options=best.tuned.options)
    weight = best.blend.weight
    return learned if weight == 1 else BlendedRanker(learned, prior, weight)
