"""A package of somebody else adds an extractor: kept, indexed, searched, filtered, shown and rolled back like ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colour_films import colour_film
from conftest import Workplace

from featurization.errors import ExtractorError
from featurization.extractor import Findings, ShotView
from featurization.media import Segment
from steps.extracted import checked, run, verified
from steps.store import ROOT

TOY = ROOT / "tests" / "toy_extractor"
ORDER = ("red", "green", "blue")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a shell in which the toy package is installed beside rushes."""
    source, target = tmp_path_factory.mktemp("source") / "toy", tmp_path_factory.mktemp("site")
    subprocess.run(["cp", "-r", str(TOY), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    return {"PYTHONPATH": f"{target}:{ROOT}"}


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory, toy: Mapping[str, str]) -> Workplace:
    """A film of three colours: featurized without the package, and then again with it."""
    place = Workplace(tmp_path_factory.mktemp("filmed"))
    film = colour_film(place.folder / "colours.mp4", [(colour, 2.0) for colour in ORDER])
    for name, arguments, environment in (
        ("ingest_media", ["--source", str(film)], {}),
        ("featurize_media", [], {}),
        ("featurize_media", ["--assets", "all"], toy),
    ):
        done = place.flow(name, "run", *arguments, env=environment)
        assert done.returncode == 0, done.stdout
    return place


def rushes(place: Workplace, toy: Mapping[str, str], *arguments: str) -> Any:
    done = place.python("-m", "serving.cli", *arguments, "--json", env=toy, stderr=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def test_its_rows_are_in_a_table_of_their_own_one_a_shot(filmed: Workplace):
    rows = filmed.store.arrow_named("layer-dominant-colour").to_pylist()
    assert [row["label"] for row in rows] == list(ORDER)
    assert [row["start"] for row in rows] == pytest.approx([0.0, 2.0, 4.0], abs=0.05)


def copied(filmed: Workplace, folder: Path) -> Workplace:
    """The same store, to change at will."""
    subprocess.run(["cp", "-r", f"{filmed.folder}/store", str(folder / "store")], check=True)
    return Workplace(folder)


def test_its_results_are_kept_and_nothing_is_computed_again(filmed: Workplace, toy: Mapping[str, str], tmp_path: Path):
    again = copied(filmed, tmp_path).flow("featurize_media", "run", "--assets", "all", env=toy)
    assert again.returncode == 0, again.stdout
    assert "in 0 s" in again.stdout
    assert "(unchanged)" in again.stdout


def test_its_collection_is_asked_with_words(filmed: Workplace, toy: Mapping[str, str]):
    found = rushes(filmed, toy, "search", "green", "--by", "dominant-colour", "--min-confidence", "0")
    assert found["shots"]["items"][0]["start"] == pytest.approx(2.0, abs=0.05)


def test_its_labels_are_tags_to_filter_by(filmed: Workplace, toy: Mapping[str, str]):
    found = rushes(filmed, toy, "search", "--tag", "blue", "--min-confidence", "0")
    assert [hit["start"] for hit in found["shots"]["items"]] == pytest.approx([4.0], abs=0.05)


def test_its_layer_is_in_the_timeline(filmed: Workplace):
    from fastapi.testclient import TestClient

    from serving.api import create_app

    with TestClient(create_app(filmed.store)) as client:
        (asset,) = client.get("/assets").json()["items"]
        timeline = client.get(f"/assets/{asset['asset_id']}/timeline").json()
    assert [row["label"] for row in timeline["layers"]["dominant-colour"]] == list(ORDER)


def test_rolling_back_takes_it_out_of_tables_and_index(filmed: Workplace, toy: Mapping[str, str], tmp_path: Path):
    place = copied(filmed, tmp_path)
    for command in (["rollback"], ["index", "rollback"]):
        done = place.python("-m", "serving.cli", *command, env=toy)
        assert done.returncode == 0, done.stdout
    assert "layer-dominant-colour" not in place.store.current().tables
    (*_, current) = [g for g in rushes(place, toy, "index", "status")["generations"] if g["current"]]
    assert "dominant-colour" not in current["stamps"]
    assert "shots" in current["stamps"]


@dataclass(frozen=True, slots=True)
class Label(Segment):
    label: str = ""


@dataclass(frozen=True, slots=True)
class Unkeepable(Segment):
    where: complex = 0j


class Declared:
    """An extractor that yields what a test gives it."""

    version, licence, options = "1", "MIT", None
    inputs = frozenset({"keyframes"})

    def __init__(self, name: str = "mood", row: Any = Label, space: str = "", findings: Any = None) -> None:
        self.name, self.row, self.space, self._findings = name, row, space, findings

    def extract(self, _shots: Any) -> Findings:
        if self._findings is None:
            raise KeyError("weights")
        return self._findings


@pytest.mark.parametrize(
    ("extractor", "complaint"),
    [
        (Declared(name="Mood"), "lower case"),
        (Declared(name="shots"), "taken"),
        (Declared(row=None), "neither rows nor a vector space"),
        (Declared(row=dict), "extends Segment"),
        (Declared(row=Unkeepable), "no table can hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_kept_is_refused_by_name(extractor: Declared, complaint: str):
    with pytest.raises(ExtractorError, match=complaint):
        checked([extractor])


@pytest.mark.parametrize(
    ("findings", "complaint"),
    [
        (Findings(), "vectors of shape None for 2 shots"),
        (Findings(vectors=np.ones((1, 3), np.float32)), r"\(1, 3\) for 2 shots"),
        (Findings((Segment(0.0, 1.0),), np.ones((2, 3), np.float32)), "a Segment, which it does not declare"),
    ],
    ids=["no vectors", "too few vectors", "a foreign row"],
)
def test_what_is_not_as_declared_is_refused(findings: Findings, complaint: str):
    with pytest.raises(ExtractorError, match=complaint):
        verified(findings, Declared(space="mood@1"), shots=2)


def test_an_extractor_that_fails_is_named():
    views: list[ShotView] = []
    with pytest.raises(ExtractorError, match=r"'mood' failed.*weights.*uninstall"):
        run(Declared(), views)
