"""A catalogue that is larger than a run is heard in bounded runs, the newest first, and each of them is committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import Workplace
from media_factory import encode, noise, tone

from steps.previews import PREVIEWS
from steps.tables import ASSETS, PROFILES, QUARANTINE


def rushes(place: Workplace, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The flows run in the repository, but their history is ours.
    return place.python("-m", "serving.cli", *arguments, env={"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(place.folder)})


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, subprocess.CompletedProcess[str]]:
    """Three recordings of six seconds, the newest of them broken after it was ingested; two runs' worth."""
    place = Workplace(tmp_path_factory.mktemp("backfill"))
    rows = ["path,title,published"]
    for number, sound in enumerate((tone(6.0), noise(6.0, seed=1), noise(6.0, seed=2))):
        encode(place.folder / f"{number}.mp3", sound)
        rows.append(f"{number}.mp3,take {number},202{number}-05-01")
    (place.folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    done = place.flow("ingest_media", "run", "--source", "manifest.csv")
    assert done.returncode == 0, done.stdout
    newest = next(rows[0] for rows in place.store.read(ASSETS).values() if rows[0].title == "take 2")
    Path(place.store.files.path(newest.blob)).write_bytes(b"no longer a recording")
    return place, rushes(place, "backfill", "--max-hours", str(6.5 / 3600))


def test_everything_is_tried_once_and_what_works_is_published(
    backfilled: tuple[Workplace, subprocess.CompletedProcess[str]],
):
    place, done = backfilled
    assert done.returncode == 3, done.stdout
    titles = {asset_id: rows[0].title for asset_id, rows in place.store.read(ASSETS).items()}
    assert {titles[a] for a in place.store.read(PROFILES)} == {"take 0", "take 1"}
    assert {titles[a] for a in place.store.read(QUARANTINE)} == {"take 2"}
    assert {titles[a] for a in place.store.read(PREVIEWS)} == {"take 0", "take 1"}
    assert "Traceback" not in done.stdout


def test_the_newest_went_first_each_in_a_run_of_its_own(
    backfilled: tuple[Workplace, subprocess.CompletedProcess[str]],
):
    place, _ = backfilled
    titles = {asset_id: rows[0].title for asset_id, rows in place.store.read(ASSETS).items()}
    log = (place.folder / "store" / "rushes-backfill.log").read_text()
    heard = [line.partition("hearing ")[2].partition(",")[0] for line in log.splitlines() if "hearing take" in line]
    assert heard == sorted(titles.values(), reverse=True)
    assert log.count("Workflow starting") == 6  # three runs of each flow


def test_called_again_it_has_nothing_to_do(backfilled: tuple[Workplace, subprocess.CompletedProcess[str]]):
    place, _ = backfilled
    before = place.store.current()
    done = rushes(place, "backfill", "--max-hours", "1")
    assert done.returncode == 0, done.stdout
    assert "0.0 h of media are new" in done.stdout
    assert place.store.current() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --max-hours or --max-cost"),
        (("--max-hours", "-1"), "Invalid value"),
        (("--order", "oldest"), "oldest"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(arguments: tuple[str, ...], said: str, workplace: Workplace):
    done = rushes(workplace, "backfill", *arguments)
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout
