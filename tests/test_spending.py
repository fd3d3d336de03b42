"""What work took: every kind of work counts what it does alone, and nothing is counted twice."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Segment
from steps.cache import Cache
from steps.models import Models
from steps.options import build
from steps.savings import Reuse, Savings, saved
from steps.settings import Settings
from steps.spending import NOTHING, Meter, Spent, TaskUse, by_step, idle_s, peak_mb, pooled, task_use, total
from steps.store import Store
from steps.tables import Table

# Multiples of a power of two, whose sums are exact in any order.
_NUMBERS = st.integers(0, 10**6).map(lambda n: n / 16)
_COUNTS = st.integers(0, 10**9)
_SPENT = st.builds(Spent, _NUMBERS, _NUMBERS, _NUMBERS, _COUNTS, _COUNTS)
_REUSE = st.builds(Reuse, _COUNTS, _COUNTS, _NUMBERS, _NUMBERS)
_NAMES = st.sampled_from(["words", "turns", "shots"])
_SAVINGS = st.builds(
    Savings, _NUMBERS, _NUMBERS, st.dictionaries(_NAMES, _REUSE), _NUMBERS, _NUMBERS, _NUMBERS, _COUNTS, _COUNTS
)
SPANS = Table("spans", Segment)


@given(st.lists(st.dictionaries(_NAMES, _SPENT)))
def test_pooling_neither_loses_nor_adds(many: list[dict[str, Spent]]):
    assert total(pooled(many)) == reduce(Spent.__add__, map(total, many), NOTHING)


@given(_SPENT, _SPENT)
def test_taking_away_is_the_inverse_of_adding(one: Spent, other: Spent):
    assert one + other - other == one


@given(st.lists(_SAVINGS, max_size=6), st.integers(0, 6))
def test_savings_add_up_however_they_are_grouped(many: list[Savings], cut: int):
    assert saved([saved(many[:cut]), saved(many[cut:])]) == saved(many)
    assert saved(many).media_s == sum(one.media_s for one in many)


def test_work_inside_other_work_counts_for_itself_alone():
    meter = Meter()
    with meter.timed("outer"):
        time.sleep(0.05)
        with meter.timed("inner", gpu=True):
            time.sleep(0.1)
    outer, inner = meter.spent["outer"], meter.spent["inner"]
    assert 0.05 <= outer.wall_s < 0.1 <= inner.wall_s
    assert outer.gpu_s == 0
    assert inner.gpu_s == inner.wall_s


def test_bytes_count_for_whoever_moves_them(tmp_path: Path):
    store = Store(str(tmp_path))
    meter = Meter(store.files)
    with meter.timed("outer"):
        store.files.write("a", b"12345")
        with meter.timed("inner"):
            store.files.read("a")
    with meter.moving("kept"):
        store.files.read("a")
    moved = {name: (spent.read_bytes, spent.written_bytes) for name, spent in meter.spent.items()}
    assert moved == {"inner": (5, 0), "outer": (0, 5), "kept": (5, 0)}
    assert (meter.spent["kept"].wall_s, meter.spent["kept"].cpu_s) == (0, 0)


def test_every_way_to_move_bytes_is_counted(tmp_path: Path):
    files = Store(str(tmp_path / "store")).files
    source = tmp_path / "source"
    source.write_bytes(b"x" * 7)
    files.put("put", source)
    files.write("written", b"x" * 20)
    files.create("created", b"x" * 300)
    assert not files.create("created", b"y" * 300)
    assert files.written_bytes == 327
    with files.as_local("put"):
        pass
    files.read("written")
    files.read_if_there("created")
    assert files.read_if_there("missing") is None
    assert b"".join(files.pieces("created", 0, 100)) == b"x" * 100
    assert files.read_bytes == 7 + 20 + 300 + 100


def test_what_is_kept_is_read_and_costs_no_work(tmp_path: Path):
    store, rows = Store(str(tmp_path)), (Segment(0.0, 1.0),)
    first, second = Cache(store, "a" * 64), Cache(store, "a" * 64)
    for cache in (first, second):
        assert cache.rows("speech", SPANS, "options", lambda: rows) == rows
        assert cache.array("levels", "options", lambda: np.ones(3)).tolist() == [1, 1, 1]
    assert first.reuse == {"speech": Reuse(computed=1), "levels": Reuse(computed=1)}
    assert second.reuse == {"speech": Reuse(read=1), "levels": Reuse(read=1)}
    assert first.computed("speech")
    assert not second.computed("speech")
    assert (total(second.meter.spent).wall_s, total(second.meter.spent).cpu_s) == (0, 0)
    assert total(second.meter.spent).read_bytes == total(first.meter.spent).written_bytes > 0


def test_an_asset_of_which_one_value_was_new_counts_as_computed():
    assert (Reuse(read=1) + Reuse(computed=1)).over(60.0) == Reuse(1, 1, 0.0, 60.0)
    assert Reuse(read=2).over(60.0) == Reuse(2, 0, 60.0, 0.0)


def test_what_runs_on_a_gpu_is_what_the_config_puts_there(tmp_path: Path):
    """No accelerator is needed to ask: `device` says it."""
    there = build(Settings, {"transcribe": {"device": "cuda"}, "vision": {"device": "cpu"}})
    models = Models(there)
    assert [models.on_gpu(name) for name in ("words", "image-vectors", "turns", "decode")] == [
        True,
        False,
        False,
        False,
    ]
    cache = Cache(Store(str(tmp_path)), "a" * 64, on_gpu=models.on_gpu)
    for name in ("words", "turns"):
        cache.rows(name, SPANS, "", lambda: [Segment(0.0, time.sleep(0.02) or 1.0)])
    assert cache.meter.spent["words"].gpu_s == cache.meter.spent["words"].wall_s > 0
    assert cache.meter.spent["turns"].gpu_s == 0


def use(step: str, task: str, begun: float, wall_s: float, peak: float = 100.0) -> TaskUse:
    return TaskUse(step, task, begun, Spent(wall_s, wall_s / 2), peak)


# start 0–10, two tasks 12–32 and 20–25, commit 40–41
RUN = [use("hear", "3", 20, 5, 300), use("start", "1", 0, 10), use("commit", "4", 40, 1), use("hear", "2", 12, 20, 200)]


def test_steps_are_summed_in_the_order_of_the_run():
    steps = by_step(RUN)
    assert [(s.step, s.tasks, s.spent.wall_s, s.longest_s, s.peak_mb) for s in steps] == [
        ("start", 1, 10, 10, 100),
        ("hear", 2, 25, 20, 300),
        ("commit", 1, 1, 1, 100),
    ]


def test_idle_is_when_no_task_is_at_work():
    assert idle_s(RUN) == (12 - 10) + (40 - 32)
    assert idle_s([]) == 0


def test_peak_memory_is_that_of_the_process():
    """A process that once held 200 MB says so after it let them go."""
    code = (
        "from steps.spending import peak_mb; before = peak_mb(); held = b'x' * 200_000_000; del held; "
        "print(peak_mb() - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 150 < float(grown) < 250
    assert peak_mb() > 10


def test_a_task_says_what_its_process_took(tmp_path: Path):
    files = Store(str(tmp_path)).files
    files.write("a", b"123")
    said = task_use("hear", "7", begun=time.time() - 5, files=files)
    assert (said.step, said.task) == ("hear", "7")
    assert 5 <= said.spent.wall_s < 6
    assert said.ended == pytest.approx(said.begun + said.spent.wall_s)
    assert (said.spent.read_bytes, said.spent.written_bytes) == (0, 3)
