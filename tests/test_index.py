"""The index of what the store holds: built from it alone, one space a collection, and never half there."""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colour_films import colour_film
from conftest import Workplace
from index_factory import milvus_server
from stocked_store import LAMP, ROPE, hearing_tables, stocked

from featurization.errors import SearchIndexError
from featurization.media import Shot, Tag, Vector
from search.exact_index import ExactIndex
from serving.commands.index import rebuild
from steps.index import (
    check_index,
    content_digest,
    index_address,
    open_store_index,
    publish,
    update_index,
)
from steps.index_rows import collections
from steps.store import Store
from steps.tables import SHOTS, TAGS, VECTORS

STEPS = ("start", "hear", "commit", "publish_index", "end")
SHOTS_OF_LAMP = (Shot(0.0, 4.0, 0, "start"), Shot(4.0, 9.0, 1, "cut", brightness=0.5))


def seen(space: str = "eyes@1") -> dict:
    """Tables of two shots of the lamp."""
    pictures = [Vector(s.start, s.end, "image", space, (float(s.number), 1.0, 0.0)) for s in SHOTS_OF_LAMP]
    tags = [Tag(4.0, 9.0, "night", 0.9, "test"), Tag(3.9, 4.4, "lamp", 0.8, "test")]
    sentences = hearing_tables(LAMP)[VECTORS][LAMP]
    return {SHOTS: {LAMP: SHOTS_OF_LAMP}, TAGS: {LAMP: tags}, VECTORS: {LAMP: [*sentences, *pictures]}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = stocked(tmp_path / "store")
    made.commit("FeaturizeMedia/9", seen())
    return made


def test_shots_and_sentences_become_rows_with_what_is_filtered_on(store: Store):
    found = {collection.name: collection for collection in collections(store, {})}
    shots = found["shots"].columns.to_pylist()
    assert [(row["id"], row["duration"], row["tags"]) for row in shots] == [
        (f"{LAMP}-0000", 4.0, ""),
        (f"{LAMP}-0001", 5.0, "|lamp|night|"),
    ]
    assert {row["show"] for row in shots} == {"Night"}
    assert found["shots"].space == "eyes@1"
    assert found["shots"].vectors.tolist() == [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    sentences = found["sentences"].columns.to_pylist()
    assert {row["asset_id"] for row in sentences} >= {LAMP, ROPE}
    assert sentences[0]["id"] == f"{sentences[0]['asset_id']}-s0000"
    assert len(found["sentences"].vectors) == len(sentences)


def test_vectors_of_two_encoders_never_share_a_collection(store: Store, caplog: pytest.LogCaptureFixture):
    other = [Vector(0.0, 600.0, "image", "eyes@2", (1.0, 0.0))]
    store.commit("FeaturizeMedia/10", {SHOTS: {ROPE: [Shot(0.0, 600.0, 0, "start")]}, VECTORS: {ROPE: other}})
    with caplog.at_level(logging.WARNING):
        by_wish = {c.name: c for c in collections(store, {"image": "eyes@2"})}
    assert by_wish["shots"].space == "eyes@2"
    assert by_wish["shots"].columns["asset_id"].to_pylist() == [ROPE]
    assert "2 image vectors of other encoders" in caplog.text
    commonest = {c.name: c for c in collections(store, {})}
    assert commonest["shots"].space == "eyes@1"


def test_the_digest_changes_with_what_is_indexed_and_with_nothing_else(store: Store):
    before = content_digest(store.current(), {})
    assert content_digest(store.current(), {"image": "eyes@2"}) != before
    store.commit("PublishPreviews/11", {})
    assert content_digest(store.current(), {}) == before
    store.commit("FeaturizeMedia/12", {TAGS: {LAMP: []}})
    assert content_digest(store.current(), {}) != before


def test_an_index_is_written_once_for_one_state(store: Store):
    first = update_index(store, run="FeaturizeMedia/9", spaces={})
    again = update_index(store, run="FeaturizeMedia/13", spaces={})
    assert (first.fresh, again.fresh) == (True, False)
    assert again.generation == first.generation
    assert "2 shots" in first.describe()


def test_a_remote_store_without_a_named_index_gets_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RUSHES_INDEX", raising=False)
    remote = Store("memory://somewhere")
    assert index_address(remote) == ""
    assert "RUSHES_INDEX" in update_index(remote, run="x", spaces={}).describe()


def test_an_index_that_is_down_costs_nothing_but_the_index(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("RUSHES_STORE", store.url)
    with milvus_server(tmp_path / "data") as address:
        monkeypatch.setenv("RUSHES_INDEX", address)
        check_index(store)
    with pytest.raises(SearchIndexError, match=r"RUSHES_INDEX") as told:
        check_index(store)
    assert "\n" not in str(told.value)
    down = update_index(store, run="FeaturizeMedia/9", spaces={})
    assert down.failed
    assert down.generation is None
    assert "rushes index rebuild" in down.describe()
    assert "\n" not in down.describe()
    with milvus_server(tmp_path / "data") as address:
        monkeypatch.setenv("RUSHES_INDEX", address)
        rebuild()
        assert "2 shots" in capsys.readouterr().out
        assert shots_found(store) == [f"{LAMP}-0000", f"{LAMP}-0001"]


def test_an_index_that_goes_down_while_it_is_written_costs_nothing_else(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    with ExitStack() as down:
        monkeypatch.setenv("RUSHES_INDEX", down.enter_context(milvus_server(tmp_path / "data")))

        def then_down(*given: object) -> object:
            down.close()
            return collections(*given)

        monkeypatch.setattr("steps.index.collections", then_down)
        assert update_index(store, run="FeaturizeMedia/9", spaces={}).failed


def test_the_index_is_named_by_the_environment(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert index_address(store) == f"{store.url}/index"
    monkeypatch.setenv("RUSHES_INDEX", str(tmp_path / "elsewhere"))
    assert index_address(store) == str(tmp_path / "elsewhere")


def test_a_shot_without_its_vector_is_not_indexed_under_another_ones(store: Store):
    store.commit("FeaturizeMedia/9", {SHOTS: {LAMP: [*SHOTS_OF_LAMP, replace(SHOTS_OF_LAMP[1], number=2)]}})
    index = ExactIndex()
    publish(store, index, run="x", spaces={})
    assert "shots" not in index.current().stamps


def shots_found(store: Store) -> list[str]:
    """Ids of all shots that the index finds."""
    index = open_store_index(store)
    try:
        stamp = index.current().stamps["shots"]
        query = np.full((1, stamp.dim), stamp.dim**-0.5, dtype=np.float32)
        return sorted(hit.id for hit in index.search("shots", query, space=stamp.space, limit=100)[0])
    finally:
        index.close()


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """One film in the index, and another one that is not featurized yet."""
    place = Workplace(tmp_path_factory.mktemp("filmed"))
    for name in ("first", "second"):
        film = colour_film(place.folder / f"{name}.mp4", [("red", 1.5), ("green", 1.5), ("white", 1.5)])
        film.write_bytes(film.read_bytes() + name.encode())  # films of other bytes are other assets
        assert place.flow("ingest_media", "run", "--source", str(film)).returncode == 0
        if name == "first":
            assert place.flow("featurize_media", "run").returncode == 0
    return place


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_leaves_the_index_answering(filmed: Workplace, step: str, tmp_path: Path):
    place = Workplace(tmp_path / "place")
    shutil.copytree(filmed.folder, place.folder, symlinks=True)
    before = shots_found(place.store)
    assert len(before) == 3
    place.kill_at(step, "featurize_media", "run")
    after = shots_found(place.store)
    assert after == before or (step == "end" and len(after) == 6)
    assert place.flow("featurize_media", "run").returncode == 0
    assert len(shots_found(place.store)) == 6


def test_the_index_is_rebuilt_from_the_store_alone(filmed: Workplace, tmp_path: Path):
    place = Workplace(tmp_path / "place")
    shutil.copytree(filmed.folder, place.folder, symlinks=True)
    before = shots_found(place.store)
    shutil.rmtree(place.folder / "store" / "index")
    done = place.python("-m", "serving.cli", "index", "rebuild")
    assert done.returncode == 0, done.stdout
    assert shots_found(place.store) == before
