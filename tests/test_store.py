"""The store: atomic runs, exclusive snapshots, rollback, caching by content."""

import threading
from pathlib import Path

import numpy as np
import pytest

from featurization.errors import StoreError
from featurization.media import AdSpan, Word
from steps.files import explained
from steps.store import FeatureKey, Store
from steps.tables import ADS, TURNS, WORDS

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
