"""Snapshots: the newest is found without a listing, whatever became of the note that says where to begin."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.errors import StoreError
from featurization.media import AdSpan, Word
from steps.files import Files
from steps.snapshots import HINT, Snapshot, Snapshots
from steps.store import Store
from steps.tables import ADS, WORDS

HELLO = [Word(0.0, 0.5, "hello")]


class Asked(Files):
    """Files that count what they are asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.listed = self.looked_for = 0
        self.read_keys: list[str] = []

    def list(self, folder: str) -> list[str]:
        self.listed += 1
        return super().list(folder)

    def exists(self, key: str) -> bool:
        self.looked_for += 1
        return super().exists(key)

    def read_if_there(self, key: str) -> bytes | None:
        self.read_keys.append(key)
        return super().read_if_there(key)


def filled(place: Path, count: int) -> Asked:
    """Files with so many snapshots, as commits leave them."""
    snapshots = Snapshots(Files(str(place)))
    for number in range(1, count + 1):
        assert snapshots.create(Snapshot(number, number - 1, f"run/{number}", {}))
    return Asked(str(place))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("many")
    filled(place, 300)
    return place


def test_the_newest_of_many_is_found_with_one_question_and_no_listing(many: Path):
    files = Asked(str(many))
    assert Snapshots(files).newest().number == 300
    assert (files.listed, files.looked_for) == (0, 1)  # whether there is a 301st
    assert files.read_keys == [HINT, "snapshots/00000300.json"]


def test_a_snapshot_is_read_once(many: Path):
    files = Asked(str(many))
    snapshots = Snapshots(files)
    assert snapshots.newest() == snapshots.newest()
    assert files.read_keys.count("snapshots/00000300.json") == 1


@given(hint=st.integers(0, 400))
def test_a_hint_is_only_where_to_begin(many: Path, hint: int):
    files = Asked(str(many))
    files.write(HINT, str(hint).encode())
    assert Snapshots(files).newest().number == 300
    assert files.looked_for <= 20  # twice the binary logarithm, at the most
    files.write(HINT, b"300")


@pytest.mark.parametrize("text", [b"", b"\x00\xff", b"-3", "٣٠٠".encode()])
def test_a_hint_that_is_no_number_is_passed_over(many: Path, text: bytes):
    files = Asked(str(many))
    files.write(HINT, text)
    assert Snapshots(files).newest().number == 300
    files.write(HINT, b"300")


def test_a_store_without_a_hint_gets_one_with_its_next_commit(tmp_path: Path):
    store = Store(str(tmp_path))
    store.commit("run/1", {WORDS: {"aa01": HELLO}})
    store.files.delete(HINT)  # as stores of earlier versions are
    assert store.current().number == 1
    store.commit("run/2", {WORDS: {"aa02": HELLO}})
    assert store.files.read(HINT) == b"2"


def test_a_backup_restored_without_its_newest_snapshots_is_read(tmp_path: Path):
    files = filled(tmp_path, 5)
    for number in (4, 5):
        files.delete(f"snapshots/{number:08d}.json")
    assert Snapshots(files).newest().number == 3


def test_a_commit_whose_hint_cannot_be_written_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(str(tmp_path))
    store.commit("run/1", {WORDS: {"aa01": HELLO}})
    write = store.files.write

    def full(key: str, data: bytes) -> None:
        if key == HINT:
            raise StoreError("no space left")
        write(key, data)

    monkeypatch.setattr(store.files, "write", full)
    assert store.commit("run/2", {WORDS: {"aa02": HELLO}}).number == 2
    assert sorted(Store(str(tmp_path)).read(WORDS)) == ["aa01", "aa02"]


def test_of_many_who_create_a_number_at_once_one_does(tmp_path: Path):
    created: list[bool] = []

    def create() -> None:
        created.append(Snapshots(Files(str(tmp_path))).create(Snapshot(1, 0, "run", {})))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created) == [False] * 7 + [True]


def test_looking_back_reads_no_more_than_is_asked_for(tmp_path: Path):
    files = filled(tmp_path, 50)
    back = Snapshots(files).backwards()
    assert [next(back).run for _ in range(3)] == ["run/50", "run/49", "run/48"]
    assert len(files.read_keys) == 4  # the hint and three snapshots


def test_a_rollback_reads_no_more_than_it_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(str(tmp_path))
    for number in range(1, 41):
        ad = AdSpan(number, number + 1.0, "sponsor", 0.5)
        store.commit(f"run/{number}", {ADS: {"aa01": [ad]}} if number > 38 else {WORDS: {f"aa{number:02}": HELLO}})
    again, asked = Store(str(tmp_path)), Asked(str(tmp_path))
    monkeypatch.setattr(again.files, "read_if_there", asked.read_if_there)
    assert again.rollback(keep={"ads"}).run == "rollback of run/38"
    read = [key for key in asked.read_keys if key.startswith("snapshots/")]
    assert read == [f"snapshots/{number:08d}.json" for number in (40, 39, 38, 37)]
