"""One contract for every index: in memory, in a folder (asked through Milvus Lite, and scanned), on a server."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurization.errors import SearchError, SearchIndexError
from search.conditions import rows_where
from search.exact_index import ExactIndex
from search.full_text import FullText
from search.milvus_folder import MilvusFolder
from search.open_index import open_index
from search.rows import best
from search.vector_index import KEPT, MAX_WINDOW, Collection, Condition, Generation, VectorIndex, Vectors

SPACE = "compass@1"
DIM = 8
HOSTILE = (
    "plain",
    'quo"te',
    "o'clock",
    "back\\slash",
    "end\\",
    "100%",
    "100x",
    "a_b",
    "axb",
    "naïve 日本 🎬",
    "new\nline",
    'x" or id != "',
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus server: a process of its own, spoken to over the network."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    data = tmp_path_factory.mktemp("milvus")
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(20)


def _answering(address: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(100):
        assert process.poll() is None
        try:
            open_index(address).close()
            return address
        except SearchIndexError:
            time.sleep(0.2)
    raise AssertionError("the server never answered")


@pytest.fixture(params=["exact", "milvus lite", "scanned folder", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    made: dict[str, Callable[[], VectorIndex]] = {
        "exact": lambda: open_index("memory:"),
        "milvus lite": lambda: open_index(str(tmp_path / "index")),
        "scanned folder": lambda: MilvusFolder(tmp_path / "index", scanned_rows=0),
        "server": lambda: open_index(f"{request.getfixturevalue('server')}/{tmp_path.name}"),
    }
    opened = made[request.param]()
    yield opened
    opened.close()


def compass(rows: int = 24) -> Vectors:
    """Directions in the plane of the first two axes, row n at n × 360 / rows degrees."""
    angles = 2 * np.pi * np.arange(rows) / rows
    vectors = np.zeros((rows, DIM), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return vectors


def shots(vectors: Vectors | None = None, *, space: str = SPACE, name: str = "shots") -> Collection:
    vectors = compass() if vectors is None else vectors
    rows = range(len(vectors))
    columns = {
        "id": [f"film-{n:04d}" for n in rows],
        "asset_id": ["odd" if n % 2 else "even" for n in rows],
        "start": [n / 2 for n in rows],
        "number": list(rows),
        "night": [n < 6 for n in rows],
        "tags": [f"|{HOSTILE[n % len(HOSTILE)]}|{'night' if n < 6 else 'day'}|" for n in rows],
    }
    return Collection(name, space, pa.table(columns), vectors)


def sentences() -> Collection:
    texts = (
        "The harbour lay quiet.",
        "A boat left the harbour; the harbour emptied.",
        "Nobody spoke of the storm.",
        "We met at the station, at noon.",
    )
    columns = {"id": [f"s{n}" for n in range(4)], "speaker": ["S1", "S2", "S1", "S2"], "text": list(texts)}
    return Collection("sentences", "words@1", pa.table(columns), np.eye(4, dtype=np.float32), text="text")


def publish(index: VectorIndex, *collections: Collection, digest: str = "d", snapshot: int = 1) -> Generation:
    return index.publish(collections or (shots(), sentences()), snapshot=snapshot, digest=digest, run="run/1")


def ids(index: VectorIndex, query: Vectors, *where: Condition, limit: int = 3, offset: int = 0) -> list[str]:
    (hits,) = index.search("shots", query, space=SPACE, limit=limit, offset=offset, where=where)
    return [hit.id for hit in hits]


def numbers(found: list[str]) -> list[int]:
    return [int(name.rpartition("-")[2]) for name in found]


def test_nothing_is_there_before_the_first_generation(index: VectorIndex) -> None:
    assert index.current() is None
    assert index.generations() == []
    with pytest.raises(SearchIndexError, match="index rebuild"):
        ids(index, compass()[:1])
    with pytest.raises(SearchIndexError, match="before the current"):
        index.rollback()


def test_a_generation_says_what_it_holds(index: VectorIndex) -> None:
    made = publish(index, digest="abc", snapshot=7)
    assert index.current() == made
    assert (made.number, made.snapshot, made.digest, made.run) == (1, 7, "abc", "run/1")
    stamp = made.stamps["shots"]
    assert (stamp.space, stamp.dim, stamp.rows) == (SPACE, DIM, 24)
    assert made.stamps["sentences"].rows == 4


def test_nearest_is_itself_then_its_neighbours(index: VectorIndex) -> None:
    publish(index)
    (hits,) = index.search("shots", compass()[5:6], space=SPACE, limit=3)
    assert hits[0].id == "film-0005"
    assert {hit.id for hit in hits[1:]} == {"film-0004", "film-0006"}
    assert [hit.score for hit in hits] == pytest.approx([1, np.cos(np.pi / 12), np.cos(np.pi / 12)], abs=1e-5)
    assert hits[0].row == {
        "id": "film-0005",
        "asset_id": "odd",
        "start": 2.5,
        "number": 5,
        "night": True,
        "tags": f"|{HOSTILE[5]}|night|",
    }


def test_several_queries_are_answered_each(index: VectorIndex) -> None:
    publish(index)
    found = index.search("shots", compass()[[3, 9, 3]], space=SPACE, limit=1)
    assert [[hit.id for hit in hits] for hits in found] == [["film-0003"], ["film-0009"], ["film-0003"]]


def test_a_query_of_any_length_is_a_direction(index: VectorIndex) -> None:
    publish(index)
    (hits,) = index.search("shots", 40 * compass()[5:6], space=SPACE, limit=1)
    assert hits[0].score == pytest.approx(1, abs=1e-5)


def test_pages_follow_each_other(index: VectorIndex) -> None:
    lopsided = compass()[1:2] + 0.1 * compass()[7:8]  # no two rows are equally near
    publish(index)
    whole = ids(index, lopsided, limit=24)
    assert len(set(whole)) == 24
    assert [row for start in range(0, 30, 7) for row in ids(index, lopsided, limit=7, offset=start)] == whole


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ((Condition("asset_id", "==", "odd"),), range(1, 24, 2)),
        ((Condition("asset_id", "!=", "odd"),), range(0, 24, 2)),
        ((Condition("start", "<", 2),), range(4)),
        ((Condition("start", "<=", 2.0),), range(5)),
        ((Condition("start", ">", 11),), (23,)),
        ((Condition("number", ">=", 22.5),), (23,)),
        ((Condition("number", "==", 9),), (9,)),
        ((Condition("number", ">=", -1e-9),), range(24)),
        ((Condition("night", "==", True),), range(6)),
        ((Condition("night", "!=", True),), range(6, 24)),
        ((Condition("id", "in", ("film-0001", "film-0020", "no such")),), (1, 20)),
        ((Condition("id", "in", ()),), ()),
        ((Condition("id", ">=", "film-0022"),), (22, 23)),
        ((Condition("tags", "has", "night"),), range(6)),
        ((Condition("tags", "has", "nigh"),), ()),
        ((Condition("tags", "contains", "nigh"),), range(6)),
        ((Condition("tags", "has", "night"), Condition("asset_id", "==", "odd"), Condition("start", ">", 1)), (3, 5)),
        ((Condition("asset_id", "==", "neither"),), ()),
    ],
    ids=str,
)
def test_conditions_let_through_what_holds(
    index: VectorIndex, where: tuple[Condition, ...], expected: tuple[int, ...]
) -> None:
    publish(index)
    assert sorted(numbers(ids(index, compass()[:1], *where, limit=100))) == list(expected)


def test_hostile_texts_are_only_texts(index: VectorIndex) -> None:
    publish(index)
    for place, tag in enumerate(HOSTILE):
        same = [place, place + len(HOSTILE)]
        for condition in (
            Condition("tags", "has", tag),
            Condition("tags", "contains", f"|{tag}|"),
            Condition("tags", "==", f"|{tag}|{'night' if place < 6 else 'day'}|"),
            Condition("tags", "in", (f"|{tag}|night|", f"|{tag}|day|")),
        ):
            found = numbers(ids(index, compass()[:1], condition, limit=100))
            assert sorted(found) == (same if condition.operator != "==" or place >= 6 else same[:1]), condition
