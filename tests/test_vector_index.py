"""One contract for every index: in memory, in a folder (asked through Milvus Lite, and scanned), on a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_factory import DIM, HOSTILE, SPACE, compass, ids, milvus_server, publish, sentences, shots

from featurization.errors import SearchError, SearchIndexError
from search.conditions import rows_where
from search.exact_index import ExactIndex
from search.full_text import FullText
from search.milvus_folder import MilvusFolder
from search.open_index import open_index
from search.products import Products
from search.rows import best
from search.vector_index import KEPT, MAX_WINDOW, Collection, Condition, VectorIndex


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus")) as address:
        yield address


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


WHERES: tuple[tuple[tuple[Condition, ...], Iterable[int]], ...] = (
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
)


def test_conditions_let_through_what_holds(index: VectorIndex) -> None:
    publish(index)
    for where, expected in WHERES:
        assert sorted(numbers(ids(index, compass()[:1], *where, limit=100))) == list(expected), where


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


@pytest.mark.parametrize(
    "condition",
    [
        Condition("director", "==", "nobody"),
        Condition("start", "==", "late"),
        Condition("start", "<", float("nan")),
        Condition("start", "has", "1"),
        Condition("night", "==", "yes"),
        Condition("night", "<", True),
        Condition("number", "==", True),
        Condition("id", "==", 5),
        Condition("id", "in", "film-0001"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(condition: Condition, tmp_path: Path) -> None:
    for index in (ExactIndex(), MilvusFolder(tmp_path)):
        publish(index, shots())
        with closing(index), pytest.raises(SearchError, match=condition.column):
            ids(index, compass()[:1], condition)


def test_words_are_found_best_first(index: VectorIndex) -> None:
    publish(index)
    assert [hit.id for hit in index.match("sentences", "HARBOUR", limit=5)] == ["s1", "s0"]
    (best_hit, *rest) = index.match("sentences", "storm, at the station!", limit=5)
    assert best_hit.id == "s3"
    assert best_hit.row == {"id": "s3", "speaker": "S2", "text": "We met at the station, at noon."}
    assert all(best_hit.score > hit.score > 0 for hit in rest)


def test_words_with_conditions_and_pages(index: VectorIndex) -> None:
    publish(index)
    assert [hit.id for hit in index.match("sentences", "the", limit=5, where=(Condition("speaker", "==", "S1"),))] == [
        "s0",
        "s2",
    ]
    every = [hit.id for hit in index.match("sentences", "the harbour", limit=4)]
    assert [hit.id for hit in index.match("sentences", "the harbour", limit=2, offset=1)] == every[1:3]


@pytest.mark.parametrize("text", ["", "…", "whale", "\x00", "日本", 'harbour\' OR "1"=="1'], ids=repr)
def test_words_that_nobody_said_match_nothing(text: str, tmp_path: Path) -> None:
    for index in (ExactIndex(), MilvusFolder(tmp_path)):
        publish(index)
        with closing(index):
            assert {hit.id for hit in index.match("sentences", text, limit=5)} <= {"s0", "s1"}
            assert "harbour" in text or not index.match("sentences", text, limit=5)


def test_vectors_come_back_in_the_order_asked(index: VectorIndex) -> None:
    publish(index)
    found = index.vectors("shots", ["film-0007", "film-0002", "film-0007"])
    assert found == pytest.approx(compass()[[7, 2, 7]], abs=1e-6)
    assert index.vectors("shots", []).shape == (0, DIM)
    with pytest.raises(SearchIndexError, match="film-9999"):
        index.vectors("shots", ["film-0001", "film-9999"])


def test_a_sample_is_the_same_each_time(index: VectorIndex) -> None:
    publish(index)
    sample = index.sample("shots", 10)
    assert sample.shape == (10, DIM)
    assert np.array_equal(sample, index.sample("shots", 10))
    assert len(np.unique(sample.round(4), axis=0)) == 10
    assert index.sample("shots", 1000).shape == (24, DIM)


def test_the_same_sample_from_every_index(tmp_path: Path) -> None:
    folder, exact = MilvusFolder(tmp_path), ExactIndex()
    with closing(folder):
        for index in (folder, exact):
            publish(index, shots())
        assert np.array_equal(folder.sample("shots", 5), exact.sample("shots", 5))


def test_another_space_is_refused_with_the_fix(index: VectorIndex) -> None:
    publish(index)
    with pytest.raises(SearchIndexError, match=r"compass@1.*clip@2.*index rebuild"):
        index.search("shots", compass()[:1], space="clip@2", limit=1)
    with pytest.raises(SearchIndexError, match=r"8 dimensions.*has 5"):
        index.search("shots", np.ones((1, 5), np.float32), space=SPACE, limit=1)


def test_what_is_not_there_is_named(index: VectorIndex) -> None:
    publish(index)
    with pytest.raises(SearchIndexError, match=r"'smells'.*shots"):
        index.search("smells", compass()[:1], space=SPACE, limit=1)
    with pytest.raises(SearchIndexError, match="shots has no text"):
        index.match("shots", "harbour", limit=1)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (-1, 0), (1, -1), (MAX_WINDOW, 1), (1, MAX_WINDOW)])
def test_pages_beyond_the_window_are_refused(limit: int, offset: int) -> None:
    index = ExactIndex()
    publish(index)
    with pytest.raises(SearchError, match="limit"):
        ids(index, compass()[:1], limit=limit, offset=offset)
    with pytest.raises(SearchError, match="limit"):
        index.match("sentences", "harbour", limit=limit, offset=offset)


def test_the_whole_window_can_be_asked(index: VectorIndex) -> None:
    publish(index)
    assert len(ids(index, compass()[:1], limit=MAX_WINDOW)) == 24


def test_a_query_that_is_no_number_is_refused(index: VectorIndex) -> None:
    publish(index)
    with pytest.raises(SearchError, match="no numbers"):
        ids(index, np.full((1, DIM), np.nan, np.float32))


def test_readers_see_the_next_generation_whole(index: VectorIndex) -> None:
    publish(index)
    second = publish(index, shots(compass(12), space="compass@2"), digest="e")
    _wait_until(lambda: index.current() == second)
    assert second.number == 2
    (hits,) = index.search("shots", compass(12)[:1], space="compass@2", limit=100)
    assert len(hits) == 12
    with pytest.raises(SearchIndexError, match="'sentences'"):
        index.match("sentences", "harbour", limit=1)


def _wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(50):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def test_rolling_back_goes_one_generation_at_a_time(index: VectorIndex) -> None:
    made = [publish(index, shots(compass(4 * n)), digest=str(n)) for n in (1, 2, 3)]
    assert index.generations() == made
    assert index.rollback() == made[1] == index.current()
    assert len(ids(index, compass()[:1], limit=100)) == 8
    assert index.rollback() == made[0] == index.current()
    with pytest.raises(SearchIndexError, match="before the current"):
        index.rollback()
    assert len(ids(index, compass()[:1], limit=100)) == 4


def test_what_was_rolled_back_is_not_returned_to(index: VectorIndex) -> None:
    first = publish(index, digest="good")
    publish(index, digest="bad")
    index.rollback()
    third = publish(index, digest="better")
    assert [each.digest for each in index.generations()] == ["good", "better"]
    assert third.number > first.number
    assert index.rollback().digest == "good"


def test_the_last_generations_are_kept(index: VectorIndex) -> None:
    made = [publish(index, shots(compass(4)), digest=str(n)) for n in range(KEPT + 2)]
    assert index.generations() == made[-KEPT:]
    assert index.current() == made[-1]


def test_an_empty_collection_finds_nothing(index: VectorIndex) -> None:
    empty = Collection("shots", SPACE, shots().columns.slice(0, 0), np.zeros((0, DIM), np.float32))
    wordless = Collection("sentences", "w", sentences().columns.slice(0, 0), np.zeros((0, 4), np.float32), text="text")
    publish(index, empty, wordless)
    assert index.search("shots", compass()[:2], space=SPACE, limit=3) == [[], []]
    assert index.match("sentences", "harbour", limit=3) == []
    assert index.sample("shots", 3).shape == (0, DIM)


def test_a_generation_may_hold_nothing(index: VectorIndex) -> None:
    made = index.publish([], snapshot=1, digest="d", run="r")
    assert made.stamps == {}
    assert index.current() == made


@pytest.mark.parametrize(
    ("collection", "problem"),
    [
        (Collection("Shots!", SPACE, pa.table({"id": ["a"]}), compass(1)), "lower-case"),
        (Collection("shots", SPACE, pa.table({"id": ["a", "a"]}), compass(2)), "unique"),
        (Collection("shots", SPACE, pa.table({"name": ["a"]}), compass(1)), "id"),
        (Collection("shots", SPACE, pa.table({"id": ["a"], "n": [None]}), compass(1)), "column n is null"),
        (Collection("shots", SPACE, pa.table({"id": ["a"], "x": pa.array([None], pa.int64())}), compass(1)), "lacks 1"),
        (Collection("shots", SPACE, pa.table({"id": ["a"], "x": [float("inf")]}), compass(1)), "no numbers"),
        (Collection("shots", SPACE, pa.table({"id": ["a"], "x": [["b"]]}), compass(1)), "list"),
        (Collection("shots", SPACE, pa.table({"id": ["a"], "vector": ["b"]}), compass(1)), "vector"),
        (Collection("shots", SPACE, pa.table({"id": ["ä" * 40_000]}), compass(1)), "65,535 bytes"),
        (Collection("shots", SPACE, pa.table({"id": ["a"]}), compass(2)), "1 rows"),
        (Collection("shots", SPACE, pa.table({"id": ["a"]}), np.full((1, 4), np.nan, np.float32)), "no numbers"),
        (Collection("shots", SPACE, pa.table({"id": ["a"]}), compass(1), text="words"), "words"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_indexed_is_named_and_changes_nothing(
    collection: Collection, problem: str, tmp_path: Path
) -> None:
    for index in (ExactIndex(), MilvusFolder(tmp_path)):
        before = publish(index, shots())
        with closing(index), pytest.raises(SearchIndexError, match=problem):
            publish(index, collection)
        assert index.current() == before


def test_many_ask_at_once(index: VectorIndex) -> None:
    publish(index)
    wrong: list[object] = []

    def ask(number: int) -> None:
        try:
            for turn in range(5):
                row = (5 * number + turn) % 24
                if ids(index, compass()[row : row + 1], limit=1) != [f"film-{row:04d}"]:
                    wrong.append(row)
                index.match("sentences", "harbour", limit=2)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_random_directions_are_found_as_exact_search_finds_them(index: VectorIndex) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((2000, DIM)).astype(np.float32)
    publish(index, shots(vectors))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = rng.standard_normal((20, DIM)).astype(np.float32)
    for query, hits in zip(queries, index.search("shots", queries, space=SPACE, limit=10), strict=True):
        nearest = np.argsort(-(unit @ query))[:10]
        assert [hit.id for hit in hits] == [f"film-{n:04d}" for n in nearest]


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5, 1.0]), max_size=40), st.integers(1, 50))
def test_the_best_are_the_first_of_a_stable_sort(values: list[float], count: int) -> None:
    scores = np.array(values, dtype=np.float32)
    assert best(scores, count).tolist() == np.argsort(-scores, kind="stable")[:count].tolist()


@settings(max_examples=50)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.text(max_size=4))
def test_containing_is_what_python_says_it_is(texts: list[str], part: str) -> None:
    mask = rows_where(pa.table({"tags": texts}), (Condition("tags", "contains", part),))
    assert mask is not None
    assert mask.tolist() == [part in text for text in texts]


def test_rare_words_weigh_more_and_long_texts_less() -> None:
    scores = FullText(["sea sand", "sea gull", "sea " + "rope " * 50, "gull"]).scores("sea gull")
    assert np.argmax(scores) == 1
    assert scores[0] > scores[2] > 0


@pytest.mark.parametrize("address", ["s3://bucket/index", "ftp://host"])
def test_an_address_of_no_index_is_refused(address: str) -> None:
    with pytest.raises(SearchIndexError, match="http"):
        open_index(address)


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(SearchIndexError, match=r"127\.0\.0\.1:9.*RUSHES_INDEX") as caught:
        open_index("http://user:secret@127.0.0.1:9/archive")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_stores_share_a_server_by_name(server: str) -> None:
    with closing(open_index(f"{server}/first")) as first, closing(open_index(f"{server}/first_two")) as second:
        publish(first, shots(compass(4)))
        publish(second, shots(compass(8)))
        assert len(ids(first, compass()[:1], limit=100)) == 4
        assert len(ids(second, compass()[:1], limit=100)) == 8
        assert len(first.generations()) == len(second.generations()) == 1


def test_products_that_are_asked_for_together_are_those_of_each() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((500, 16)).astype(np.float32)
    queries = [rng.standard_normal((1 + n % 5, 16)).astype(np.float32) for n in range(64)]
    products = Products(vectors)
    with ThreadPoolExecutor(16) as pool:
        for query, scores in zip(queries, pool.map(products.of, queries), strict=True):
            assert scores == pytest.approx(query @ vectors.T, abs=1e-4)


def test_a_question_that_cannot_be_answered_harms_no_other() -> None:
    vectors = np.eye(4, dtype=np.float32)
    products = Products(vectors)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(products.of, np.ones((1, 3 if n % 4 == 0 else 4), np.float32)) for n in range(40)]
    for number, each in enumerate(asked):
        if number % 4 == 0:
            assert isinstance(each.exception(), ValueError)
        else:
            assert each.result().tolist() == [[1, 1, 1, 1]]
