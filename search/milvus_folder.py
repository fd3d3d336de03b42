"""The local index: a folder of generations, each a file of Milvus Lite with its columns and vectors beside it.

Publishing writes a new generation and replaces one pointer (generation_files.py); readers look at the pointer with each
question, so they never block a writer and see the new generation with their next question. Every reader opens a view of
its own (reader_view.py), so any number of processes read at once.

Milvus Lite goes over every row in Python for every question, about 2 µs each: 5 ms for 2,000 rows, 40 ms for 20,000,
250 ms for 100,000 (2 cores). So it answers for collections of up to `SCANNED_ROWS`; in larger ones every vector is
compared here, by numpy over the mapped file, which is exact and faster by an order of magnitude. Those of more than
`KEPT_ROWS` are not put into Milvus Lite at all: that takes .4 ms and 25 kB of memory a row, which nobody would ever ask
for. A Milvus server (milvus_server.py) holds collections of every size and answers for them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from featurization.errors import SearchIndexError
from search.checks import (
    NOTHING_BEFORE,
    check_window,
    checked_collections,
    checked_queries,
    nothing_indexed,
    stamp_of,
    stamps_of,
)
from search.conditions import check_where, sifted
from search.generation_files import GenerationFolder, IndexFolder
from search.milvus_index import Found, Milvus, plain_name
from search.publisher_lock import writing
from search.reader_view import ReaderView
from search.rows import Rows
from search.vector_index import KEPT, Collection, Generation, Hit, Vectors, Where

log = logging.getLogger(__name__)
SCANNED_ROWS = 2_000  # more are scanned here, not by Milvus Lite
KEPT_ROWS = 20_000  # more are kept as files alone
PUBLISHER_WAIT_S = 60.0  # how long one publish waits for another
REBUILD = "run `rushes index rebuild`"
FREE = "see that the disk has room and may be written; what was published before still answers"


class _Reading:
    """One generation, open for as long as questions about it run."""

    def __init__(self, folder: GenerationFolder, index: Path) -> None:
        self.folder, self._index = folder, index
        self.generation = folder.generation()
        self.rows: Mapping[str, Rows] = folder.rows()
        self.questions = 0
        self._view: ReaderView | None = None

    @cached_property
    def milvus(self) -> Milvus | None:
        """Milvus Lite on a view of the generation; None where no view can be made, and scanning has to do."""
        try:
            self._view = ReaderView(self.folder.database, self._index)
            milvus = Milvus(str(self._view.database), shown=str(self._index), way_out=REBUILD)
            for name, rows in self.rows.items():
                if rows.table.num_rows <= KEPT_ROWS:
                    milvus.load(plain_name(name))
            return milvus
        except (OSError, SearchIndexError) as error:
            log.warning("%s: searched without Milvus Lite (%s)", self._index, error)
            return None

    def close(self) -> None:
        """Let Milvus Lite and the view go."""
        if self._view is not None:
            if self.milvus is not None:
                self.milvus.close()
            self._view.close()


class MilvusFolder:
    """A VectorIndex in a folder."""

    def __init__(
        self, path: Path, *, scanned_rows: int = SCANNED_ROWS, publisher_wait_s: float = PUBLISHER_WAIT_S
    ) -> None:
        self._path, self._folder = path, IndexFolder(path)
        self._scanned_rows, self._publisher_wait_s = scanned_rows, publisher_wait_s
        self._lock = threading.RLock()
        self._latest: _Reading | None = None
        self._folder.check()

    def publish(self, collections: Sequence[Collection], *, snapshot: int, digest: str, run: str) -> Generation:
        """Write a generation and point readers at it; whatever fails before leaves the old one answering."""
        checked = checked_collections(collections)
        built = datetime.now(UTC).isoformat(timespec="seconds")
        with self._writing():
            begun = self._folder.begin()
            try:
                self._folder.remove_newer(but=begun)
                generation = Generation(begun.number, snapshot, digest, run, built, stamps_of(checked))
                self._write(begun, checked, generation)
                self._folder.point_at(begun)
            except BaseException:
                begun.remove()
                raise
            self._folder.remove_older(KEPT)
        return generation

    def current(self) -> Generation | None:
        """The generation that readers see; None before the first."""
        if self._folder.current() is None:
            return None
        with self._reading() as reading:
            return reading.generation

    def generations(self) -> list[Generation]:
        """Those that are kept, oldest first."""
        return [each.generation() for each in self._folder.kept()]

    def rollback(self) -> Generation:
        """Point readers at the generation before the current one."""
        if len(self._folder.kept()) < 2:
            raise SearchIndexError(NOTHING_BEFORE)
        with self._writing():
            before = self._folder.kept()[-2]
            self._folder.point_at(before)
        return before.generation()

    def search(
        self, collection: str, queries: Vectors, *, space: str, limit: int, offset: int = 0, where: Where = ()
    ) -> list[list[Hit]]:
        """Nearest rows by cosine for each query, best first."""
        check_window(limit, offset)
        with self._reading() as reading:
            vectors = checked_queries(collection, stamp_of(reading.generation, collection), queries, space)
            rows = reading.rows[collection]
            if (milvus := self._milvus(reading, rows)) is None:
                return rows.nearest(vectors, limit=limit, offset=offset, where=where)
            check_where(where, rows.kinds)
            found = milvus.nearest(plain_name(collection), vectors, limit=limit + offset, where=where)
            return [_hits(rows, each, where, offset) for each in found]

    def match(self, collection: str, text: str, *, limit: int, offset: int = 0, where: Where = ()) -> list[Hit]:
        """Rows by BM25, best first."""
        check_window(limit, offset)
        with self._reading() as reading:
            stamp_of(reading.generation, collection)
            rows = reading.rows[collection]
            if not rows.text or (milvus := self._milvus(reading, rows)) is None:
                return rows.matching(text, limit=limit, offset=offset, where=where)
            check_where(where, rows.kinds)
            found = milvus.matching(plain_name(collection), text, limit=limit + offset, where=where)
            return _hits(rows, found, where, offset)

    def vectors(self, collection: str, ids: Sequence[str]) -> Vectors:
        """The vectors of rows, in the order of `ids`."""
        with self._reading() as reading:
            stamp_of(reading.generation, collection)
            return reading.rows[collection].vectors_of(ids)

    def sample(self, collection: str, count: int) -> Vectors:
        """Up to `count` vectors, the same ones each time."""
        with self._reading() as reading:
            stamp_of(reading.generation, collection)
            return reading.rows[collection].sample(count)

    def close(self) -> None:
        """Let go of what is open."""
        with self._lock:
            if self._latest is not None:
                self._latest.close()
            self._latest = None

    def _milvus(self, reading: _Reading, rows: Rows) -> Milvus | None:
        if not 0 < rows.table.num_rows <= self._scanned_rows:
            return None
        with self._lock:
            return reading.milvus

    @contextmanager
    def _reading(self) -> Iterator[_Reading]:
        """The current generation; one that is replaced meanwhile answers to the end, and is closed then."""
        with self._lock:
            reading = self._newest()
            reading.questions += 1
        try:
            yield reading
        finally:
            with self._lock:
                reading.questions -= 1
                if reading is not self._latest and not reading.questions:
                    reading.close()

    def _newest(self) -> _Reading:
        if (current := self._folder.current()) is None:
            raise nothing_indexed()
        before = self._latest
        if before is not None and before.folder == current:
            return before
        self._latest = latest = _Reading(current, self._path)
        if before is not None and not before.questions:
            before.close()
        return latest

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with writing(self._path, wait_s=self._publisher_wait_s):
                yield
        except OSError as error:
            raise SearchIndexError(f"{self._path}: cannot be written ({error}); {FREE}") from error

    def _write(self, begun: GenerationFolder, collections: Sequence[Collection], generation: Generation) -> None:
        milvus = Milvus(str(begun.database), shown=str(self._path), way_out=FREE)
        try:
            for each in collections:
                if each.columns.num_rows <= KEPT_ROWS:
                    milvus.write(plain_name(each.name), each, exact=True)
        finally:
            milvus.close()
        begun.write(collections, generation)


def _hits(rows: Rows, found: Found, where: Where, offset: int) -> list[Hit]:
    numbers = np.array([number for number, _, _ in found], dtype=np.int64)
    scores = np.array([score for _, score, _ in found], dtype=np.float32)
    return sifted(rows.hits(numbers, scores), where)[offset:]
