"""The honest index: everything in memory, every row compared. What Milvus must agree with, and what tests use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

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
from search.rows import Rows
from search.vector_index import KEPT, Collection, Generation, Hit, Vectors, Where


@dataclass(frozen=True, eq=False)
class _State:
    generation: Generation
    rows: Mapping[str, Rows]


class ExactIndex:
    """A VectorIndex that lives as long as its process."""

    def __init__(self) -> None:
        self._kept: list[_State] = []  # oldest first; the last one is current
        self._newest = 0

    def publish(self, collections: Sequence[Collection], *, snapshot: int, digest: str, run: str) -> Generation:
        """Keep the collections and answer from them."""
        checked = checked_collections(collections)
        self._newest += 1
        built = datetime.now(UTC).isoformat(timespec="seconds")
        generation = Generation(self._newest, snapshot, digest, run, built, stamps_of(checked))
        state = _State(generation, {each.name: Rows.of(each) for each in checked})
        self._kept = [*self._kept, state][-KEPT:]
        return generation

    def current(self) -> Generation | None:
        """The generation that is answered from; None before the first."""
        return self._kept[-1].generation if self._kept else None

    def generations(self) -> list[Generation]:
        """Those that are kept, oldest first."""
        return [state.generation for state in self._kept]

    def rollback(self) -> Generation:
        """Return to the generation before the current one, which is forgotten."""
        if len(self._kept) < 2:
            raise SearchIndexError(NOTHING_BEFORE)
        self._kept = self._kept[:-1]
        return self._kept[-1].generation

    def search(
        self, collection: str, queries: Vectors, *, space: str, limit: int, offset: int = 0, where: Where = ()
    ) -> list[list[Hit]]:
        """Nearest rows by cosine for each query, best first."""
        check_window(limit, offset)
        state = self._state(collection)
        unit_queries = checked_queries(collection, state.generation.stamps[collection], queries, space)
        return state.rows[collection].nearest(unit_queries, limit=limit, offset=offset, where=where)

    def match(self, collection: str, text: str, *, limit: int, offset: int = 0, where: Where = ()) -> list[Hit]:
        """Rows by BM25, best first."""
        check_window(limit, offset)
        return self._state(collection).rows[collection].matching(text, limit=limit, offset=offset, where=where)

    def vectors(self, collection: str, ids: Sequence[str]) -> Vectors:
        """The vectors of rows, in the order of `ids`."""
        return self._state(collection).rows[collection].vectors_of(ids)

    def sample(self, collection: str, count: int) -> Vectors:
        """Up to `count` vectors, the same ones each time."""
        return self._state(collection).rows[collection].sample(count)

    def close(self) -> None:
        """Nothing is held that others could want."""

    def _state(self, collection: str) -> _State:
        if not (kept := self._kept):
            raise nothing_indexed()
        stamp_of(kept[-1].generation, collection)
        return kept[-1]
