"""What was computed from an asset's bytes, computed at most once, with what that took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from steps.savings import Reuse
from steps.spending import Meter
from steps.store import FeatureKey, Store
from steps.tables import Table

Row = TypeVar("Row")
Value = TypeVar("Value")

# Raised when an extractor's result changes for the same input and options.
VERSIONS = {
    "profile": "1",
    "levels": "1",
    "voice-activity": "1",
    "speech": "1",
    "words": "1",
    "sound-probabilities": "1",
    "sounds": "2",
    "turns": "3",
    "voices": "2",
    "vectors": "1",
    "shots": "1",
    "film": "1",
    "tags": "1",
    "sound-fingerprint": "1",
    "picture-fingerprint": "1",
}


@dataclass(frozen=True, slots=True)
class Used:
    """The computed values that an asset's rows were made from."""

    keys: tuple[str, ...]  # of the store, sorted


USED = Table("features", Used)  # what garbage collection must leave (steps/garbage.py)


class Cache:
    """Results for the bytes with one sha256. `options` must name everything else that a result depends on."""

    def __init__(self, store: Store, sha256: str, *, on_gpu: Callable[[str], bool] = lambda _: False) -> None:
        self.store, self.sha256, self._on_gpu = store, sha256, on_gpu
        self.meter = Meter(store.files)  # by extractor, of what had to be computed; and bytes of what was read
        self.reuse: dict[str, Reuse] = {}
        self._used: set[str] = set()

    @property
    def used(self) -> Used:
        """What was asked for so far, kept or computed."""
        return Used(tuple(sorted(self._used)))

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
        self._used.add(key.path(".parquet"))
        return self._kept(
            extractor,
            recall=lambda: self.store.recall_rows(key, table),
            compute=lambda: tuple(compute()),
            remember=lambda rows: self.store.remember_rows(key, table, rows),
        )

    def array(
        self, extractor: str, options: object, compute: Callable[[], np.ndarray], *, version: str = ""
    ) -> np.ndarray:
        """The kept array, else the one that `compute` gives, which is then kept."""
        key = self._key(extractor, options, version)
        self._used.add(key.path(".npy"))
        return self._kept(
            extractor,
            recall=lambda: self.store.recall_array(key),
            compute=compute,
            remember=lambda array: self.store.remember_array(key, array),
        )

    def array_between(
        self, extractor: str, options: object, compute: Callable[[], np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`array` for a value of which only another kept value is made: read or computed if called for.

        It counts as used even if it is not called for, so that it outlives the first run and is there when the options
        of what is made of it change.
        """
        self._used.add(self._key(extractor, options, "").path(".npy"))
        return partial(self.array, extractor, options, compute)

    def computed(self, extractor: str) -> bool:
        """Whether any of its values had to be computed."""
        return self.reuse.get(extractor, Reuse()).computed > 0

    def _kept(
        self,
        extractor: str,
        *,
        recall: Callable[[], Value | None],
        compute: Callable[[], Value],
        remember: Callable[[Value], None],
    ) -> Value:
        with self.meter.moving(extractor):
            value = recall()
        known = value is not None
        if value is None:
            with self.meter.timed(extractor, gpu=self._on_gpu(extractor)):
                value = compute()
            with self.meter.moving(extractor):
                remember(value)
        self.reuse[extractor] = self.reuse.get(extractor, Reuse()) + (Reuse(read=1) if known else Reuse(computed=1))
        return value

    def _key(self, extractor: str, options: object, version: str) -> FeatureKey:
        return FeatureKey(self.sha256, extractor, version or VERSIONS[extractor], repr(options))
