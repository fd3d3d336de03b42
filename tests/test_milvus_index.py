"""What can happen to an index in use: publishes killed at every step, two writers, many readers, damage, no disk."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from index_factory import SPACE, compass, ids, milvus_server, publish, sentences, shots

from featurization.errors import SearchIndexError
from search.milvus_folder import MilvusFolder
from search.open_index import open_index
from search.vector_index import VectorIndex
from steps.store import ROOT

DYING = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from index_factory import compass, publish, shots
from search.open_index import open_index
import {module}

def die_in(owner, name, call):
    real, calls = getattr(owner, name), []
    def dying(*arguments, **named):
        calls.append(name)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    setattr(owner, name, dying)

die_in({module}.{owner}, {name!r}, {call})
publish(open_index({address!r}), shots(compass(12)), shots(compass(6), name="fused"), digest="never")
"""
FOLDER_STEPS = [
    ("search.generation_files", "IndexFolder", "begin", 1),
    ("search.milvus_index", "Milvus", "write", 1),
    ("search.milvus_index", "Milvus", "write", 2),
    ("search.generation_files", "GenerationFolder", "write", 1),
    ("search.generation_files", "IndexFolder", "point_at", 1),
]
SERVER_STEPS = [
    ("search.milvus_index", "Milvus", "drop", 1),
    ("search.milvus_index", "Milvus", "write", 1),
    ("search.milvus_index", "Milvus", "write", 3),  # the manifest
    ("search.milvus_index", "Milvus", "follow", 1),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("milvus")) as address:
        yield address


def killed_publish(address: str, step: tuple[str, str, str, int]) -> None:
    """Publish in a process of its own that is killed when it is about to take a step."""
    module, owner, name, call = step
    code = DYING.format(tests=str(ROOT / "tests"), module=module, owner=owner, name=name, call=call, address=address)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def answers(index: VectorIndex) -> int:
    """How many shots the index has, counted by asking it."""
    return len(ids(index, compass()[:1], limit=1000))


@pytest.mark.parametrize("step", FOLDER_STEPS, ids=lambda step: f"{step[2]}-{step[3]}")
def test_a_publish_killed_at_any_step_leaves_the_old_answering(step: tuple[str, str, str, int], tmp_path: Path) -> None:
    with closing(open_index(str(tmp_path))) as index:
        old = publish(index)
        killed_publish(str(tmp_path), step)
        assert index.current() == old
        assert answers(index) == 24
    with closing(open_index(str(tmp_path))) as reopened:
        assert answers(reopened) == 24
        assert len(reopened.match("sentences", "harbour", limit=9)) == 2
        newer = publish(reopened, shots(compass(8)), digest="new")
        assert [each.digest for each in reopened.generations()] == ["d", "new"]
        assert newer.number > old.number
        assert answers(reopened) == 8
    assert len(list((tmp_path / "generations").iterdir())) == 2


@pytest.mark.parametrize("step", SERVER_STEPS, ids=lambda step: f"{step[2]}-{step[3]}")
def test_a_publish_to_a_server_killed_at_any_step(step: tuple[str, str, str, int], server: str, tmp_path: Path) -> None:
    address = f"{server}/{tmp_path.name}"
    with closing(open_index(address)) as index:
        old = publish(index)
        killed_publish(address, step)
        time.sleep(1.2)  # a reader looks at the alias again after a second
        assert index.current() == old
        assert answers(index) == 24
        publish(index, shots(compass(8)), digest="new")
        assert [each.digest for each in index.generations()] == ["d", "new"]
        assert answers(index) == 8


def test_a_first_publish_that_dies_leaves_nothing(tmp_path: Path) -> None:
    killed_publish(str(tmp_path), FOLDER_STEPS[-1])
    with closing(open_index(str(tmp_path))) as index:
        assert index.current() is None
        assert publish(index, shots(compass(8))).digest == "d"
        assert answers(index) == 8


READING = """
import sys
sys.path.insert(0, {tests!r})
from index_factory import compass, ids
from search.open_index import open_index
index = open_index({folder!r})
print(len(ids(index, compass()[:1], limit=100)), len(index.match("sentences", "harbour", limit=9)), flush=True)
sys.stdin.readline()
print(len(ids(index, compass()[:1], limit=100)), flush=True)
sys.stdin.readline()
"""


def test_many_processes_read_while_one_writes(tmp_path: Path) -> None:
    with closing(open_index(str(tmp_path))) as index:
        publish(index)
        assert answers(index) == 24
        code = READING.format(tests=str(ROOT / "tests"), folder=str(tmp_path))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
        started = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(3)]
        assert [said(process) for process in started] == ["24 2"] * 3
        publish(index, shots(compass(8)))
        for process in started:
            tell(process)
        assert [said(process) for process in started] == ["8"] * 3
        started[0].kill()
        for process in started:
            process.communicate("\n")
        assert answers(index) == 8
    with closing(open_index(str(tmp_path))) as index:
        assert answers(index) == 8
        views = [entry for entry in (tmp_path / "readers").iterdir() if entry.is_dir()]
        assert len(views) == 1  # the killed reader's was swept away


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


WRITING = """
import sys, time
from pathlib import Path
from search.publisher_lock import writing
with writing(Path({folder!r}), wait_s=0):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is writing the index in `tmp_path` until it reads a line."""
    command = [sys.executable, "-c", WRITING.format(folder=str(tmp_path))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process:
        assert said(process) == "held"
        yield process
        process.kill()


def test_a_locked_index_says_who_holds_it(writer: subprocess.Popen[str], tmp_path: Path) -> None:
    with closing(MilvusFolder(tmp_path, publisher_wait_s=0.5)) as index:
        with pytest.raises(SearchIndexError, match=rf"process {writer.pid} \(-c\).*0\.5 s") as caught:
            publish(index)
        assert "\n" not in str(caught.value)
        writer.kill()
        writer.wait()
        assert publish(index).number == 1


def test_a_publish_waits_for_another_to_end(writer: subprocess.Popen[str], tmp_path: Path) -> None:
    with closing(MilvusFolder(tmp_path, publisher_wait_s=60)) as index:
        threading.Timer(0.5, tell, [writer]).start()
        assert publish(index).number == 1


def test_a_question_under_way_is_answered_while_the_index_moves_on(tmp_path: Path) -> None:
    with closing(open_index(str(tmp_path))) as index:
        publish(index)
        counts: set[int] = set()
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                counts.add(answers(index))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for rows in (4, 8, 12, 16, 20):
            publish(index, shots(compass(rows)))
        stop.set()
        for thread in threads:
            thread.join()
        assert counts <= {24, 4, 8, 12, 16, 20}
        assert answers(index) == 20


FULL = """
import resource, signal, sys
sys.path.insert(0, {tests!r})
from index_factory import publish, shots
from search.open_index import open_index
from featurization.errors import SearchIndexError
import numpy as np
index = open_index({folder!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    publish(index, shots(np.random.default_rng(0).standard_normal((20_000, 8))))
except SearchIndexError as error:
    print(error)
"""


def test_a_full_disk_is_one_line_and_the_old_answers(tmp_path: Path) -> None:
    with closing(open_index(str(tmp_path))) as index:
        publish(index)
    code = FULL.format(tests=str(ROOT / "tests"), folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1, done.stderr
    assert "what was published before still answers" in done.stdout
    assert "Traceback" not in done.stderr
    with closing(open_index(str(tmp_path))) as index:
        assert answers(index) == 24
    assert len(list((tmp_path / "generations").iterdir())) == 1


def test_something_else_at_the_address_is_named(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(SearchIndexError, match=r"thesis\.docx.*RUSHES_INDEX"):
        open_index(str(tmp_path))
    with pytest.raises(SearchIndexError, match="a file, where an index"):
        open_index(str(tmp_path / "thesis.docx"))
    assert (tmp_path / "thesis.docx").read_text() == "mine"


@pytest.mark.parametrize("damaged", ["manifest.json", "shots.arrow", "shots.npy"])
def test_a_damaged_generation_is_one_line(damaged: str, tmp_path: Path) -> None:
    with closing(open_index(str(tmp_path))) as index:
        publish(index)
    (path,) = (tmp_path / "generations").glob(f"*/{damaged}")
    path.write_bytes(b"{")
    with closing(open_index(str(tmp_path))) as index, pytest.raises(SearchIndexError, match=r"index rebuild") as caught:
        answers(index)
    assert "\n" not in str(caught.value)
    with closing(open_index(str(tmp_path))) as index:
        publish(index, shots(compass(8)))
        assert answers(index) == 8


def test_a_damaged_database_is_done_without(tmp_path: Path) -> None:
    with closing(open_index(str(tmp_path))) as index:
        publish(index)
    (schema,) = (tmp_path / "generations").glob("*/milvus.db/collections/shots/schema.json")
    schema.write_bytes(b"{")
    with closing(open_index(str(tmp_path))) as index:
        assert answers(index) == 24


def test_large_collections_are_scanned_and_small_ones_asked_of_milvus(tmp_path: Path) -> None:
    with closing(MilvusFolder(tmp_path, scanned_rows=10)) as index:
        publish(index, shots(compass(24)), shots(compass(6), name="fused"))
        assert answers(index) == 24
        assert not (tmp_path / "readers").exists()
        (hits,) = index.search("fused", compass(6)[2:3], space=SPACE, limit=1)
        assert hits[0].id == "film-0002"
        assert (tmp_path / "readers").exists()


def test_a_server_that_goes_away_is_one_line(tmp_path: Path) -> None:
    with milvus_server(tmp_path / "data") as address:
        index = open_index(address)
        publish(index, shots())
        assert answers(index) == 24
    with pytest.raises(SearchIndexError, match="RUSHES_INDEX") as caught:
        answers(index)
    assert "\n" not in str(caught.value)
    index.close()


def test_a_server_that_was_restarted_answers_again(tmp_path: Path) -> None:
    with milvus_server(tmp_path / "data") as address, closing(open_index(address)) as index:
        made = publish(index, shots(), sentences())
    with milvus_server(tmp_path / "data") as address, closing(open_index(address)) as index:
        assert index.current() == made
        assert answers(index) == 24
        assert len(index.match("sentences", "harbour", limit=9)) == 2


def test_large_collections_on_a_server_lose_next_to_nothing(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.milvus_server.FLAT_ROWS", 1000)
    rng = np.random.default_rng(9)
    vectors = rng.standard_normal((3000, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = rng.standard_normal((50, 32)).astype(np.float32)
    with closing(open_index(f"{server}/{tmp_path.name}")) as index:
        publish(index, shots(vectors))
        answered = index.search("shots", queries, space=SPACE, limit=10)
    nearest = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    found = [
        len({hit.id for hit in hits} & {f"film-{n:04d}" for n in row})
        for hits, row in zip(answered, nearest, strict=True)
    ]
    assert sum(found) >= 0.99 * 10 * len(queries)
