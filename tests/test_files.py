"""Where the store's files are: a folder, a bucket, or whatever fsspec knows; what holds in all of them."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from s3_server import Fault, S3Server

from featurization.errors import StoreError
from steps import bucket as s3_bucket
from steps.files import Files


@pytest.fixture(params=["folder", "bucket", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "bucket":
        return Files(f"s3://{request.getfixturevalue('bucket')}/some/where")
    return Files(str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}")


def test_what_is_written_is_read_listed_and_removed(files: Files):
    files.write("a/b.txt", b"one")
    files.write("a/c/d.txt", b"")
    assert files.read("a/b.txt") == b"one"
    assert files.read("a/c/d.txt") == b""
    assert files.list("a") == ["b.txt", "c"]
    files.write("a/b.txt", b"two!")
    assert files.read("a/b.txt") == b"two!"
    files.delete("a/b.txt")
    assert files.list("a") == ["c"]
    assert not files.exists("a/b.txt")


def test_what_is_not_there_is_empty_or_nothing(files: Files):
    assert not files.exists("a/b.txt")
    assert files.list("a") == []
    assert list(files.walk("a")) == []
    assert files.stat("a/b.txt") is None
    assert files.read_if_there("a/b.txt") is None
    assert files.modified("a/b.txt") == 0.0
    files.delete("a/b.txt")
    files.clear("a")
    with pytest.raises(StoreError, match=r"reading .*a/b\.txt") as told:
        files.read("a/b.txt")
    assert isinstance(told.value.__cause__, FileNotFoundError)


def test_a_folder_is_cleared_and_its_neighbour_is_not(files: Files):
    for key in ("a/b.txt", "a/c/d.txt", "ab/e.txt"):
        files.write(key, b"x")
    files.clear("a")
    assert [found.path for found in files.walk("")] == ["ab/e.txt"]


def test_a_walk_tells_key_size_and_time(files: Files):
    begun = time.time()
    files.write("a/b.txt", b"one")
    files.write("a/c/d.txt", b"three")
    found = {each.path: each for each in files.walk("a")}
    assert {key: each.bytes for key, each in found.items()} == {"a/b.txt": 3, "a/c/d.txt": 5}
    assert all(begun - 2 < each.modified < time.time() + 2 for each in found.values())


def test_bytes_come_by_piece_and_by_range(files: Files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("steps.files.PIECE_BYTES", 4)
    files.write("a.txt", b"0123456789")
    assert list(files.pieces("a.txt", 1, 10)) == [b"1234", b"5678", b"9"]
    assert list(files.pieces("a.txt", 3, 3)) == []


def test_a_local_file_goes_in_and_comes_out_as_one(files: Files, tmp_path: Path):
    source = tmp_path / "source.mp3"
    source.write_bytes(b"sound")
    files.put("blobs/a.mp3", source)
    with files.as_local("blobs/a.mp3") as path:
        assert path.read_bytes() == b"sound"
        assert path.suffix == ".mp3"
    assert path.exists() == files.local


def test_of_many_who_create_at_once_one_is_first(files: Files):
    with ThreadPoolExecutor(8) as pool:
        for number in range(5):
            key = f"snapshots/{number}.json"
            won = list(pool.map(lambda name: (name, files.create(key, name)), (b"%d" % n for n in range(8))))  # noqa: B023
            assert [name for name, first in won if first] == [files.read(key)]


# on S3 ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def remote(bucket: str) -> Files:
    return Files(f"s3://{bucket}/store")


def test_what_another_process_does_is_seen_at_once(remote: Files, bucket: str):
    other = Files(f"s3://{bucket}/store")
    assert remote.list("a") == []
    other.write("a/b.txt", b"one")
    assert remote.list("a") == ["b.txt"]
    other.write("a/b.txt", b"three")
    assert remote.read("a/b.txt") == b"three"
    assert remote.stat("a/b.txt").bytes == 5
    other.delete("a/b.txt")
    assert remote.list("a") == []


def test_a_listing_has_as_many_names_as_there_are(remote: Files, bucket: str, s3: S3Server):
    import httpx

    with httpx.Client() as client:
        for number in range(1050):
            client.put(f"{s3.url}/{bucket}/store/many/{number:04}.txt", content=b"x")
    assert remote.list("many") == [f"{number:04}.txt" for number in range(1050)]
    assert sum(1 for _ in remote.walk("")) == 1050
    remote.clear("many")
    assert remote.list("many") == []


@pytest.mark.parametrize(
    ("act", "requests"),
    [
        (lambda files: files.read("there.txt"), ["GET"]),
        (lambda files: files.read_if_there("none.txt"), ["GET"]),
        (lambda files: files.exists("none.txt"), ["HEAD"]),
        (lambda files: files.exists("there.txt"), ["HEAD"]),
        (lambda files: files.stat("there.txt"), ["HEAD"]),
        (lambda files: files.list("none"), ["GET"]),
        (lambda files: files.write("new.txt", b"x"), ["PUT"]),
        (lambda files: files.create("first.txt", b"x"), ["PUT"]),
        (lambda files: files.delete("there.txt"), ["DELETE"]),
        (lambda files: list(files.pieces("there.txt", 0, 3)), ["GET"]),
    ],
)
def test_nothing_takes_more_than_one_request(remote: Files, s3: S3Server, act, requests):
    remote.write("there.txt", b"one")
    with s3.counting() as asked:
        act(remote)
    assert [line.split()[0] for line in asked] == requests


def test_large_files_go_in_parts_and_come_in_parts(
    remote: Files, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    size = 5 << 20  # the smallest part that S3 takes
    monkeypatch.setattr(s3_bucket, "PART_BYTES", size)
    data = bytes(range(256)) * (3 * size // 256) + b"the rest"
    (tmp_path / "film.mp4").write_bytes(data)
    with s3.counting() as asked:
        remote.put("film.mp4", tmp_path / "film.mp4")
    assert sum(bool(re.search(r"PUT .*partNumber=\d", line)) for line in asked) == 4
    with s3.counting() as asked, remote.as_local("film.mp4") as copy:
        assert copy.read_bytes() == data
    assert [line.split()[0] for line in asked] == ["HEAD"] + ["GET"] * 4


def test_parts_grow_with_the_file_so_that_there_are_never_too_many():
    part = s3_bucket._part(50 * 10**9)
    assert part == 16 << 20
    assert 5 * 10**12 / s3_bucket._part(5 * 10**12) <= 10_000


@pytest.mark.parametrize(
    "fault",
    [
        Fault("InternalError", 500, times=1),
        Fault("ServiceUnavailable", 503, times=1),
        Fault("SlowDown", 503, times=1),
        Fault("reset", times=1),
    ],
    ids=lambda fault: f"{fault.code}-{fault.status}",
)
def test_what_fails_for_a_while_is_done_all_the_same(remote: Files, s3: S3Server, fault: Fault):
    remote.write("there.txt", b"one")
    for act, given in (
        (lambda: remote.write("new.txt", b"x"), None),
        (lambda: remote.read("there.txt"), b"one"),
        (lambda: remote.list(""), ["new.txt", "there.txt"]),
    ):
        with s3.failing(fault) as asked:
            assert act() == given
        assert len(asked) == 2


def test_an_answer_that_breaks_off_is_read_again(remote: Files, s3: S3Server):
    remote.write("there.txt", b"0123456789")
    with s3.failing(Fault("cut", method="GET", times=2)) as asked:
        assert remote.read("there.txt") == b"0123456789"
    assert len(asked) == 3


def test_who_created_knows_it_even_if_the_answer_was_lost(remote: Files, s3: S3Server):
    with s3.failing(Fault("lost", method="PUT", times=1)) as asked:
        assert remote.create("first.txt", b"mine")
    assert [line.split()[0] for line in asked] == ["PUT", "PUT", "HEAD"]
    assert not remote.create("first.txt", b"mine")


def test_nothing_is_left_of_a_large_file_that_failed(
    remote: Files, bucket: str, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(s3_bucket, "PART_BYTES", 5 << 20)
    (tmp_path / "film.mp4").write_bytes(bytes(11 << 20))
    with s3.failing(Fault("AccessDenied", 403, address="partNumber=2")), pytest.raises(StoreError, match="permission"):
        remote.put("film.mp4", tmp_path / "film.mp4")
    assert s3.objects(bucket) == {}
