"""The ranking task through the real command line: on a small made catalogue, and on golden clips of a store."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.made_catalogue import make_catalogue, stock
from benchmarks.ranking_corpus import corpus
from ranking.baselines import BASELINES
from steps.golden import Golden
from steps.store import ROOT, Store


def benchmarks(*arguments: object, store: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", "ranking", *map(str, arguments)]
    environment = {**os.environ, "RUSHES_STORE": str(store)} if store else None
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)


def test_learning_is_measured_beside_what_needs_none(tmp_path: Path) -> None:
    out, config = tmp_path / "ranking.json", tmp_path / "quick.toml"
    config.write_text('[train]\nkinds = ["lambdarank"]\n')
    done = benchmarks("--seeds", 1, "--golden", 6, 4, "--episodes", 8, "--config", config, "--out", out)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert report["counts"] == {"seeds": 1, "golden": [4, 6], "training_episodes": 8}
    assert {"prior", "the taste itself", "another editor", "lambdarank", *BASELINES} == set(report["peers"])
    for labels in ("true", "shuffled"):
        ours, prior = report["metrics"][labels]["6"], report["peers"]["prior"][labels]["6"]
        assert ours["gain"] == pytest.approx(ours["ndcg_5"] - prior["ndcg_5"], abs=1e-5)
        assert ours["ndcg_5_low"] == ours["ndcg_5"] == ours["ndcg_5_high"]
        assert 0 <= ours["hit_1"] <= 1
    (cost,) = report["metrics"]["training"].values()
    assert cost["train_s"] > 0
    assert 50 < cost["peak_mb"] < 2000
    assert report["peers"]["the taste itself"]["true"]["4"]["ndcg_5"] > 0.4


@pytest.mark.parametrize(("largest", "episodes", "teaching"), [(10, 16, 12), (30, 40, 30), (31, 80, 60), (60, 80, 60)])
def test_every_fourth_show_is_held_out(monkeypatch, largest: int, episodes: int, teaching: int) -> None:
    monkeypatch.setattr(
        "benchmarks.ranking_corpus.make_catalogue", lambda count, **options: (options["shows"],) * count
    )
    made, teaches = corpus(largest, seed=1, shuffled=False)
    shows = made[0]
    assert (len(made), sum(teaches)) == (episodes, teaching)
    assert all(teaches[number] == teaches[number % shows] for number in range(len(made)))


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    stock(Store(str(folder)), make_catalogue(3))
    return folder


def golden_csv(folder: Path, clips: list[Golden]) -> Path:
    folder.mkdir()
    with (folder / "golden_clips.csv").open("w", newline="") as file:
        rows = [(clip.asset_id, clip.start, clip.end, clip.editor) for clip in clips]
        csv.writer(file).writerows([("asset_id", "start", "end", "editor"), *rows])
    return folder


def test_golden_clips_of_a_store_are_judged_and_the_picks_written(store: Path, tmp_path: Path) -> None:
    clips = [clip for made in make_catalogue(3) for clip in made.golden]
    data = golden_csv(tmp_path / "data", clips)
    out, picks = tmp_path / "ranking.json", tmp_path / "picks"
    done = benchmarks(data, "--out", out, "--predictions", picks, store=store)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert report["counts"] == {"episodes": 3, "shows": 3, "clips": 6, "refused": 0, "episodes_of_shows_that_taught": 0}
    assert report["metrics"] == report["peers"]["prior"]  # no ranker was trained
    assert report["ranker"].startswith("prior@")
    assert set(report["peers"]) == {"prior", "editors", *BASELINES}
    with (picks / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["asset_id"] for row in rows} == {clip.asset_id for clip in clips}
    assert all(row["rank"] == "1" and float(row["end"]) - float(row["start"]) >= 20 for row in rows)
    assert {path.name for path in picks.iterdir()} == {
        "ranking.csv",
        "ranking-prior.csv",
        *(f"ranking-{name}.csv" for name in BASELINES),
    }


@pytest.mark.parametrize(
    ("clips", "complaint"),
    [(None, "no file golden_clips.csv in it"), ([Golden(0, 30, "0" * 16, "ann", "file", 4, 1.0)], "can be used")],
)
def test_a_folder_that_says_nothing_of_the_store_is_refused(store: Path, tmp_path: Path, clips, complaint: str) -> None:
    data = tmp_path / "data"
    golden_csv(data, clips) if clips else data.mkdir()
    done = benchmarks(data, "--out", tmp_path / "out.json", store=store)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
