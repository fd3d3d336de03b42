"""`rushes golden`: an editor checks a table of clips before anything is trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from golden_store import made_asset, mark, put
from typer.testing import CliRunner, Result

from featurization.errors import SourceError
from featurization.media import Soundbite
from serving.cli import app
from steps.store import Store

ONE = made_asset("1", soundbites=(Soundbite(10, 40, "The hook"),))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store(str(tmp_path / "store"))
    monkeypatch.setenv("RUSHES_STORE", made.url)
    monkeypatch.setenv("COLUMNS", "200")
    return made


def rushes(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["golden", *arguments])


def table(folder: Path, *rows: str) -> str:
    path = folder / "clips.csv"
    path.write_text("\n".join(["asset_id,start,end,editor", *rows]))
    return str(path)


def test_an_empty_store_says_where_clips_come_from(store: Store):
    said = rushes()
    assert said.exit_code == 0
    assert said.output.startswith("no golden clips\n")
    assert "POST /golden-clips" in said.output


def test_it_shows_what_would_be_learned_and_what_not(store: Store, tmp_path: Path):
    put(store, ONE)
    mark(store, ONE, 10, 40, "ann")
    said = rushes("--golden", table(tmp_path, f"{ONE.asset_id},1:40,2:10,bob", f"{ONE.asset_id},1:40,1:42,bob"))
    assert said.exit_code == 2
    lines = [" ".join(line.split()) for line in said.output.splitlines()]
    assert lines[0] == "3 golden clips (1 file, 1 soundbite, 1 studio): 1 episode, 1 show, 3 editors"
    assert "editors agree with a mean IoU of 0.33 (3 pairs in 1 episode)" in lines
    assert {"soundbite 1 1 1 0 0", "studio 1 1 1 0 0", "file 1 1 1 0 1", "verdict 0 0 0 0 0"} <= set(lines)
    assert any(line.startswith(f"file {ONE.asset_id} bob 1:40 2.0 s length clips.csv, row 2: 2.0 s") for line in lines)


def test_a_table_without_fault_is_a_success(store: Store, tmp_path: Path):
    put(store, replace(ONE, soundbites=(Soundbite(500, 700),)))  # the publisher's fault is not the editor's
    said = rushes("--golden", table(tmp_path, f"{ONE.asset_id},10,40,bob"))
    assert (said.exit_code, "outside" in said.output) == (0, True)


def test_scripts_get_everything(store: Store, tmp_path: Path):
    put(store, ONE)
    said = rushes("--json", "--golden", table(tmp_path, *[f"gone{k},10,40,bob" for k in range(60)]))
    found = json.loads(said.stdout)
    assert found["clips"] == [
        {
            "start": 10.0,
            "end": 40.0,
            "asset_id": ONE.asset_id,
            "editor": "publisher of Night",
            "source": "soundbite",
            "grade": 4,
            "weight": 0.5,
            "title": "The hook",
            "realigned_s": 0.0,
        }
    ]
    assert len(found["refused"]) == 60
    assert found["refused"][0]["reason"] == "unknown-asset"
    assert found["agreement"] == {"pairs": 0, "iou_sum": 0.0, "episodes": 0, "mean_iou": 0.0}
    assert found["shows"] == {ONE.asset_id: ONE.feed}


def test_a_long_list_of_faults_is_cut_and_counted(store: Store, tmp_path: Path):
    put(store, ONE)
    said = rushes("--golden", table(tmp_path, *[f"gone{k},10,40,bob" for k in range(60)]))
    assert "and 10 more clips; --json lists all" in said.output


def test_what_a_table_says_cannot_steer_the_terminal(store: Store, tmp_path: Path):
    said = rushes("--golden", table(tmp_path, "\x1b[31mred[bold],10,40,bob[/]"))
    assert "\x1b" not in said.output
    assert "red[bold]" in said.output


def test_a_file_that_is_no_table_is_said_in_one_line(store: Store, tmp_path: Path):
    said = rushes("--golden", str(tmp_path / "none.csv"))
    assert isinstance(said.exception, SourceError)
