"""`rushes rankers`: seen, put in use and retired by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from test_promotion import RANKER, lineage

from ranking.prior import Prior
from serving import cli
from steps.rankers import keep_ranker
from steps.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("RUSHES_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")
    return Store()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["rushes", "rankers", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out + told.err

    return run


def test_a_store_without_one_says_how_to_train_one(store: Store, said):
    status, told = said()
    assert status == 0
    assert "no ranker was trained yet; train one" in told
    assert f"in use: {Prior().identity}" in told


def test_a_ranker_is_listed_put_in_use_and_retired(store: Store, said):
    keep_ranker(RANKER, lineage(RANKER.identity), store=store)
    _, listed = said()
    assert RANKER.identity in listed
    assert "kept x: y" in listed
    assert said("use", RANKER.identity) == (
        0,
        f"{RANKER.identity} is in use; previews follow with `python flows/publish_previews.py run --assets all`\n",
    )
    assert json.loads(said("--json")[1])["in_use"] == RANKER.identity
    assert said("retire")[0] == 0
    assert json.loads(said("--json")[1])["in_use"] == Prior().identity


def test_a_ranker_that_is_not_there_is_one_line(store: Store, said):
    status, told = said("use", "forest@1")
    assert status == 1
    assert told == "rushes: 0 trained rankers are called 'forest@1'; known: none yet: train one\n"
