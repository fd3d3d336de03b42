"""A whole training run: what went in, what was tried, what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ranking.blend import BlendedRanker
from ranking.importance import FeatureEffect, summarise
from ranking.saved import from_json
from steps.dataset import Dataset
from steps.golden import GoldenSet
from steps.judging import CHALLENGER, CHAMPION
from steps.promotion import Decided, decide_and_keep
from steps.settings import Settings
from steps.splitting import Split
from steps.store import Store
from steps.studies import Ablation, CurvePoint
from steps.training import Fitted, Found, lessons

_EXPLAINED = 100  # episodes whose scores are taken apart: more of them change no bar


@dataclass(frozen=True)
class TrainingRun:
    """Everything that the report of a training run tells."""

    run: str  # "FLOW/ID"
    golden: GoldenSet
    dataset: Dataset
    split: Split
    found: Sequence[Found]  # best kind first
    fitted: Fitted
    ablations: Sequence[Ablation]  # empty if the study failed
    curve: Sequence[CurvePoint]  # empty if the study failed
    decided: Decided
    effects: Sequence[FeatureEffect]  # strongest first
    failed: str = ""  # why tasks failed; the run went on without them

    @property
    def outcome(self) -> Literal["complete", "partial"]:
        """Partial if clips were refused, or a task failed."""
        return "partial" if self.golden.refused or self.failed else "complete"

    @property
    def _in_use(self) -> str:
        verdict = self.decided.verdict
        return "it is in use now" if verdict.promoted else f"{verdict.champion} stays in use"

    def describe(self) -> str:
        """A few lines for the terminal."""
        ours, theirs = (self.decided.metrics[name] for name in (CHALLENGER, CHAMPION))
        held_out = len(self.split.held_out)
        kinds = ", ".join(f"{one.kind} {one.worth:.3f}" for one in self.found)
        lines = [
            f"trained {self.fitted.identity}; {self._in_use}",
            f"  {self.decided.verdict.reason}",
            f"  learned from {self.fitted.episodes} episodes, shows: {len(self.fitted.shows)}",
            f"  nDCG@5 out of fold: {kinds}",
            f"  on {held_out} held-out episodes: IoU {ours['IoU']:.3f} against {theirs['IoU']:.3f}, "
            f"nDCG@5 {ours['nDCG@5']:.3f} against {theirs['nDCG@5']:.3f}",
            *(f"  {line}" for line in self.golden.describe().splitlines()),
            f"  kept as {self.decided.model}",
        ]
        if self.split.by == "episode":
            lines.append("  one show only: the figures say nothing of other shows")
        return "\n".join(lines + ([f"  failed: {self.failed}"] if self.failed else []))


def conclude(
    run: str,
    *,
    golden: GoldenSet,
    dataset: Dataset,
    parted: Split,
    found: Sequence[Found],
    fitted: Fitted,
    ablations: Sequence[Ablation],
    curve: Sequence[CurvePoint],
    failed: str,
    settings: Settings,
    store: Store,
) -> TrainingRun:
    """Let the gate decide on the fitted ranker, keep it, and take its scores apart."""
    decided = decide_and_keep(fitted, dataset, parted, run=run, settings=settings, store=store)
    return TrainingRun(
        run=run,
        golden=golden,
        dataset=dataset,
        split=parted,
        found=found,
        fitted=fitted,
        ablations=ablations,
        curve=curve,
        decided=decided,
        effects=explain(fitted, dataset, parted, store=store),
        failed=failed,
    )


def explain(fitted: Fitted, dataset: Dataset, parted: Split, *, store: Store) -> tuple[FeatureEffect, ...]:
    """What the trained ranker goes by, on episodes that taught it; of one without a say, what it learned."""
    groups = lessons(dataset, parted, store=store)
    ranker = from_json(fitted.document)
    shown = ranker.learned if isinstance(ranker, BlendedRanker) and ranker.weight == 0 else ranker
    return summarise(shown, groups[:_EXPLAINED])
