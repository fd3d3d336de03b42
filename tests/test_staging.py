"""A task that is started again does nothing twice, and what kills tasks costs itself alone."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from colour_films import colour_film
from conftest import Workplace
from hypothesis import given, settings
from hypothesis import strategies as st

from featurization.errors import StoreError
from featurization.media import Word
from steps.deadline import alarm_passes
from steps.quarantine import TASK_DIED
from steps.staging import PATIENCE, Rows, Staging, Work, clear, gathered, work_through
from steps.store import ROOT, Store
from steps.tables import ASSETS, PROFILES, QUARANTINE, WORDS, Table


@dataclass(frozen=True)
class Told:
    """What became of a key."""

    asset_id: str
    died: bool = False


TOLD = Table("told", Told)


class Death(BaseException):
    """Ends a task as a kill does: nothing catches it."""


def staging(folder: Path) -> Staging[Told]:
    return Staging(Store(str(folder)), "Flow/1", TOLD)


def rows_of(key: str) -> Rows:
    return {WORDS: (Word(0.0, 1.0, key),)}


def work(deadly: set[str], begun: Counter[str]) -> Work[Told]:
    def do(key: str) -> tuple[Told, Rows]:
        begun[key] += 1
        if key in deadly:
            raise Death
        return Told(key), rows_of(key)

    return Work(do, lambda key: Told(key, died=True))


def until_it_ends(keys: list[str], deadly: set[str], place: Staging[Told], *, threads: int = 1) -> Counter[str]:
    """Start the task as Metaflow does, until it ends; how often the work began for each key."""
    begun: Counter[str] = Counter()
    for _ in range(PATIENCE * len(deadly) + 1):
        try:
            told = work_through(keys, work(deadly, begun), place, threads=threads)
        except Death:
            continue
        assert told == [Told(key, died=key in deadly) for key in keys]
        return begun
    raise AssertionError("it never ended")


@settings(max_examples=25, deadline=None)
@given(
    keys=st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1),
    deadly=st.sets(st.sampled_from("abcdefgh"), max_size=3),
)
def test_the_innocent_are_done_once_and_the_deadly_set_aside(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], deadly: set[str]
):
    place = staging(tmp_path_factory.mktemp("store"))
    begun = until_it_ends(keys, deadly & set(keys), place)
    assert begun == {key: PATIENCE if key in deadly else 1 for key in keys}
    for key in keys:
        staged = {table: table.from_arrow(rows)[key] for table, rows in place.rows(key, [WORDS]).items()}
        assert staged == ({} if key in deadly else rows_of(key))


def test_one_deadly_asset_leaves_metaflows_three_attempts_enough(tmp_path: Path):
    place, begun = staging(tmp_path), Counter[str]()
    for attempt in range(3):
        try:
            told = work_through(["a", "b", "c"], work({"b"}, begun), place)
        except Death:
            assert attempt < 2
    assert told == [Told("a"), Told("b", died=True), Told("c")]


def test_of_several_at_a_time_the_suspects_are_tried_one_by_one(tmp_path: Path):
    """Four are under way when the task dies; only one of them is to blame."""
    place, meet = staging(tmp_path), threading.Barrier(4)

    def together(key: str) -> tuple[Told, Rows]:
        meet.wait(timeout=10)
        raise Death

    keys = ["a", "b", "c", "d"]
    with pytest.raises(Death):
        work_through(keys, Work(together, Told), place, threads=4)
    assert {key: place.deaths(key) for key in keys} == {"a": 1, "b": 1, "c": 1, "d": 1}
    begun = until_it_ends([*keys, "e"], {"c"}, place, threads=4)
    assert begun == {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}


class Late(Exception):
    """What the alarm of a task raises."""


def test_a_task_whose_time_is_over_keeps_what_it_had_done_and_blames_no_asset(tmp_path: Path):
    place = staging(tmp_path)

    def ring(_number: int, _frame: object) -> None:
        raise Late

    def slow(key: str) -> tuple[Told, Rows]:
        try:
            if key == "b":
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                time.sleep(10)
            return Told(key), rows_of(key)
        except Exception:  # as whatever an asset raises is caught
            return Told(key, died=True), {}

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(Late), alarm_passes():
            work_through(["a", "b", "c"], Work(slow, Told), place)
        assert signal.getsignal(signal.SIGALRM) is ring
    finally:
        signal.signal(signal.SIGALRM, before)
    fate = gathered(["a", "b", "c"], [], place)
    assert fate == {"a": Told("a"), "b": None, "c": None}
    assert place.deaths("b") == 1  # the task that is started again comes to it last


def test_what_was_cleared_is_said_to_be_gone(tmp_path: Path):
    place = staging(tmp_path)
    place.keep("a", Told("a"), rows_of("a"))
    clear(place.store, "Flow/1")
    assert place.recall("a") is None
    with pytest.raises(StoreError, match=r"what Flow/1 prepared is gone; start a new run \(features are kept\)"):
        place.rows("a", [WORDS])


DEADLY = '''
import os, signal
from featurization.extractor import Findings
from featurization.media import Segment
from dataclasses import dataclass

@dataclass(frozen=True, slots=True)
class Mood(Segment):
    label: str = ""

class Deadly:
    """Kills its process when it sees red, as a broken library would."""
    name, version, licence, options = "mood", "1", "MIT", None
    inputs, space, row = frozenset({"keyframes"}), "", Mood
    def extract(self, shots):
        red, green, _ = shots[0].keyframes[0].mean(axis=(0, 1))
        if red > green:
            os.kill(os.getpid(), signal.SIGKILL)
        return Findings()
'''


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a shell in which a package is installed that kills its process at a red film."""
    site = tmp_path_factory.mktemp("site")
    (site / "deadly.py").write_text(DEADLY)
    facts = site / "deadly-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    group = (ROOT / "tests" / "toy_extractor" / "pyproject.toml").read_text().split("entry-points.")[1].split("]")[0]
    (facts / "entry_points.txt").write_text(f"[{group.strip(chr(34))}]\nmood = deadly:Deadly\n")
    return {"PYTHONPATH": f"{site}:{ROOT}"}


def test_a_film_that_kills_its_task_is_quarantined_alone(workplace: Workplace, deadly: Mapping[str, str]):
    films = workplace.folder / "films"
    films.mkdir()
    for colour in ("red", "green", "blue"):
        colour_film(films / f"{colour}.mp4", [(colour, 1.5)])
    assert workplace.flow("ingest_media", "run", "--source", str(films)).returncode == 0
    titles = {asset_id: rows[0].title for asset_id, rows in workplace.store.read(ASSETS).items()}
    done = workplace.flow("featurize_media", "run", env=deadly)
    assert done.returncode == 3, done.stdout
    assert "Traceback" not in done.stdout
    assert {titles[a] for a in workplace.store.read(PROFILES)} == {"green", "blue"}
    problems = {titles[a]: rows[0] for a, rows in workplace.store.read(QUARANTINE).items()}
    assert {title: problem.reason for title, problem in problems.items()} == {"red": TASK_DIED}
    assert "featurize_media run --assets ID" in problems["red"].detail

    again = workplace.flow("featurize_media", "run", env=deadly)
    assert again.returncode == 0, again.stdout  # it is not tried again by itself
    assert "heard 0 assets" in again.stdout
    (red,) = [asset_id for asset_id, title in titles.items() if title == "red"]
    mended = workplace.flow("featurize_media", "run", "--assets", red)
    assert mended.returncode == 0, mended.stdout
    assert {titles[a] for a in workplace.store.read(PROFILES)} == {"red", "green", "blue"}
    assert workplace.store.read(QUARANTINE) == {}
