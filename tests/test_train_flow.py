"""Training and evaluation as programs: what they leave behind, how they refuse, and that a killed run is taken up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Workplace

from benchmarks.made_catalogue import make_catalogue, stock
from ranking.saved import from_json
from steps.rankers import CHAMPION, lineage_of
from steps.store import ROOT, Store
from steps.tables import ASSETS

TRAIN = str(ROOT / "flows" / "train_ranker.py")
QUICK = "[tune]\ntrials = 1\nfolds = 2\n[train]\nkinds = ['linear']\ncurve = [2]\nmin_shows = 2\n"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Eight made episodes of four shows that nobody learned from yet, and a config that learns quickly."""
    place = Workplace(tmp_path_factory.mktemp("stocked"))
    stock(place.store, make_catalogue(8, shows=4, candidates=60))
    (place.folder / "quick.toml").write_text(QUICK)
    return place


@pytest.fixture
def fresh(stocked: Workplace, tmp_path: Path) -> Workplace:
    """A copy of it."""
    place = Workplace(tmp_path / "place")
    shutil.copytree(stocked.folder, place.folder)
    return place


def train(place: Workplace, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return place.python(TRAIN, "--config", "config", "quick.toml", *arguments, **more)


def rankers(store: Store) -> list[str]:
    return [name for name in store.files.list("models/rankers") if not name.endswith(".lineage.json")]


def test_a_run_keeps_its_ranker_with_where_it_came_from(trained: Workplace):
    store = trained.store
    for name in rankers(store):
        ranker = from_json(store.files.read(f"models/rankers/{name}").decode())
        lineage = lineage_of(ranker.identity, store=store)
        assert lineage is not None
        assert name == f"{ranker.identity}.json"
        assert lineage.run.startswith("TrainRanker/")
        assert lineage.episodes > 0
        assert lineage.shows
        assert len(lineage.dataset) == 32
        assert 0 <= lineage.metrics["nDCG@5"] <= 1
        assert lineage.verdict.startswith(("promoted", "kept"))
    in_use = [name for name in rankers(store) if store.files.exists(CHAMPION) and _same(store, name)]
    promoted = [name for name in rankers(store) if _verdict(store, name).startswith("promoted")]
    assert len(in_use) == bool(promoted)


def _same(store: Store, name: str) -> bool:
    return store.files.read(f"models/rankers/{name}") == store.files.read(CHAMPION)


def _verdict(store: Store, name: str) -> str:
    told: str = json.loads(store.files.read(f"models/rankers/{name.removesuffix('.json')}.lineage.json"))["verdict"]
    return told


def test_the_pages_of_both_flows_are_there(trained: Workplace):
    for name in ("training.html", "evaluation.html"):
        page = trained.store.files.read(name).decode()
        assert page.startswith("<!doctype html>")
        assert "src=http" not in page.replace('"', "")


def test_the_artifacts_that_the_docstrings_name_are_bound(trained: Workplace):
    script = (
        "import sys, re, pathlib; from steps.runs import artifact, latest\n"
        "for flow, file in (('TrainRanker', 'train_ranker'), ('EvaluateModels', 'evaluate_models')):\n"
        f"    text = pathlib.Path({str(ROOT / 'flows')!r}, file + '.py').read_text()\n"
        "    names = re.findall(r'^        (\\w+): ', text.split('Artifacts:')[1].split('\"\"\"')[0], re.M)\n"
        "    for name in names:\n"
        "        print(flow, name, artifact(latest(flow).run, name) is not None)\n"
    )
    done = trained.python("-c", script, env={"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(trained.folder)})
    assert done.returncode == 0, done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) > 20
    assert [line for line in lines if line[2] == "False"] == [["EvaluateModels", "truth", "False"]]


def test_a_scheduler_that_sets_nothing_runs_it_and_the_same_clips_teach_the_same_ranker(fresh: Workplace):
    (asset_id, *_) = sorted(fresh.store.read(ASSETS))
    (fresh.folder / "clips.csv").write_text(f"asset_id,start,end,editor\n{asset_id},10,40,ann\nnobody,1,30,ann\n")
    bare = {"PATH": os.environ["PATH"], "HOME": str(fresh.folder), "RUSHES_STORE": str(fresh.folder / "store")}
    command = [sys.executable, TRAIN, "--config", "config", "quick.toml", "run", "--golden", "clips.csv"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=fresh.folder, env=bare, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 3, done.stdout + done.stderr  # a row of the file is of no asset
        assert "1 refused: 1 unknown-asset" in done.stdout
        assert "stays in use" in done.stdout or "is in use now" in done.stdout
    assert len(rankers(fresh.store)) == 1
    assert len(list((fresh.folder / "store" / "blobs").rglob("*.parquet"))) == 1


@pytest.mark.parametrize("step", ["search", "decide"])
def test_a_run_that_is_killed_is_resumed(fresh: Workplace, step: str):
    fresh.kill_at(step, "train_ranker", "--config", "config", "quick.toml", "run")
    done = fresh.python(TRAIN, "resume")
    assert done.returncode == 0, done.stdout
    assert "Done!" in done.stdout
    assert len(rankers(fresh.store)) == 1
    assert fresh.store.files.exists("training.html")


def test_a_file_of_golden_clips_that_is_none_is_refused_in_one_line(fresh: Workplace):
    (fresh.folder / "clips.csv").write_text("episode,from,to\n1,2,3\n")
    done = train(fresh, "run", "--golden", "clips.csv")
    assert done.returncode == 1
    assert "clips.csv" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_config_that_makes_no_sense_is_refused_before_any_work(fresh: Workplace):
    (fresh.folder / "quick.toml").write_text("[train]\nkinds = ['forest']\n")
    done = train(fresh, "run")
    assert done.returncode != 0
    assert "train.kinds must be one of lambdarank, linear, neural, got 'forest'" in " ".join(done.stdout.split())
