"""A look at the store and at its index: whether they can be read, and where they stand."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime

from featurization.errors import RushesError, SearchIndexError
from search.vector_index import Generation, VectorIndex
from steps.index import index_address, open_store_index
from steps.snapshots import Snapshot
from steps.standing import Census, index_lags_since, take_census
from steps.store import Store

_FRESH_S = 5.0  # the index is not asked more often: a server that does not answer takes its time


class Watch:
    """What /healthz and /metrics ask of the store and the index; counted anew only when a run has committed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._counting, self._looking = threading.Lock(), threading.Lock()
        self._census: Census | None = None
        self._lag: tuple[tuple[int, int], datetime | None] | None = None
        self._index: VectorIndex | None = None
        self._seen: Generation | SearchIndexError | None = None
        self._looked = float("-inf")

    def snapshot(self) -> Snapshot:
        """The store's current snapshot. StoreError or OSError if it cannot be read."""
        return self.store.current()

    def census(self) -> Census:
        """The current snapshot, counted."""
        with self._counting:
            if self._census is None or self._census.snapshot.number != self.store.current().number:
                self._census = take_census(self.store)
            return self._census

    def generation(self) -> Generation | None:
        """What the index holds; None if nothing was indexed yet, or no index is configured.

        SearchIndexError if it cannot be read.
        """
        with self._looking:
            if time.monotonic() - self._looked > _FRESH_S:
                self._seen, self._looked = self._look(), time.monotonic()
            if isinstance(self._seen, SearchIndexError):
                raise self._seen
            return self._seen

    def _look(self) -> Generation | SearchIndexError | None:
        if not index_address(self.store):
            return None
        try:
            self._index = self._index or open_store_index(self.store)
            return self._index.current()
        except SearchIndexError as error:
            return error

    def lags_since(self, generation: Generation, spaces: Mapping[str, str]) -> datetime | None:
        """When the first commit was that the generation lacks; None if there is none."""
        with self._counting:
            pair = (self.store.current().number, generation.number)
            if self._lag is None or self._lag[0] != pair:
                self._lag = (pair, index_lags_since(self.store, generation, spaces))
            return self._lag[1]

    def troubles(self) -> dict[str, str]:
        """What cannot be read, "store" or "index", with the reason; empty if all is well."""
        troubles = {}
        for part, look in (("store", self.snapshot), ("index", self.generation)):
            try:
                look()
            except (RushesError, OSError) as error:
                troubles[part] = str(error)
        return troubles

    def close(self) -> None:
        """Release the index."""
        with self._looking:
            if self._index is not None:
                self._index.close()
            self._index, self._seen = None, None
