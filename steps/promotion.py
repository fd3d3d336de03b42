"""The gate: a challenger replaces the ranker in use only if it is surely better on shows that taught neither."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from eval.bootstrap import Interval
from ranking.prior import Prior
from ranking.saved import from_json
from steps.dataset import Dataset, read_dataset
from steps.judging import CHALLENGER, CHAMPION, PRIOR, Judged, difference, figures, judge_all
from steps.rankers import Lineage, current_ranker, keep_ranker, lineage_of, promote
from steps.settings import Settings
from steps.splitting import Split
from steps.store import Store
from steps.training import Fitted
from steps.version import VERSION

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the challenger replaces the champion, and why."""

    decision: Literal["promoted", "kept"]
    reason: str
    challenger: str  # identities
    champion: str
    gain: Interval | None = None  # of nDCG@5, challenger above champion; None if there was nothing to compare

    @property
    def promoted(self) -> bool:
        """Whether the challenger is in use now."""
        return self.decision == "promoted"

    def __str__(self) -> str:
        return f"{self.decision} {self.challenger if self.promoted else self.champion}: {self.reason}"


@dataclass(frozen=True)
class Decided:
    """What a training run came to."""

    verdict: Verdict
    judged: Judged  # the held-out episodes
    metrics: Mapping[str, Mapping[str, float]]  # by ranker
    model: str  # store key of the trained ranker


def decide_and_keep(
    fitted: Fitted, dataset: Dataset, parted: Split, *, run: str, settings: Settings, store: Store
) -> Decided:
    """Judge the trained ranker on the held-out episodes, keep it, and put it in use if it is surely better."""
    challenger, champion = from_json(fitted.document), current_ranker(store, settings)
    held_out = parted.judging(read_dataset(dataset, store=store))
    judged = judge_all(held_out, {CHALLENGER: challenger, CHAMPION: champion, PRIOR: Prior(settings.prior)})
    lineage = lineage_of(champion.identity, store=store)
    verdict = decide(judged, fitted, champion.identity, taught=lineage.shows if lineage else (), settings=settings)
    log.info("%s", verdict)
    metrics = figures(judged)
    key = keep_ranker(challenger, _lineage(fitted, dataset, verdict, metrics, run), store=store)
    if verdict.promoted:
        promote(challenger.identity, store=store)
    return Decided(verdict, judged, metrics, key)


def decide(judged: Judged, fitted: Fitted, champion: str, *, taught: Iterable[str], settings: Settings) -> Verdict:
    """Compare two rankers on the held-out shows; those that `taught` the champion would flatter it and are left out."""
    known = set(taught)
    ours, theirs = ([j for j in judged[name] if j.show not in known] for name in (CHALLENGER, CHAMPION))
    gain = difference(ours, theirs, "ndcg_5", level=settings.train.level) if ours else None
    reason = _why_not(fitted, champion, gain, settings.train.min_shows)
    told = _told(gain, fitted, {judgement.show for judgement in ours}) if gain else ""
    if reason:
        return Verdict("kept", f"{told}; {reason}" if told else reason, fitted.identity, champion, gain)
    return Verdict("promoted", told, fitted.identity, champion, gain)


def _why_not(fitted: Fitted, champion: str, gain: Interval | None, min_shows: int) -> str:
    if fitted.identity == champion:
        return "training came to the ranker that is in use already"
    if fitted.weight == 0:
        return "what was learned does not help the documented prior yet; mark clips in more episodes"
    if gain is None:
        return "no held-out show is new to both rankers; mark clips in other shows"
    if gain.clusters < min_shows:
        return f"{min_shows} are needed to tell: mark clips in more shows"
    return "" if gain.low > 0 else "the interval must lie above zero"


def _told(gain: Interval, fitted: Fitted, shows: set[str]) -> str:
    known = shows <= set(fitted.shows)  # there is one show, so its episodes were parted
    what = f"{gain.count} held-out episode" if known else f"{gain.clusters} held-out show"
    many = gain.count > 1 if known else gain.clusters > 1
    return f"nDCG@5 {gain.signed} on {what}{'s' if many else ''}"


def _lineage(
    fitted: Fitted, dataset: Dataset, verdict: Verdict, metrics: Mapping[str, Mapping[str, float]], run: str
) -> Lineage:
    return Lineage(
        identity=fitted.identity,
        run=run,
        code=f"rushes {VERSION}",
        dataset=dataset.digest,
        episodes=fitted.episodes,
        shows=fitted.shows,
        verdict=str(verdict),
        metrics=metrics[CHALLENGER],
    )
