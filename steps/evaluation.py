"""How well previews agree with editors: the ranker in use beside a challenger, baselines and the editors themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.bootstrap import Interval
from ranking.graded import GradedEpisode
from ranking.prior import Prior
from ranking.ranker import Ranker
from steps.dataset import Dataset, keep_dataset
from steps.golden import GoldenSet
from steps.grading import graded_episodes
from steps.judging import CHALLENGER, CHAMPION, EDITORS, PRIOR, Judged, Judgement, difference, figures, judge_all
from steps.rankers import Lineage, current_ranker, kept_ranker, lineage_of
from steps.runs import artifact, latest
from steps.settings import Settings
from steps.slices import SliceFigures, slices
from steps.store import Store
from steps.training import golden_clips

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


def last_challenger(champion: str) -> str:
    """Identity of the ranker that the last training came to, if it is not the one in use; empty if there is none."""
    run = latest("TrainRanker")
    fitted = artifact(run.run, "fitted") if run else None
    return fitted.identity if fitted and fitted.identity != champion and fitted.weight else ""


def last_judgements() -> Sequence[Judgement]:
    """What the last evaluation found of the ranker that was in use; empty if there was none."""
    run = latest("EvaluateModels")
    judged = artifact(run.run, "judged") if run else None
    return tuple((judged or {}).get(CHAMPION, ()))


def evaluate_previews(
    golden_file: str, challenger: str, *, length_s: float, settings: Settings, store: Store
) -> Previews | None:
    """Judge the ranker in use on all golden episodes, beside a challenger: by identity, or that of the last training.

    Episodes of shows that taught one of them are left out, unless nothing would remain. None without golden episodes.
    """
    golden = golden_clips(golden_file, settings=settings, store=store)
    graded = graded_episodes(golden.clips, length_s=length_s, settings=settings, store=store)
    known = [episode for episode in graded if episode.golden]
    if not known:
        return None
    rankers = _rankers(challenger, settings, store)
    episodes, unseen = _unseen(known, rankers.values(), store)
    judged = judge_all(episodes, {**rankers, PRIOR: Prior(settings.prior)})
    level = settings.train.level
    others = [name for name in judged if name not in (CHAMPION, EDITORS)]
    gains = [(name, difference(judged[CHAMPION], judged[name], "ndcg_5", level=level)) for name in others]
    return Previews(
        identities={name: ranker.identity for name, ranker in rankers.items()},
        judged=judged,
        metrics=figures(judged),
        gains={name: gain for name, gain in gains if gain},
        slices=slices(judged[CHAMPION], last_judgements(), level=level),
        unseen=unseen,
        golden=golden,
        dataset=keep_dataset(known, store=store),
    )


def _rankers(challenger: str, settings: Settings, store: Store) -> dict[str, Ranker]:
    champion = current_ranker(store, settings)
    named = challenger or last_challenger(champion.identity)
    return {CHAMPION: champion, **({CHALLENGER: kept_ranker(named, store)} if named else {})}


def _unseen(
    episodes: Sequence[GradedEpisode], rankers: Iterable[Ranker], store: Store
) -> tuple[list[GradedEpisode], bool]:
    """The episodes whose shows taught none of the rankers; all, and False, if there is no such episode."""
    lineages: list[Lineage | None] = [lineage_of(ranker.identity, store=store) for ranker in rankers]
    taught = {show for lineage in lineages if lineage for show in lineage.shows}
    fresh = [episode for episode in episodes if episode.show not in taught]
    return (fresh, True) if fresh else (list(episodes), False)


def describe(previews: Previews | None) -> str:
    """A few lines for the terminal."""
    if previews is None:
        return "no heard episode has a golden clip, so previews were not judged; `rushes golden` says what was found"
    episodes = len(previews.judged[CHAMPION])
    lines = [f"{previews.identities[CHAMPION]} on {episodes} golden episodes:"]
    for name, reached in previews.metrics.items():
        ordered = f", nDCG@5 {reached['nDCG@5']:.3f}" if name != EDITORS else ""
        gain = previews.gains.get(name)
        above = f"; the ranker in use gains {gain.signed}" if gain else ""
        lines.append(f"  {name:<11} IoU {reached['IoU']:.3f}{ordered}{above}")
    lines += [f"  worse than in the last run: {one}" for one in previews.dropped]
    return "\n".join(lines if previews.unseen else [*lines, "  these shows taught the ranker, so its figures flatter"])
