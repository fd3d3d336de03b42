"""How far a run is, and when it will end, from what its tasks note."""

from __future__ import annotations

import base64
import json
import logging
import re
import wave
from pathlib import Path

import pytest
from conftest import Workplace
from hypothesis import given
from hypothesis import strategies as st

from steps import progress as progress_module
from steps.chunks import FanoutOptions, Waiting
from steps.progress import (
    Load,
    Progress,
    RunProgress,
    TaskProgress,
    announce,
    forget_progress,
    load,
    read_progress,
)
from steps.store import Store

RUN = "FeaturizeMedia/7"
CHUNKS = [{"a": Load(1, 3600, 300), "b": Load(1, 1800, 150)}, {"c": Load(1, 3600, 300)}]
_LOADS = st.builds(Load, st.integers(0, 100), *[st.integers(0, 10**6).map(lambda n: n / 16)] * 2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks note and tell at once, as if much time passed between assets."""
    monkeypatch.setattr(progress_module, "NOTED_S", 0.0)
    monkeypatch.setattr(progress_module, "TOLD_S", 0.0)


def task(chunk: int, done_s: float, *, begun: float, noted: float, planned_s: float = 100.0) -> TaskProgress:
    done = Load(10 if done_s >= planned_s else 1, 0.0, done_s)
    return TaskProgress(chunk, Load(10, 0.0, planned_s), done, begun, noted)


def written(store: Store, *tasks: TaskProgress, tasks_planned: int, planned_s: float) -> RunProgress:
    """What is read after these notes."""
    announce(store, RUN, [{"x": Load(1, 0.0, planned_s / tasks_planned)}] * tasks_planned)
    for one in tasks:
        loads = {n: {"assets": v.assets, "media_s": v.media_s, "work_s": v.work_s} for n, v in one_loads(one).items()}
        note = {"chunk": one.chunk, **loads, "begun": one.begun, "noted": one.noted}
        store.files.write(f"progress/{RUN}/{one.chunk:05d}.json", json.dumps(note).encode())
    progress = read_progress(store, RUN)
    assert progress
    return progress


def one_loads(one: TaskProgress) -> dict[str, Load]:
    return {"planned": one.planned, "done": one.done}


@given(_LOADS, _LOADS, _LOADS)
def test_loads_add_up(a: Load, b: Load, c: Load):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)


def test_the_load_of_an_asset_is_what_the_plan_expects_of_it():
    options = FanoutOptions(audio_factor=0.1, video_factor=0.5)
    assert load(Waiting("a", 600.0), options) == Load(1, 600.0, 60.0)
    assert load(Waiting("f", 600.0, "video"), options) == Load(1, 600.0, 300.0)


def test_before_and_after_a_run_there_is_nothing_to_read(store: Store):
    assert read_progress(store, RUN) is None
    announce(store, RUN, CHUNKS)
    progress = read_progress(store, RUN)
    assert progress
    assert (progress.planned, progress.done, progress.ends) == (Load(3, 9000, 750), Load(), None)
    forget_progress(store, RUN)
    assert read_progress(store, RUN) is None


@pytest.mark.usefixtures("hasty")
def test_assets_count_when_they_are_done(store: Store):
    announce(store, RUN, CHUNKS)
    with Progress(store, RUN, 0, CHUNKS[0]) as progress:
        for asset_id, so_far in (("a", Load(1, 3600, 300)), ("b", Load(2, 5400, 450))):
            with progress.of(asset_id):
                pass
            read = read_progress(store, RUN)
            assert read
            assert read.done == so_far
            assert read.share == so_far.work_s / 750
    assert read.tasks_planned == 2
    assert [one.ended for one in read.tasks] == [True]


def test_notes_are_rare_and_the_last_one_is_never_left_out(store: Store):
    with Progress(store, RUN, 0, CHUNKS[0]) as progress, progress.of("a"):
        pass
    read = read_progress(store, RUN)
    assert read
    assert read.done == Load(2, 5400, 450)  # what was staged by an attempt before is done too
    with pytest.raises(KeyboardInterrupt), Progress(store, RUN, 1, CHUNKS[1]):
        raise KeyboardInterrupt
    read = read_progress(store, RUN)
    assert read
    assert [one.ended for one in read.tasks] == [True, False]


def test_a_task_that_is_started_again_goes_on_from_where_it_began(store: Store):
    with pytest.raises(KeyboardInterrupt), Progress(store, RUN, 0, CHUNKS[0]):
        raise KeyboardInterrupt
    first = read_progress(store, RUN)
    with Progress(store, RUN, 0, CHUNKS[0]):
        again = read_progress(store, RUN)
    assert first
    assert again
    assert again.tasks[0].begun == first.tasks[0].begun
    assert again.tasks[0].noted > first.tasks[0].noted


def test_the_end_is_expected_at_the_rate_of_all_tasks_together(store: Store):
    """Two of four tasks are half done after 60 s: 100 of 400 s of work a minute, so it takes four."""
    halves = [task(n, 50.0, begun=1000.0, noted=1060.0) for n in (0, 1)]
    assert written(store, *halves, tasks_planned=4, planned_s=400.0).ends == 1000 + 4 * 60


def test_no_run_ends_before_its_slowest_task(store: Store):
    ended, slow = task(0, 100.0, begun=1000.0, noted=1060.0), task(1, 10.0, begun=1000.0, noted=1060.0)
    progress = written(store, ended, slow, tasks_planned=2, planned_s=200.0)
    assert progress.ends == slow.ends == 1000 + 10 * 60
    assert progress.slowest == (slow,)


def test_the_slowest_are_named_and_those_first_of_which_nothing_is_known(store: Store):
    tasks = [
        task(0, 50.0, begun=1000.0, noted=1060.0),
        task(1, 0.0, begun=1000.0, noted=1060.0),
        task(2, 20.0, begun=1000.0, noted=1060.0),
        task(3, 40.0, begun=1000.0, noted=1060.0),
    ]
    progress = written(store, *tasks, tasks_planned=4, planned_s=400.0)
    assert [one.chunk for one in progress.slowest] == [1, 2, 3]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1000), st.floats(1, 1000)), min_size=1, max_size=8))
def test_the_expected_end_is_never_in_the_past(tmp_path_factory: pytest.TempPathFactory, said: list[tuple[float, ...]]):
    store = Store(str(tmp_path_factory.mktemp("store")))
    tasks = [task(n, done, begun=begun, noted=begun + took) for n, (done, begun, took) in enumerate(said)]
    progress = written(store, *tasks, tasks_planned=8, planned_s=800.0)
    assert progress.ends is None or progress.ends >= max(one.noted for one in tasks) - 1e-6
    assert 0 <= progress.share <= 1


def test_one_line_says_it_all(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    ended = TaskProgress(0, Load(2, 5400, 450), Load(2, 5400, 450), 0.0, 600.0)
    run = RunProgress(RUN, Load(3, 9000, 750), Load(2, 5400, 450), 2, (ended,), 1000.0)
    assert re.sub(r"done \w{3} \d\d:\d\d", "done DAY", run.describe()) == (
        f"{RUN}: 2 of 3 assets, 1.5 of 2.5 h, 1 of 2 tasks ended; about done DAY"
    )


@pytest.mark.usefixtures("hasty")
def test_only_the_first_task_tells_of_the_run_while_it_is_at_work(store: Store, caplog: pytest.LogCaptureFixture):
    shown: list[float] = []
    with caplog.at_level(logging.INFO, "steps.progress"):
        for chunk, loads in enumerate(CHUNKS):
            with Progress(store, RUN, chunk, loads, show=lambda run: shown.append(run.share)) as progress:
                for asset_id in loads:
                    with progress.of(asset_id):
                        pass
    assert [line.partition(" assets")[0] for line in caplog.messages] == [
        f"{RUN}: 1 of 2",  # after its first asset, before the second task began
        f"{RUN}: 2 of 2",  # at its end
        f"{RUN}: 3 of 3",  # at the end of the second
    ]
    assert shown == [0, pytest.approx(2 / 3), 1, 1]


def test_the_flow_shows_it_on_a_card_of_the_first_task_and_forgets_it_at_the_end(workplace: Workplace):
    (workplace.folder / "split.toml").write_text("[fanout]\ntask_minutes = 0.001\n")
    (workplace.folder / "media").mkdir()
    for length_s in (2, 3):
        with wave.open(str(workplace.folder / "media" / f"{length_s}.wav"), "wb") as silence:
            silence.setparams((1, 2, 16_000, 0, "NONE", ""))
            silence.writeframes(bytes(2 * 16_000 * length_s))
    done = workplace.flow("ingest_media", "run", "--source", str(workplace.folder / "media"))
    assert done.returncode == 0, done.stdout
    done = workplace.flow("featurize_media", "--config", "config", "split.toml", "run")
    assert done.returncode == 0, done.stdout
    assert "2 of 2 assets" in done.stdout
    cards = [str(path) for path in (workplace.folder / ".metaflow").rglob("*.html") if "/hear/" in str(path)]
    assert len(cards) == 1
    held = re.findall(r'"([A-Za-z0-9+/=]{200,})"', Path(cards[0]).read_text())  # what a card shows is in base64
    assert any(b"of 2 tasks ended" in base64.b64decode(one) for one in held)
    assert workplace.store.files.list("progress/FeaturizeMedia") == []
