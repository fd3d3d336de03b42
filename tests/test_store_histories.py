"""The store over its whole life: whatever happened to it, it holds what a dict would, in the files of one commit."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurization.errors import StoreError
from featurization.media import Turn, Word
from steps.parquet import to_parquet
from steps.store import Store, Writes
from steps.tables import Table

CUT = Table("words", Word, piece_rows=4)
WIDER = Table("turns", Turn, piece_rows=9)  # cut elsewhere than the words
IDS = st.text("ab01", min_size=2, max_size=4)
State = dict[str, int]  # rows by asset
STATE = st.dictionaries(IDS, st.integers(0, 6), max_size=10)
ROLLBACK = "rollback"


def words(rows: int) -> list[Word]:
    return [Word(float(n), n + 1.0, f"word {n} of {rows}") for n in range(rows)]


def turns(rows: int) -> list[Turn]:
    return [Turn(float(n), n + 1.0, f"S{rows}") for n in range(rows)]


def writes(state: Mapping[str, int]) -> Writes:
    return {CUT: {a: words(n) for a, n in state.items()}, WIDER: {a: turns(n) for a, n in state.items()}}


def in_parts(state: Mapping[str, int]) -> Iterator[Writes]:
    """Asset by asset, in their order."""
    return (writes({asset_id: state[asset_id]}) for asset_id in sorted(state))


def made_at_once(place: Path, state: Mapping[str, int]) -> Store:
    store = Store(str(place))
    store.commit("run/1", writes(state))
    return store


def assert_holds(store: Store, state: Mapping[str, int], once: Store) -> None:
    """The store reads as `state`, and its tables are the files that one commit of `state` writes."""
    kept = {asset_id: rows for asset_id, rows in state.items() if rows}
    assert store.read(CUT) == {asset_id: tuple(words(rows)) for asset_id, rows in kept.items()}
    assert store.read(WIDER, list(state)) == {asset_id: tuple(turns(rows)) for asset_id, rows in kept.items()}
    assert store.asset_ids(WIDER) == sorted(kept)
    ours, theirs = (set(one.keys(one.current())) for one in (store, once))
    assert ours == theirs
    assert all(store.files.read(key) == once.files.read(key) for key in ours)


@settings(max_examples=30, deadline=None)
@given(history=st.lists(st.one_of(STATE, st.just(ROLLBACK)), max_size=8), by_parts=st.lists(st.booleans(), min_size=8))
def test_any_history_ends_in_the_files_of_its_last_state(
    tmp_path_factory: pytest.TempPathFactory, history: Sequence[State | str], by_parts: Sequence[bool]
):
    place = tmp_path_factory.mktemp("store")
    store = Store(str(place / "store"))
    states: list[State] = [{}]
    for number, (event, parts) in enumerate(zip(history, by_parts, strict=False)):
        if isinstance(event, dict):
            changed = states[-1] | event
            if parts:
                store.commit_parts(f"run/{number}", lambda event=event: in_parts(event))
            else:
                store.commit(f"run/{number}", writes(event))
            states.append(changed)
        elif store.current().number:
            store.rollback()
            states = states[:-1] or states  # what is undone to the last stays empty
        else:
            with pytest.raises(StoreError, match="nothing was committed"):
                store.rollback()
    assert_holds(store, states[-1], made_at_once(place / "once", states[-1]))


def test_runs_that_commit_at_once_end_in_the_files_of_one(tmp_path: Path):
    states = [{f"aa{run}{n}": 1 + n % 3 for n in range(8)} for run in range(5)]

    def commit(state: State) -> None:
        Store(str(tmp_path / "store")).commit_parts("run", lambda: in_parts(state))

    threads = [threading.Thread(target=commit, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = {asset_id: rows for state in states for asset_id, rows in state.items()}
    store = Store(str(tmp_path / "store"))
    assert store.current().number == 5
    assert_holds(store, whole, made_at_once(tmp_path / "once", whole))


BEFORE = {f"aa{n:02}": 2 for n in range(12)} | {f"bb{n:02}": 1 for n in range(5)}
CHANGE = {"aa03": 5, "aa07": 0, "bb09": 3, "cc01": 9}
AFTER = BEFORE | CHANGE


class Killed(BaseException):
    """What ends a process ends it anywhere."""


def dying_after(store: Store, files: int) -> Store:
    """The store of a process that is killed when it has written so many files."""
    left, write = iter(range(files)), store.files.write

    def killed(key: str, data: bytes) -> None:
        if next(left, None) is None:
            raise Killed
        write(key, data)

    store.files.write = killed  # type: ignore[method-assign]
    return store


def test_a_run_that_is_killed_at_any_file_leaves_the_state_before_it(tmp_path: Path):
    before, after = made_at_once(tmp_path / "before", BEFORE), made_at_once(tmp_path / "after", AFTER)
    committed = []
    for files in count():
        store = made_at_once(tmp_path / f"store-{files}", BEFORE)
        try:
            dying_after(Store(store.url), files).commit_parts("run/2", lambda: in_parts(CHANGE))
        except Killed:
            committed.append(store.current().number == 2)
        else:
            break
        assert_holds(Store(store.url), *((AFTER, after) if committed[-1] else (BEFORE, before)))
        store.commit_parts("run/2 again", lambda: in_parts(CHANGE))
        assert_holds(store, AFTER, after)
    assert len(committed) > 5
    assert committed.index(True) == len(committed) - 1  # the last file only says where the newest snapshot is


def old_store(place: Path, state: Mapping[str, int]) -> Store:
    """As rushes wrote stores at first: a piece for each table and bucket, and no note of the newest snapshot."""
    tables: dict[str, dict[str, str]] = {}
    store = Store(str(place))
    for table, rows in writes(state).items():
        for bucket in {asset_id[:2] for asset_id in rows}:
            key = f"tables/{table.name}/{bucket}/{'0' * 32}.parquet"
            its = {asset_id: rows[asset_id] for asset_id in rows if asset_id.startswith(bucket)}
            store.files.write(key, to_parquet(table.to_arrow(its)))
            tables.setdefault(table.name, {})[bucket] = key
    snapshot = {"run": "FeaturizeMedia/1", "parent": 0, "tables": tables}
    store.files.write("snapshots/00000001.json", json.dumps(snapshot).encode())
    return store


def test_a_store_of_the_first_layout_is_read_and_takes_the_new_one_where_it_is_written(tmp_path: Path):
    store = old_store(tmp_path / "store", BEFORE)
    assert store.current().run == "FeaturizeMedia/1"
    assert store.read(CUT) == {asset_id: tuple(words(rows)) for asset_id, rows in BEFORE.items()}
    assert store.read(WIDER, ["aa03", "bb01"]) == {"aa03": tuple(turns(2)), "bb01": tuple(turns(1))}
    change = {asset_id: rows for asset_id, rows in CHANGE.items() if not asset_id.startswith("bb")}
    store.commit("FeaturizeMedia/2", writes(change))
    after, once = BEFORE | change, made_at_once(tmp_path / "once", BEFORE | change)
    assert store.read(CUT) == {asset_id: tuple(words(rows)) for asset_id, rows in after.items() if rows}
    for bucket in ("aa", "cc"):
        assert store.current().tables["words"][bucket] == once.current().tables["words"][bucket]
    assert store.rollback().run == "rollback of FeaturizeMedia/2"
    assert store.read(CUT) == {asset_id: tuple(words(rows)) for asset_id, rows in BEFORE.items()}
