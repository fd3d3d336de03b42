"""The store: atomic runs, exclusive snapshots, rollback, caching by content."""

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurization.errors import StoreError
from featurization.media import AdSpan, Turn, Word
from steps.files import explained
from steps.parquet import from_parquet
from steps.store import FeatureKey, Store, Writes
from steps.tables import ADS, TURNS, WORDS, Table

HELLO = [Word(0.0, 0.5, "hello"), Word(0.5, 1.0, "there")]
BARE = [AdSpan(5.0, 6.0, "self-promotion", 0.7)]
KEY = FeatureKey("ab" * 32, "words", "1", "beam=1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def test_an_empty_store_reads_as_empty(store: Store):
    assert store.read(WORDS) == {}
    assert store.current().number == 0


def test_a_commit_replaces_an_assets_rows_and_leaves_the_others(store: Store):
    store.commit("run/1", {WORDS: {"aa01": HELLO, "aa02": HELLO[:1]}})
    store.commit("run/2", {WORDS: {"aa01": HELLO[1:]}})
    assert store.read(WORDS) == {"aa01": (HELLO[1],), "aa02": (HELLO[0],)}
    assert store.read(WORDS, ["aa02"]) == {"aa02": (HELLO[0],)}


def test_an_asset_without_rows_is_gone(store: Store):
    store.commit("run/1", {WORDS: {"aa01": HELLO}})
    store.commit("run/2", {WORDS: {"aa01": []}})
    assert store.read(WORDS) == {}


def test_readers_see_all_tables_of_a_run_or_none(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.commit("run/1", {WORDS: {"aa01": HELLO}})

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.files, "create", killed)  # the last write of a commit never happens
    with pytest.raises(KeyboardInterrupt):
        store.commit("run/2", {WORDS: {"aa01": HELLO[:1]}, TURNS: {"aa01": []}})
    assert Store(store.url).read(WORDS) == {"aa01": tuple(HELLO)}
    assert Store(store.url).current().run == "run/1"


def test_rolling_back_twice_goes_back_two_runs(store: Store):
    for number, words in enumerate((HELLO[:1], HELLO[1:], HELLO), start=1):
        store.commit(f"run/{number}", {WORDS: {"aa01": words}})
    store.rollback()
    assert store.read(WORDS)["aa01"] == (HELLO[1],)
    store.rollback()
    assert store.read(WORDS)["aa01"] == (HELLO[0],)
    assert len(store.history()) == 5


def test_what_follows_from_the_parts_is_in_the_same_commit(store: Store):
    store.commit("run/1", {WORDS: {"aa01": HELLO[:1]}})

    def turns(state: Store) -> Writes:
        return {TURNS: {a: [Turn(words[0].start, words[-1].end, "S1")] for a, words in state.read(WORDS).items()}}

    def counted(state: Store) -> Writes:
        return {ADS: {asset_id: BARE * len(rows) for asset_id, rows in state.read(TURNS).items()}}

    after = store.commit_parts("run/2", lambda: iter([{WORDS: {"bb01": HELLO}}]), then=(turns, counted))
    assert (after.number, store.current()) == (2, after)
    assert {asset_id: rows[0].end for asset_id, rows in store.read(TURNS).items()} == {"aa01": 0.5, "bb01": 1.0}
    assert list(store.read(ADS)) == ["aa01", "bb01"]


def test_nothing_to_roll_back_is_said(store: Store):
    with pytest.raises(StoreError, match="nothing was committed"):
        store.rollback()


def test_runs_that_commit_at_once_all_land(store: Store):
    def commit(n: int) -> None:
        Store(store.url).commit(f"run/{n}", {WORDS: {f"aa{n:02}": HELLO}})

    threads = [threading.Thread(target=commit, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(store.read(WORDS)) == [f"aa{n:02}" for n in range(6)]
    assert [s.number for s in store.history()] == [1, 2, 3, 4, 5, 6]


def test_the_same_run_twice_writes_the_same_bytes(tmp_path: Path):
    def pieces(name: str) -> dict[str, bytes]:
        store = Store(str(tmp_path / name))
        store.commit("run/1", {WORDS: {"aa01": HELLO, "bb01": HELLO}})
        root = tmp_path / name / "tables"
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*.parquet")}

    assert pieces("one") == pieces("two")


def test_the_way_to_a_state_leaves_no_trace_in_its_bytes(tmp_path: Path):
    rows = {f"aa{n:02}": [AdSpan(0.0, 1.0 + n, "sponsor", 0.5, ("a", "b")[:n]), *BARE] for n in range(3)}

    def state(name: str, *commits: list[str]) -> dict[str, bytes]:
        store = Store(str(tmp_path / name))
        for number, asset_ids in enumerate(commits):
            store.commit(f"run/{number}", {ADS: {a: rows[a] for a in asset_ids}})
        (key,) = store.current().tables["ads"].values()
        return {key: store.files.read(key)}

    once = state("once", ["aa00", "aa01", "aa02"])
    assert state("again", ["aa00", "aa01", "aa02"], ["aa00", "aa01", "aa02"]) == once
    assert state("piecemeal", ["aa02"], ["aa00"], ["aa01"], ["aa02"]) == once


def test_what_was_computed_is_recalled_by_content_and_options(store: Store):
    store.remember_rows(KEY, WORDS, HELLO)
    store.remember_array(KEY, np.arange(3, dtype=np.float32))
    assert store.recall_rows(KEY, WORDS) == tuple(HELLO)
    assert store.recall_array(KEY).tolist() == [0.0, 1.0, 2.0]
    other = FeatureKey(KEY.sha256, KEY.extractor, KEY.version, "beam=5")
    assert store.recall_rows(other, WORDS) is None
    assert store.recall_array(other) is None


def test_no_rows_is_a_result_too(store: Store):
    store.remember_rows(KEY, WORDS, [])
    assert store.recall_rows(KEY, WORDS) == ()


def test_a_blob_is_kept_once_and_read_back(store: Store, tmp_path: Path):
    source = tmp_path / "a.MP3"
    source.write_bytes(b"sound")
    key = store.put_blob(source, "cd" * 32)
    source.write_bytes(b"other")
    assert store.put_blob(source, "cd" * 32) == key
    with store.local(key) as path:
        assert path.read_bytes() == b"sound"
        assert path.suffix == ".mp3"


def test_a_store_that_cannot_be_written_says_where(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match=r"writing .*file/store"):
        Store(str(tmp_path / "file" / "store")).put_bytes(b"x", ".txt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_with_the_way_out():
    with pytest.raises(StoreError, match=r"no space left.*RUSHES_STORE"), explained("writing x"):
        Path("/dev/full").write_bytes(b"x")


def test_a_rollback_leaves_what_is_to_be_kept_and_passes_over_commits_to_it_alone(store: Store):
    store.commit("run/1", {WORDS: {"aa01": HELLO[:1]}})
    store.commit("run/2", {WORDS: {"aa01": HELLO}})
    store.commit("an editor", {ADS: {"aa01": BARE}})
    rolled = store.rollback(keep={"ads"})
    assert rolled.run == "rollback of run/2"
    assert store.read(WORDS) == {"aa01": (HELLO[0],)}
    assert store.read(ADS) == {"aa01": tuple(BARE)}


# pieces: how tables of any size are cut into files ----------------------------------------------------------------

CUT = Table("words", Word, piece_rows=6)
IDS = st.text("ab01", min_size=2, max_size=4)
STATE = st.dictionaries(IDS, st.integers(0, 9), max_size=12)  # rows by asset


def counted_words(state: Mapping[str, int]) -> dict[str, list[Word]]:
    return {asset_id: [Word(float(n), n + 1.0, asset_id) for n in range(rows)] for asset_id, rows in state.items()}


@settings(max_examples=60, deadline=None)
@given(history=st.lists(STATE, max_size=5))
def test_the_same_state_is_the_same_files_whatever_led_to_it(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, int]]
):
    store, once = (Store(str(tmp_path_factory.mktemp("store"))) for _ in range(2))
    final: dict[str, int] = {}
    for number, change in enumerate(history):
        store.commit(f"run/{number}", {CUT: counted_words(change)})
        final |= change
    once.commit("run/0", {CUT: counted_words(final)})
    assert store.current().tables == once.current().tables
    rows = {asset_id: tuple(words) for asset_id, words in counted_words(final).items() if words}
    assert store.read(CUT) == rows
    assert store.asset_ids(CUT) == sorted(rows)
    for asset_id in final:
        assert store.read(CUT, [asset_id]) == ({asset_id: rows[asset_id]} if asset_id in rows else {})
    for key in store.keys(store.current()):
        assert store.files.exists(key)


@settings(max_examples=40, deadline=None)
@given(state=STATE)
def test_parts_are_committed_as_the_whole_is(tmp_path_factory: pytest.TempPathFactory, state: dict[str, int]):
    store, once = (Store(str(tmp_path_factory.mktemp("store"))) for _ in range(2))
    words = counted_words(state)
    store.commit_parts("run/1", lambda: iter([{CUT: {asset_id: words[asset_id]}} for asset_id in sorted(words)]))
    once.commit("run/1", {CUT: words})
    assert store.current().tables == once.current().tables


def test_a_piece_is_small_or_holds_one_asset(store: Store):
    state = {f"aa{n:02}": 4 for n in range(20)} | {"aa99": 50}
    store.commit("run/1", {CUT: counted_words(state)})
    pieces = [key for key in store.keys(store.current()) if key.endswith(".parquet")]
    held = [from_parquet(store.files.read(key))["asset_id"].to_pylist() for key in pieces]
    assert all(len(ids) <= 6 or len(set(ids)) == 1 for ids in held)
    assert sorted(asset_id for ids in held for asset_id in ids) == sorted(a for a, n in state.items() for _ in range(n))


def test_a_commit_rewrites_only_the_pieces_that_it_touches(store: Store):
    store.commit("run/1", {CUT: counted_words({f"aa{n:02}": 4 for n in range(50)})})
    before = set(store.keys(store.current()))
    store.commit("run/2", {CUT: counted_words({"aa17": 5})})
    fresh = set(store.keys(store.current())) - before
    assert sorted(Path(key).suffix for key in fresh) == [".json", ".parquet"]


def test_a_store_whose_buckets_were_never_cut_is_read_and_cut_when_it_is_next_written(store: Store):
    whole = Table("words", Word, piece_rows=1_000)
    store.commit("run/1", {whole: counted_words({f"aa{n:02}": 4 for n in range(10)})})
    assert all(key.endswith(".parquet") for key in store.keys(store.current()))
    assert len(store.read(CUT)) == 10
    store.commit("run/2", {CUT: counted_words({"aa03": 2})})
    assert len(store.read(CUT)["aa03"]) == 2
    once = Store(f"{store.url}-once")
    once.commit("run/1", {CUT: counted_words({f"aa{n:02}": 2 if n == 3 else 4 for n in range(10)})})
    assert store.current().tables == once.current().tables


def test_columns_are_read_alone(store: Store):
    store.commit("run/1", {WORDS: {"bb01": HELLO, "aa01": HELLO[:1]}})
    read = store.columns(WORDS, ["text"])
    assert read.column_names == ["asset_id", "text"]
    assert read.to_pylist() == [
        {"asset_id": "aa01", "text": "hello"},
        {"asset_id": "bb01", "text": "hello"},
        {"asset_id": "bb01", "text": "there"},
    ]
    assert store.columns(ADS, ["confidence"]).to_pylist() == []
