"""However often a run is killed and taken up again, its effects are those of one clean run, byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SAMPLES, Workplace

from steps.index import open_store_index
from steps.previews import PREVIEWS
from steps.store import Snapshot
from steps.tables import PROFILES

INGESTED, FEATURIZED, PUBLISHED = 2, 3, 4  # snapshots of the fixture: two ingests, then one run of each flow


def at(step: str) -> Callable[[Workplace, str], bool]:
    """A moment: a task of the step was started."""
    return lambda _place, line: f"/{step}/" in line and "Task is starting" in line


def there(pattern: str) -> Callable[[Workplace, str], bool]:
    """A moment: a file of the store was written, while its task is still at work."""
    return lambda place, _line: any((place.folder / "store").glob(pattern))


def snapshot(place: Workplace, number: int) -> Snapshot:
    return next(one for one in place.store.history() if one.number == number)


def copied(published: Workplace, folder: Path, *, snapshots: int) -> Workplace:
    """The fixture as it was after some of its runs, but for computed features, which are all there."""
    place = Workplace(folder)
    kept = ("blobs", "features", "fetches", "tables", "manifests")
    for name in kept:
        if (published.folder / "store" / name).exists():
            shutil.copytree(published.folder / "store" / name, folder / "store" / name)
    for number in range(1, snapshots + 1):
        source = next((published.folder / "store" / "snapshots").glob(f"*{number:08d}*"))
        (folder / "store" / "snapshots").mkdir(exist_ok=True)
        shutil.copy(source, folder / "store" / "snapshots" / source.name)
    return place


def killed_again_and_again(place: Workplace, name: str, moments: list[Callable[[Workplace, str], bool]], *run: str):
    """Start a run, kill it at the first moment, resume it, kill that at the next, and so on; let the last one end."""
    command = ["run", *run]
    for moment in moments:
        place.kill_when(moment, name, *command)
        command = ["resume"]
    done = place.flow(name, *command)
    assert done.returncode == 0, done.stdout


def unnamed(data: bytes, place: Workplace) -> bytes:
    """A published file without the name of the run that made it."""
    for preview in (rows[0] for rows in place.store.read(PREVIEWS).values()):
        for encoding in ("utf-8", "utf-16-le"):  # JSON, and the tags of MP3 files
            data = data.replace(preview.run.encode(encoding), b"RUN")
    return data


def files_of(place: Workplace, folder: str) -> dict[str, bytes]:
    """Published files by name; what a killed task had half written stays hidden until it is collected."""
    root = place.folder / "store" / folder
    paths = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".part-")]
    return {str(path.relative_to(root)): unnamed(path.read_bytes(), place) for path in paths}


def test_ingest(published: Workplace, tmp_path: Path):
    place = Workplace(tmp_path)
    moments = [at("start"), at("fetch"), there("blobs/*/*"), at("commit"), there("snapshots/*"), at("end")]
    killed_again_and_again(place, "ingest_media", moments, "--source", str(SAMPLES / "feed.xml"))
    assert place.store.current().tables == snapshot(published, 1).tables


def test_featurize(published: Workplace, tmp_path: Path):
    place = copied(published, tmp_path, snapshots=INGESTED)
    assert place.store.read(PROFILES) == {}
    moments = [
        at("start"),
        at("hear"),
        there("staging/*/*/*.zip"),
        at("commit"),
        there(f"snapshots/*{FEATURIZED:08d}*"),
        at("publish_index"),
        there("index/*"),
        at("end"),
    ]
    killed_again_and_again(place, "featurize_media", moments)
    assert place.store.current().tables == snapshot(published, FEATURIZED).tables
    indexes = [open_store_index(one.store) for one in (place, published)]
    generations = [index.current() for index in indexes]
    assert generations[0] and generations[1]
    assert generations[0].digest == generations[1].digest
    assert generations[0].stamps == generations[1].stamps
    for index in indexes:
        index.close()


def test_publish(published: Workplace, tmp_path: Path):
    place = copied(published, tmp_path, snapshots=FEATURIZED)
    moments = [
        at("start"),
        at("render"),
        there("staging/*/*/*.zip"),
        at("publish"),
        there(f"snapshots/*{PUBLISHED:08d}*"),
        there("previews/*/*"),
        at("end"),
    ]
    killed_again_and_again(place, "publish_previews", moments)
    for folder in ("previews", "feeds"):
        assert files_of(place, folder) == files_of(published, folder)
    ours, theirs = place.store.current().tables, snapshot(published, PUBLISHED).tables
    assert ours.keys() == theirs.keys()
    assert {name for name in ours if ours[name] != theirs[name]} <= {PREVIEWS.name}  # which names its run


def test_a_run_that_ended_has_nothing_staged(published: Workplace):
    assert not list((published.folder / "store" / "staging").rglob("*.*"))


@pytest.mark.parametrize("name", ["featurize_media", "publish_previews"])
def test_two_runs_over_the_same_assets_leave_what_one_leaves(name: str, published: Workplace, tmp_path: Path):
    place = copied(published, tmp_path, snapshots=PUBLISHED)
    before = place.store.current().tables
    done = place.flow(name, "run", "--assets", "all")
    assert done.returncode == 0, done.stdout
    assert place.store.current().tables == before
