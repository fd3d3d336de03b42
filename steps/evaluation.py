"""An evaluation of everything that can be measured in a store: rankers, tags, detectors, experiments."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.bootstrap import Interval
from featurization.errors import ModelError
from ranking.graded import GradedEpisode
from ranking.prior import Prior
from ranking.ranker import Ranker
from steps.dataset import Dataset, keep_dataset, read_dataset
from steps.golden import GoldenSet, gather_golden
from steps.grading import graded_episodes
from steps.judging import Judgement, difference, pooled
from steps.promotion import CHALLENGER, CHAMPION, EDITORS, PRIOR, Judged, judge_all
from steps.rankers import Lineage, current_ranker, kept_ranker, lineage_of
from steps.settings import Settings
from steps.slices import SliceFigures, slices
from steps.store import Store

log = logging.getLogger(__name__)
WORST = 10  # episodes that the report plays


@dataclass(frozen=True)
class Previews:
    """How well previews agree with editors: the ranker in use, a challenger, and what both must beat."""

    identities: Mapping[str, str]  # "champion" and "challenger" → identity
    judged: Judged  # by ranker, on the same episodes
    metrics: Mapping[str, Mapping[str, float]]  # figures by ranker
    gains: Mapping[str, Interval]  # nDCG@5 of the champion above each other ranker
    slices: Sequence[SliceFigures]  # of the champion
    unseen: bool  # whether the episodes are of shows that taught neither ranker; if not, the figures flatter
    golden: GoldenSet
    dataset: Dataset

    @property
    def dropped(self) -> list[SliceFigures]:
        """Slices in which the champion surely got worse since the last run."""
        return [one for one in self.slices if one.dropped]

    @property
    def worst(self) -> list[Judgement]:
        """The episodes whose preview is farthest from what editors chose."""
        return sorted(self.judged[CHAMPION], key=lambda j: (j.iou, j.asset_id))[:WORST]


def evaluate_previews(
    golden_file: str,
    challenger: str,
    *,
    length_s: float,
    before: Sequence[Judgement],
    settings: Settings,
    store: Store,
) -> Previews:
    """Judge the ranker in use, and a challenger by identity if one is named, on all golden episodes.

    Episodes of shows that taught one of them are left out, unless nothing would remain. `before` are the champion's
    judgements of the last evaluation.
    """
    golden = gather_golden(store=store, options=settings.golden, file=Path(golden_file) if golden_file else None)
    log.info("%s", golden.describe())
    graded = graded_episodes(golden.clips, length_s=length_s, settings=settings, store=store)
    dataset = keep_dataset((episode for episode in graded if episode.golden), store=store)
    rankers: dict[str, Ranker] = {CHAMPION: current_ranker(store, settings)}
    if challenger:
        rankers[CHALLENGER] = kept_ranker(challenger, store)
    episodes, unseen = _unseen(read_dataset(dataset, store=store), rankers.values(), store)
    if not episodes:
        raise ModelError("no heard episode has a golden clip; `rushes golden` says what was found and refused")
    judged = judge_all(episodes, {**rankers, PRIOR: Prior(settings.prior)})
    ours = judged[CHAMPION]
    return Previews(
        identities={name: ranker.identity for name, ranker in rankers.items()},
        judged=judged,
        metrics={name: pooled(judgements).figures() for name, judgements in judged.items()},
        gains={
            name: difference(ours, theirs, "ndcg_5", level=settings.train.level)
            for name, theirs in judged.items()
            if name not in (CHAMPION, EDITORS)
        },
        slices=slices(ours, before, level=settings.train.level),
        unseen=unseen,
        golden=golden,
        dataset=dataset,
    )


def _unseen(episodes: Sequence[GradedEpisode], rankers: Any, store: Store) -> tuple[list[GradedEpisode], bool]:
    """The episodes whose shows taught none of the rankers; all, and False, if there is no such episode."""
    lineages: list[Lineage | None] = [lineage_of(ranker.identity, store=store) for ranker in rankers]
    taught = {show for lineage in lineages if lineage for show in lineage.shows}
    fresh = [episode for episode in episodes if episode.show not in taught]
    return (fresh, True) if fresh else (list(episodes), False)
