"""What training takes, in processes of their own: `python -m benchmarks.ranking_cost FILE.npz made COUNT` and `… KIND`.

The first makes COUNT episodes, the others train one kind of ranker on them and print what it took. The kernel charges a
process with at least the memory of the one that started it, so the benchmark asks for this before it holds anything.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.job import say
from benchmarks.processes import run_measured, run_peer
from steps.store import ROOT

CLIPS = 300  # of each episode
_MADE = 100  # episodes that the others are copies of
_SCORED = 50  # times that an episode is scored


def training_cost(kinds: Sequence[str], count: int, *, scratch: Path) -> dict[str, Mapping[str, Any]]:
    """What each kind of ranker takes to train on `count` episodes of 300 clips, and to score one."""
    path, environment = str(scratch / "groups.npz"), {**os.environ, "PYTHONPATH": str(ROOT)}
    made = ["-m", "benchmarks.ranking_cost", path, "made", str(count)]
    run_measured(made, folder=scratch, environment=environment)
    found: dict[str, Mapping[str, Any]] = {}
    for kind in kinds:
        found[kind] = run_peer("ranking_cost", path, kind, folder=scratch, environment=environment)
        say(f"{kind}: {found[kind].get('train_s', float('nan')):.1f} s for {count} episodes")
    return found


def make(path: Path, count: int) -> None:
    """Features (count, 300, features) and grades (count, 300): made episodes again and again, with a little noise."""
    from benchmarks.made_catalogue import make_catalogue
    from benchmarks.ranking_corpus import grade
    from steps.settings import Settings

    graded = grade(make_catalogue(min(count, _MADE)), Settings())
    kept = [np.arange(CLIPS) % len(episode.start) for episode in graded]  # some are made with a few clips less
    matrix = np.stack([episode.matrix[rows] for episode, rows in zip(graded, kept, strict=True)])
    grades = np.stack([episode.grades[rows] for episode, rows in zip(graded, kept, strict=True)])
    again = np.arange(count) % len(graded)
    noise = np.random.default_rng(0).normal(size=(count, *matrix.shape[1:]))
    np.savez(path, matrix=matrix[again] + 0.01 * matrix.std(axis=(0, 1)) * noise, grades=grades[again])


def cost(path: Path, kind: str) -> dict[str, float]:
    """Seconds to train with the kind's defaults, and milliseconds to score an episode with its reasons (median)."""
    from ranking.groups import RankingGroup
    from ranking.kinds import KINDS

    with np.load(path) as stored:
        matrices, grades = stored["matrix"], stored["grades"]
    groups = [RankingGroup(f"{n:06d}", m, g) for n, (m, g) in enumerate(zip(matrices, grades, strict=True))]
    started = time.perf_counter()
    ranker = KINDS[kind].train(groups)
    train_s = time.perf_counter() - started
    ranker.score(matrices[0])  # builds what the others use
    took = []
    for number in range(_SCORED):
        started = time.perf_counter()
        ranker.score(matrices[number % len(matrices)])
        took.append(time.perf_counter() - started)
    return {"train_s": train_s, "score_ms": 1000 * float(np.median(took))}


if __name__ == "__main__":
    file, what = Path(sys.argv[1]), sys.argv[2]
    if what == "made":
        make(file, int(sys.argv[3]))
    else:
        print(json.dumps(cost(file, what)))
