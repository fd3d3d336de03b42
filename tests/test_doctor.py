"""The doctor: what it finds here, and what it says of a machine where something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from featurization.models import load_registry
from serving.commands.doctor import Check, examine, healthy, run_doctor
from steps.store import Store

pytestmark = pytest.mark.filterwarnings("ignore:The _yaml extension module:DeprecationWarning")  # Metaflow's own
NEEDED = ("silero-vad-v6", "whisper-tiny.en", "resemblyzer", "minilm-l6-v2")


def checks(*, models: Path | None = None, store: str, group: str) -> dict[str, Check]:
    made = examine(registry=load_registry(folder=models), serving=NEEDED, store_url=store)
    return {check.name: check for check in made if check.group == group}


def test_a_machine_that_passes_its_tests_is_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "store"))
    assert run_doctor(as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    groups = {check["group"] for check in found["checks"]}
    assert groups == {"python", "packages", "models", "store", "metaflow", "gpu", "codecs"}
    versions = {check["name"]: check["found"] for check in found["checks"] if check["group"] == "packages"}
    assert versions["metaflow"] == "2.19.39"


def test_people_get_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "store"))
    run_doctor(as_json=False)
    said = capsys.readouterr().out
    assert said.endswith("everything needed is here\n")
    assert "whisper-tiny.en" in said
    assert not (tmp_path / "store").exists()


def test_a_missing_model_is_named_with_the_way_to_get_it(tmp_path: Path):
    found = checks(models=tmp_path, store=str(tmp_path), group="models")
    assert found["whisper-tiny.en"].state == "missing"
    assert "`rushes models fetch whisper-tiny.en`" in found["whisper-tiny.en"].hint
    assert found["whisper-large-v3"].state == "note"
    assert found["whisper-large-v3"].hint.startswith("better than whisper-small")
    assert not healthy(list(found.values()))


def test_a_model_with_other_bytes_is_corrupt(tmp_path: Path):
    folder = tmp_path / "minilm-l6-v2"
    folder.mkdir()
    for name in load_registry().model("minilm-l6-v2").files:
        (folder / name).write_bytes(b"not the weights")
    found = checks(models=tmp_path, store=str(tmp_path), group="models")["minilm-l6-v2"]
    assert found.state == "missing"
    assert "corrupt" in found.found
    assert "sha256" in found.hint


def test_an_empty_store_is_fine(tmp_path: Path):
    found = checks(store=str(tmp_path / "none" / "store"), group="store")
    assert healthy(list(found.values()))
    assert "empty" in found["place"].hint
    assert found["writable"].found == str(tmp_path)


def test_a_store_where_a_file_lies_is_not(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    found = list(checks(store=str(tmp_path / "file" / "store"), group="store").values())
    assert not healthy(found)
    assert "RUSHES_STORE" in found[-1].hint


def test_a_store_of_no_known_kind_is_not(tmp_path: Path):
    found = checks(store="nothing://there", group="store")["place"]
    assert found.state == "missing"
    assert "RUSHES_STORE" in found.hint


def test_a_remote_store_is_written_to_and_left_as_it_was():
    found = checks(store="memory://doctor", group="store")
    assert found["writable"].state == "ok"
    assert Store("memory://doctor").files.list("") == []
