"""Indexes to test with: rows whose neighbours can be pictured, and a Milvus server in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from featurization.errors import SearchIndexError
from search.open_index import open_index
from search.vector_index import Collection, Condition, Generation, VectorIndex, Vectors

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


@contextmanager
def milvus_server(data: Path) -> Iterator[str]:
    """The address of a Milvus server that runs until the end of the block."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
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
