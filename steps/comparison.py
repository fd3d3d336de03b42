"""Two runs side by side: what became better, what worse, by how much, and what else differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval.bootstrap import Interval
from eval.preview_metrics import LOWER_IS_BETTER
from steps.judging import CHALLENGER, CHAMPION, Judgement, difference
from steps.runs import FlowRun, RunError, artifact, find_run, parameters

MEASURING = ("TrainRanker", "EvaluateModels")
SURE: Mapping[str, Literal["iou", "ndcg_5"]] = {"IoU": "iou", "nDCG@5": "ndcg_5"}  # differences with an interval
_SAME = 1e-9
Mark = Literal["better", "worse", "no difference", "looks better", "looks worse", "same"]
Metrics = Mapping[str, Mapping[str, float]]  # by ranker and figure


@dataclass(frozen=True)
class Measured:
    """What one run measured."""

    run: FlowRun
    metrics: Metrics
    judged: Mapping[str, Sequence[Judgement]]  # by ranker; empty if the run kept none
    verdict: Any  # `steps.promotion.Verdict` of a training, None of an evaluation
    dataset: Any  # `steps.dataset.Dataset`, None if the run kept none
    options: Mapping[str, Any]  # parameters and settings by dotted name; what stands at its default is not in it

    @property
    def in_use(self) -> str:
        """Which ranker was in use after the run."""
        return CHALLENGER if getattr(self.verdict, "promoted", False) else CHAMPION


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of both runs. Whoever wants to know whether chance made the difference needs `gain`."""

    figure: str
    first: float | None  # None if the run did not measure it
    second: float | None
    gain: Interval | None = None  # second above first on the episodes of both, over shows

    @property
    def difference(self) -> float | None:
        return None if self.first is None or self.second is None else self.second - self.first

    @property
    def mark(self) -> Mark | None:
        """Better or worse if the interval says so; without one, what it looks like. None if a run lacks the figure."""
        if self.gain is not None:
            return _surely(self.gain)
        if self.difference is None:
            return None
        if abs(self.difference) < _SAME:
            return "same"
        return "looks better" if (self.difference < 0) == (self.figure in LOWER_IS_BETTER) else "looks worse"


@dataclass(frozen=True, slots=True)
class RankerChange:
    """A ranker of the first run against one of the second."""

    first: str
    second: str
    changes: tuple[Change, ...]

    def of(self, figure: str) -> Change | None:
        """The change of one figure."""
        return next((change for change in self.changes if change.figure == figure), None)

    @property
    def gains(self) -> dict[str, Interval]:
        """Differences that have an interval, by figure."""
        return {change.figure: change.gain for change in self.changes if change.gain}


@dataclass(frozen=True, slots=True)
class Setting:
    """An option or a fact of the data that differs; None is not set."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Comparison:
    """Two runs, and how the second differs from the first."""

    first: Measured
    second: Measured
    in_use: RankerChange
    others: tuple[RankerChange, ...]  # rankers that have one name in both
    settings: tuple[Setting, ...]

    @property
    def same_data(self) -> bool:
        return not any(setting.name == "dataset" for setting in self.settings)

    def conclusion(self) -> str:
        """What it comes to, in a few sentences."""
        gains = self.in_use.gains
        said = [_sentence(self, gains) if gains else _unsure(self)]
        if any(gain.clusters == 1 for gain in gains.values()):
            said.append("The episodes are of one show: this says nothing of other shows.")
        if not self.same_data:
            said.append("The runs judged different data, so figures without an interval may differ by that alone.")
        return " ".join(said)


def _sentence(comparison: Comparison, gains: Mapping[str, Interval]) -> str:
    marks = set(map(_surely, gains.values()))
    verdict = (
        "does better in one way and worse in another than"
        if marks >= {"better", "worse"}
        else "does better than"
        if "better" in marks
        else "does worse than"
        if "worse" in marks
        else "is not surely better or worse than"
    )
    told = ", ".join(f"{figure} {gain.signed}" for figure, gain in gains.items())
    judged = next(iter(gains.values()))
    return (
        f"The ranker in use after {comparison.second.run.run} {verdict} the one after {comparison.first.run.run}: "
        f"{told}, on the {judged.count} episodes of {judged.clusters} shows that both judged."
    )


def _unsure(comparison: Comparison) -> str:
    both = f"{comparison.first.run.run} and {comparison.second.run.run}"
    return f"{both} judged no episode in common, so nobody can say whether chance made the differences."


def _surely(gain: Interval) -> Mark:
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "no difference"


def compare_runs(first: str, second: str) -> Comparison:
    """Compare two runs by what people call them. RunError says which cannot be compared, and why."""
    runs = [find_run(text, among=MEASURING) for text in (first, second)]
    if runs[0].run == runs[1].run:
        raise RunError(f"both are {runs[0].run}; name two runs, such as latest~1 and latest")
    return compare(*map(read_measured, runs))


def compare(before: Measured, after: Measured) -> Comparison:
    """How the second differs from the first."""
    shared = [name for name in before.metrics if name in after.metrics]
    in_use = _ranker_change(before, after, (before.in_use, after.in_use))
    others = [_ranker_change(before, after, (name, name)) for name in shared]
    return Comparison(
        first=before,
        second=after,
        in_use=in_use,
        others=tuple(one for one in others if (one.first, one.second) != (in_use.first, in_use.second)),
        settings=tuple(_settings(before, after)),
    )


def read_measured(run: FlowRun) -> Measured:
    """What a run measured. RunError if it measured nothing, or if that cannot be read."""
    metrics = artifact(run.run, "metrics")
    if not isinstance(metrics, Mapping):
        raise RunError(f"{run.run} has no figures of rankers; it was made by an older version: run the flow again")
    if not metrics:
        raise RunError(f"{run.run} judged no ranker; mark golden clips and run the flow again")
    measured = Measured(
        run=run,
        metrics=metrics,
        judged=artifact(run.run, "judged") or {},
        verdict=artifact(run.run, "verdict"),
        dataset=artifact(run.run, "dataset"),
        options={**parameters(run.run), **_flat(artifact(run.run, "config") or {})},
    )
    if measured.in_use not in metrics:
        known = ", ".join(metrics)
        raise RunError(f"{run.run} has no figures of the ranker in use, {measured.in_use}, only of: {known}")
    return measured


def _ranker_change(before: Measured, after: Measured, names: tuple[str, str]) -> RankerChange:
    ours, theirs = before.metrics[names[0]], after.metrics[names[1]]
    figures = dict.fromkeys((*ours, *theirs))
    judged = (before.judged.get(names[0], ()), after.judged.get(names[1], ()))
    gains = {figure: _gain(*judged, name) for figure, name in SURE.items()}
    return RankerChange(
        *names, tuple(Change(name, ours.get(name), theirs.get(name), gains.get(name)) for name in figures)
    )


def _gain(first: Sequence[Judgement], second: Sequence[Judgement], figure: Literal["iou", "ndcg_5"]) -> Interval | None:
    """How much better the second is on the episodes of both; None if there are none."""
    known = {judgement.asset_id: judgement for judgement in first}
    ours = [judgement for judgement in second if judgement.asset_id in known]
    return difference(ours, [known[judgement.asset_id] for judgement in ours], figure)


def _settings(before: Measured, after: Measured) -> Iterable[Setting]:
    facts = [{**_data(measured), **measured.options} for measured in (before, after)]
    for name in dict.fromkeys((*facts[0], *facts[1])):
        first, second = (of_run.get(name) for of_run in facts)
        if first != second:
            yield Setting(name, first, second)


def _data(measured: Measured) -> dict[str, Any]:
    """What a run learned from or was judged on."""
    data = measured.dataset
    if data is None:
        return {}
    return {"dataset": data.digest, "episodes": data.episodes, "shows": data.shows, "clips": data.clips}


def _flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return flat
