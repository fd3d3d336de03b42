"""Search over made vectors: recall against exact search, latency with and without a filter, clients at once.

Beside bare numpy, bare faiss, and Milvus Lite asked for everything; then through a real `rushes serve`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.clients import at_once, quantiles, timed
from benchmarks.job import Job, say
from benchmarks.made_vectors import LONG_S, SPACE, Made, made
from benchmarks.report import Measured
from benchmarks.search_api import measure_api
from search.milvus_folder import SCANNED_ROWS, MilvusFolder
from search.vector_index import Condition, VectorIndex, Vectors

QUERIES = 100
TOP = 10
CLIENTS = 32
LOAD_S = 60.0  # with as many rows as a task makes by default; less where there are fewer
LONG = (Condition("duration", ">=", LONG_S),)
NOTES = (
    f"{QUERIES} queries, one after the other; a filter that half of the rows pass (duration); recall of the best {TOP}",
    f"clients: {CLIENTS} threads that ask without pause, half of them with the filter",
    "numpy: one matrix product, then argpartition; faiss: IndexFlatIP, with IDSelectorBatch for the filter",
    f"milvus lite: the same index, every question asked of Milvus Lite; rushes scans more than {SCANNED_ROWS:,} rows",
    "api: GET /shots?like=ID of a `rushes serve` process, over HTTP on this machine",
)
Search = Callable[[NDArray[np.float32], bool], Sequence[int]]  # a query, filtered or not → row numbers, best first
Truth = Sequence[Mapping[bool, set[int]]]  # of each query, filtered or not


def measure(job: Job) -> Measured:
    """Measure with `--rows` rows of `--dim` dimensions."""
    data = made(job.rows, job.dim, queries=QUERIES)
    say(f"{job.rows} rows of {job.dim} dimensions")
    exact = {"numpy": _numpy(data), "faiss": _faiss(data)}
    truth = [{filtered: set(exact["numpy"](query, filtered)) for filtered in (False, True)} for query in data.queries]
    peers = {name: _figures(search, data.queries, truth) for name, search in exact.items()}
    ours, peers["milvus lite"] = _folder(data, job.scratch / "index", truth, _load_s(job.rows))
    api = measure_api(data, job.scratch, clients=CLIENTS, seconds=_load_s(job.rows))
    return Measured(
        metrics={**ours, "api": api},
        peers=peers,
        counts={"rows": job.rows, "dim": job.dim, "queries": QUERIES},
        notes=NOTES,
    )


def _load_s(rows: int) -> float:
    return LOAD_S * min(1.0, rows / 20_000)


def _numpy(data: Made) -> Search:
    def search(query: NDArray[np.float32], filtered: bool) -> Sequence[int]:
        scores = data.vectors @ query
        if filtered:
            scores = np.where(data.durations >= LONG_S, scores, -np.inf)
        best = np.argpartition(-scores, TOP)[:TOP]
        return list(best[np.argsort(-scores[best])])

    return search


def _faiss(data: Made) -> Search:
    index = faiss.IndexFlatIP(data.vectors.shape[1])
    index.add(data.vectors)

    def search(query: NDArray[np.float32], filtered: bool) -> Sequence[int]:
        passing = np.flatnonzero(data.durations >= LONG_S) if filtered else np.arange(len(data.vectors))
        chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(passing)) if filtered else None
        return list(index.search(query[None], TOP, params=chosen)[1][0])

    return search


def _folder(data: Made, folder: Path, truth: Truth, load_s: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of our index, and of the same one if Milvus Lite answers everything."""
    started = time.perf_counter()
    with closing(MilvusFolder(folder)) as index:
        index.publish([data.collection], snapshot=1, digest="made", run="benchmark")
        written: dict[str, Any] = {"ingest_s": time.perf_counter() - started, "disk_mb": _size_mb(folder)}
        search = _asked(index, data)
        ours = {**_figures(search, data.queries, truth), **_words(index, data), **written}
        ours["clients"] = at_once(
            lambda n: search(data.queries[n % QUERIES], bool(n % 2)), clients=CLIENTS, seconds=load_s
        )
    say(f"index: {ours['p50_ms']:.1f} ms, with a filter {ours['filtered_p50_ms']:.1f} ms")
    with closing(MilvusFolder(folder, scanned_rows=len(data.vectors))) as index:
        lite = {**_figures(_asked(index, data), data.queries, truth), **_words(index, data)}
    return ours, lite


def _asked(index: VectorIndex, data: Made) -> Search:
    numbers = {name: number for number, name in enumerate(data.table["id"].to_pylist())}

    def search(query: NDArray[np.float32], filtered: bool) -> Sequence[int]:
        (hits,) = index.search("shots", query[None], space=SPACE, limit=TOP, where=LONG if filtered else ())
        return [numbers[hit.id] for hit in hits]

    return search


def _figures(search: Search, queries: Vectors, truth: Truth) -> dict[str, float]:
    first = timed(lambda n: search(queries[n], False), [0])
    plain = _answered(search, queries, truth, filtered=False)
    return {"first_query_ms": 1000 * first[0], **plain, **_answered(search, queries, truth, filtered=True)}


def _answered(search: Search, queries: Vectors, truth: Truth, *, filtered: bool) -> dict[str, float]:
    answers: list[Sequence[int]] = []
    took = timed(lambda n: answers.append(search(queries[n], filtered)), range(len(queries)))
    found = sum(len(wanted[filtered].intersection(rows)) for rows, wanted in zip(answers, truth, strict=True))
    name = "filtered_" if filtered else ""
    return {f"{name}recall_at_{TOP}": found / (TOP * len(queries)), **quantiles(took, name)}


def _words(index: VectorIndex, data: Made) -> dict[str, float]:
    """Latency of full-text search; the first question, which may build what the others use, is left out."""
    took = timed(lambda n: index.match("shots", data.texts[n], limit=TOP), range(50))
    return quantiles(took[1:], "words_")


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
