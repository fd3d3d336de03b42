"""`python -m benchmarks tags` on pictures of plain colours, which any encoder tells apart."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation.examples import statistics_of
from benchmarks.tag_editor import MOST, OPTIONS, Corpus, judgements_needed
from steps.store import ROOT

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220)}
EACH = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight noisy pictures of each of three colours."""
    made = tmp_path_factory.mktemp("pictures")
    draw = np.random.default_rng(0)
    rows = []
    for label, colour in COLOURS.items():
        for at in range(EACH):
            pixels = np.clip(np.array(colour) + draw.normal(0, 25, (64, 64, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(made / f"{label}-{at}.png")
            rows.append((f"{label}-{at}.png", label))
    with (made / "labels.csv").open("w", newline="") as lines:
        csv.writer(lines).writerows([("file", "label"), *rows])
    return made


def benchmark(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", "tags", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)


def test_colours_are_learned_and_told_in_full(folder: Path, tmp_path: Path):
    out, predictions = tmp_path / "tags.json", tmp_path / "predictions"
    done = benchmark(folder, "--shots", "1,4,25", "--seeds", 1, "--out", out, "--predictions", predictions)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    metrics = report["metrics"]
    assert set(metrics) == {"shots_1", "shots_4", "editor", "seconds"}  # no class has 25
    assert metrics["shots_4"]["map"] > 0.9
    assert metrics["shots_4"]["classes"] == 3
    assert set(report["peers"]) == {"zero-shot text", "logistic regression"}
    assert metrics["editor"]["suggested"] <= 12  # all that there are
    rows = list(csv.DictReader((predictions / "scores.csv").read_text().splitlines()))
    assert len(rows) == 2 * 3
    assert {row["label"] for row in rows} == set(COLOURS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\nmissing.png,red\nred-0.png,blue\n", "missing.png: cannot be read as a picture"),
        ("name,colour\nred-0.png,red\n", "each row needs a file and a label"),
        ("file,label\nred-0.png,red\n", "all pictures have one label"),
        ("", "each row needs a file and a label"),
    ],
)
def test_a_folder_that_cannot_be_measured_is_one_line(folder: Path, tmp_path: Path, text: str, said: str):
    (tmp_path / "red-0.png").write_bytes((folder / "red-0.png").read_bytes())
    (tmp_path / "labels.csv").write_text(text)
    done = benchmark(tmp_path, "--out", tmp_path / "tags.json")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def rare(seed: int) -> Corpus:
    """Of forty kinds of vectors, three are looks of one thing, all of which have to be met."""
    draw = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(40), 12)
    centres = np.linalg.qr(draw.standard_normal((64, 40)))[0].T
    rows = centres[kinds] + 0.15 * draw.standard_normal((len(kinds), 64))
    features = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    truth = kinds < 3
    likeness = draw.standard_normal(len(kinds)) + truth
    halves = np.arange(0, len(kinds), 2), np.arange(1, len(kinds), 2)
    return Corpus(features, likeness, truth, *halves, statistics_of(features[halves[0]], OPTIONS))


def test_an_editor_who_is_led_needs_fewer_judgements_for_what_is_rare():
    made = [(seed, rare(seed)) for seed in range(3)]
    led = [judgements_needed(corpus, "suggested", seed) for seed, corpus in made]
    lost = [judgements_needed(corpus, "random", seed) or MOST for seed, corpus in made]
    assert None not in led
    assert sum(filter(None, led)) <= sum(lost) / 2
