"""What was computed from an asset's bytes, computed at most once, with what that took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from steps.spending import Meter
from steps.store import FeatureKey, Store
from steps.tables import Table

Row = TypeVar("Row")

# Raised when an extractor's result changes for the same input and options.
VERSIONS = {
    "profile": "1",
    "levels": "1",
    "speech": "1",
    "words": "1",
    "sounds": "1",
    "turns": "1",
    "vectors": "1",
    "shots": "1",
    "film": "1",
    "tags": "1",
}


class Cache:
    """Results for the bytes with one sha256. `options` must name everything else that a result depends on."""

    def __init__(self, store: Store, sha256: str) -> None:
        self.store, self.sha256 = store, sha256
        self.meter = Meter()  # by extractor, of what had to be computed

    def rows(
        self,
        extractor: str,
        table: Table[Row],
        options: object,
        compute: Callable[[], Iterable[Row]],
        *,
        version: str = "",
    ) -> tuple[Row, ...]:
        """The kept rows, else those that `compute` gives, which are then kept; `version` is a foreign extractor's."""
        key = self._key(extractor, options, version)
        rows = self.store.recall_rows(key, table)
        if rows is None:
            with self.meter.timed(extractor):
                rows = tuple(compute())
            self.store.remember_rows(key, table, rows)
        return rows

    def array(
        self, extractor: str, options: object, compute: Callable[[], np.ndarray], *, version: str = ""
    ) -> np.ndarray:
        """The kept array, else the one that `compute` gives, which is then kept."""
        key = self._key(extractor, options, version)
        array = self.store.recall_array(key)
        if array is None:
            with self.meter.timed(extractor):
                array = compute()
            self.store.remember_array(key, array)
        return array

    def _key(self, extractor: str, options: object, version: str) -> FeatureKey:
        return FeatureKey(self.sha256, extractor, version or VERSIONS[extractor], repr(options))
