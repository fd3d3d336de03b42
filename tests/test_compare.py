"""`rushes compare`: runs whose figures are known by hand, as Metaflow kept them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from steps.comparison import Change, Measured, compare
from steps.runs import FlowRun
from steps.store import ROOT

FLOW = """
from typing import Any
import tomllib
from metaflow import Config, FlowSpec, JSONType, Parameter, step
JUDGED
class NAME(FlowSpec):
    config = Config("config", default="config.toml", parser=tomllib.loads)
    length_s = Parameter("length-s", type=float, default=30.0)
    plan = Parameter("plan", type=JSONType, default="{}")

    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        self.outcome = "complete"
        if self.plan:
            self.measure(**self.plan)

    def measure(self, metrics, scores, data, verdict):
        from steps.dataset import Dataset
        from steps.promotion import Verdict

        self.metrics = metrics
        self.dataset = Dataset(f"blobs/aa/{data}.parquet", 12, 6, 100)
        self.judged = {name: judged(*values) for name, values in scores.items()}
        self.verdict = Verdict(verdict, "as planned", "lambdarank@new", "prior@old")

if __name__ == "__main__":
    NAME()
"""
ASK = """
import contextlib, io, json, sys
from serving import cli
answers = []
for arguments in json.load(sys.stdin):
    sys.argv, out, err = ["rushes", "compare", *arguments], io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as ended:
            answers.append([int(ended.code or 0), out.getvalue(), err.getvalue()])
print(json.dumps(answers))
"""
OLD = {
    "metrics": {
        "champion": {"IoU": 0.2, "nDCG@5": 0.4, "boundary error s": 8.0},
        "prior": {"IoU": 0.2, "nDCG@5": 0.4, "boundary error s": 8.0},
        "random": {"IoU": 0.1, "nDCG@5": 0.2, "boundary error s": 20.0},
    },
    "scores": {"champion": [0.2, 0.4], "prior": [0.2, 0.4]},
    "data": "aaaa",
    "verdict": "kept",
}
NEW = {
    "metrics": {
        "challenger": {"IoU": 0.5, "nDCG@5": 0.4, "boundary error s": 9.0, "topic coverage": 0.3},
        "champion": {"IoU": 0.2, "nDCG@5": 0.4, "boundary error s": 8.0},
        "prior": {"IoU": 0.1, "nDCG@5": 0.4, "boundary error s": 8.0},
    },
    "scores": {"challenger": [0.5, 0.4], "champion": [0.2, 0.4], "prior": [0.1, 0.4]},
    "data": "bbbb",
    "verdict": "promoted",
}


def judged(iou: float, ndcg_5: float, *, shows: int = 6, first: int = 0) -> tuple[Any, ...]:
    """Twelve episodes with the same figures, the shows taking turns; also in the flow, so it imports for itself."""
    from eval.preview_metrics import PreviewMetrics, RankingMetrics
    from eval.segment_metrics import SegmentMetrics
    from steps.judging import Judgement

    metrics = PreviewMetrics(SegmentMetrics(1, 1, iou), RankingMetrics(1, ndcg_5, ndcg_5, ndcg_5))
    names = [(f"{first + n:016d}", f"show {n % shows}") for n in range(12)]
    return tuple(Judgement(asset_id, asset_id, show, {}, None, metrics) for asset_id, show in names)


def measured(run: str, **judgements: tuple[Any, ...]) -> Measured:
    """What an evaluation measured whose champion has an IoU of .2."""
    done = FlowRun(f"EvaluateModels/{run}", "done", datetime(2026, 1, 1, tzinfo=UTC), 1.0, "complete", "tester")
    return Measured(done, {"champion": {"IoU": 0.2, "nDCG@5": 0.4}}, judgements, None, None, {})


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


class Place:
    """A folder with flows of our names and their own Metaflow datastore."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW", "RUSHES"))}
        paths = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
        own = {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder), "METAFLOW_USER": "tester", "PYTHONPATH": paths}
        self.environment = {**kept, **own}
        (folder / "config.toml").write_text("[gates]\nspoiler_zone = 0.15\n")
        (folder / "other.toml").write_text("[gates]\nspoiler_zone = 0.3\n")

    def run(self, flow: str, plan: dict[str, Any], *options: str) -> str:
        """Run a flow to its end; returns FLOW/ID."""
        (self.folder / f"{flow}.py").write_text(FLOW.replace("NAME", flow).replace("JUDGED", getsource(judged)))
        written = self.folder / "run-id"
        options = ("--plan", json.dumps(plan), "--run-id-file", str(written), *options)
        command = [sys.executable, f"{flow}.py", "--no-pylint", "run", *options]
        if "--length-s" in options:
            command[3:3] = ["--config", "config", "other.toml"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return f"{flow}/{written.read_text()}"

    def compare(self, *asked: Sequence[str]) -> list[Answer]:
        """What `rushes compare` answers, asked in one process."""
        command = [sys.executable, "-c", ASK]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment, "COLUMNS": "200"},
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [Answer(*answer) for answer in json.loads(done.stdout)]


@dataclass(frozen=True)
class Runs:
    """Runs by what they are."""

    place: Place
    old: str
    new: str
    bare: str  # of an older version, without figures
    idle: str  # had no golden clip to judge by


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    place = Place(tmp_path_factory.mktemp("runs"))
    return Runs(
        place=place,
        bare=place.run("EvaluateModels", {}),
        idle=place.run("EvaluateModels", {"metrics": {}, "scores": {}, "data": "", "verdict": "kept"}),
        old=place.run("TrainRanker", OLD),
        new=place.run("TrainRanker", NEW, "--length-s", "45"),
    )


@pytest.fixture(scope="module")
def answers(runs: Runs) -> dict[str, Answer]:
    asked = {
        "better": (runs.old, runs.new, "--json"),
        "shown": (runs.old, runs.new),
        "latest": ("latest~1", "latest", "--json"),
        "other way": (runs.new.partition("/")[2], "TrainRanker/latest~1", "--json"),
        "itself": (runs.new, "TrainRanker/latest"),
        "bare": (runs.old, runs.bare),
        "idle": (runs.old, runs.idle),
        "missing": ("TrainRanker/7", runs.new),
        "other flow": (runs.old, "IngestMedia/7"),
        "too far": (runs.old, "TrainRanker/latest~9"),
    }
    return dict(zip(asked, runs.place.compare(*asked.values()), strict=True))


def test_what_is_surely_better_is_told_from_what_may_be_chance(answers: dict[str, Answer], runs: Runs):
    found = answers["better"].json
    assert (found["first"]["run"], found["second"]["run"]) == (runs.old, runs.new)
    assert (found["in_use"]["first"], found["in_use"]["second"]) == ("champion", "challenger")
    figures = found["in_use"]["figures"]
    assert {name: figure["mark"] for name, figure in figures.items()} == {
        "IoU": "better",
        "nDCG@5": "no difference",
        "boundary error s": "looks worse",
        "topic coverage": None,
    }
    assert figures["IoU"]["difference"] == pytest.approx(0.3)
    gain = figures["IoU"]["gain"]
    assert (gain["low"], gain["mean"], gain["high"]) == (pytest.approx(0.3),) * 3
    assert (gain["clusters"], gain["count"]) == (6, 12)
    assert (figures["boundary error s"]["difference"], figures["boundary error s"]["gain"]) == (1.0, None)
    assert (figures["topic coverage"]["first"], figures["topic coverage"]["second"]) == (None, 0.3)


def test_rankers_of_one_name_are_compared_too(answers: dict[str, Answer]):
    others = {other["first"]: other["figures"] for other in answers["better"].json["others"]}
    assert list(others) == ["champion", "prior"]
    assert others["prior"]["IoU"]["mark"] == "worse"
    assert others["champion"]["boundary error s"]["mark"] == "same"


def test_data_and_options_that_differ_are_named(answers: dict[str, Answer]):
    differs = {one["name"]: (one["first"], one["second"]) for one in answers["better"].json["differs"]}
    assert differs.pop("plan")
    assert differs == {"dataset": ("aaaa", "bbbb"), "length_s": (30.0, 45.0), "gates.spoiler_zone": (0.15, 0.3)}


def test_a_plain_sentence_ends_it(answers: dict[str, Answer], runs: Runs):
    assert answers["better"].json["conclusion"] == (
        f"The ranker in use after {runs.new} does better than the one after {runs.old}: "
        "IoU +0.300 (+0.300 to +0.300), nDCG@5 +0.000 (+0.000 to +0.000), on the 12 episodes of 6 "
        "shows that both judged. "
        "The runs judged different data, so figures without an interval may differ by that alone."
    )


def test_tables_for_people_hold_the_same(answers: dict[str, Answer], runs: Runs):
    out = answers["shown"].out
    (line,) = (line for line in out.splitlines() if line.startswith(" IoU"))
    assert line.split() == "IoU 0.200 0.500 +0.300 better +0.300 (+0.300 to +0.300)".split()
    assert "Ranker in use: champion, then challenger" in out
    assert "promoted lambdarank@new: as planned" in out
    assert "gates.spoiler_zone" in out
    assert out.rstrip().endswith("may differ by that alone.")


def test_latest_names_runs_of_one_flow(answers: dict[str, Answer], runs: Runs):
    found = answers["latest"].json
    assert (found["first"]["run"], found["second"]["run"]) == (runs.old, runs.new)


def test_the_order_of_the_runs_turns_the_verdict(answers: dict[str, Answer], runs: Runs):
    found = answers["other way"].json
    assert (found["first"]["run"], found["second"]["run"]) == (runs.new, runs.old)
    assert found["in_use"]["figures"]["IoU"]["mark"] == "worse"
    assert f"after {runs.old} does worse than the one after {runs.new}" in found["conclusion"]


def test_runs_without_an_episode_in_common_leave_it_open():
    found = compare(measured("1", champion=judged(0.2, 0.4)), measured("2", champion=judged(0.5, 0.4, first=100)))
    assert found.in_use.of("IoU") == Change("IoU", 0.2, 0.2, None)
    assert found.in_use.of("IoU").mark == "same"
    assert "EvaluateModels/1 and EvaluateModels/2 judged no episode in common" in found.conclusion()


def test_only_episodes_of_both_are_compared():
    found = compare(measured("1", champion=judged(0.2, 0.4)), measured("2", champion=judged(0.5, 0.4, first=9)))
    assert found.in_use.gains["IoU"].count == 3
    assert found.in_use.gains["IoU"].mean == pytest.approx(0.3)


def test_one_show_says_nothing_of_others():
    found = compare(
        measured("1", champion=judged(0.2, 0.4, shows=1)), measured("2", champion=judged(0.1, 0.5, shows=1))
    )
    assert [found.in_use.of(figure).mark for figure in ("IoU", "nDCG@5")] == ["worse", "better"]
    assert "does better in one way and worse in another than" in found.conclusion()
    assert "of one show: this says nothing of other shows" in found.conclusion()


def test_without_judgements_a_difference_only_looks_better():
    assert Change("IoU", 0.2, 0.3).mark == "looks better"
    assert Change("ad s", 0.2, 0.3).mark == "looks worse"
    assert Change("IoU", None, 0.3).mark is None


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ("itself", "name two runs"),
        ("bare", "has no figures of rankers; it was made by an older version: run the flow again"),
        ("idle", "judged no ranker; mark golden clips"),
        ("missing", "no run of TrainRanker is called '7'"),
        ("other flow", "IngestMedia/7 is a run of IngestMedia; name one of TrainRanker or EvaluateModels"),
        ("too far", "too few runs before"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(answers: dict[str, Answer], asked: str, complaint: str):
    answer = answers[asked]
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("rushes: ")
    assert answer.err.count("\n") == 1
    assert complaint in answer.err
