"""Snapshots: the committed states of a store, numbered without gaps, each created once and never changed.

A folder of a hundred thousand of them takes long to list where a listing comes in pages. So the newest is looked for
from a number that was the newest once (`newest-snapshot`): upwards, in steps that double while there is more, which is
one question if nobody committed since. Whoever commits writes the number; if it is behind, or lost, or ahead of what a
restored backup holds, the newest is found all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from featurization.errors import StoreError
from steps.files import Files

FOLDER = "snapshots"
HINT = "newest-snapshot"


@dataclass(frozen=True)
class Snapshot:
    """One committed state of all tables: table → bucket → key of its piece or pieces."""

    number: int
    parent: int  # the snapshot that a rollback returns to
    run: str
    tables: Mapping[str, Mapping[str, str]]

    def to_json(self) -> bytes:
        state = {"run": self.run, "parent": self.parent, "tables": self.tables}
        return json.dumps(state, indent=1, sort_keys=True).encode()

    def changed(self, before: Snapshot) -> set[str]:
        """Names of the tables that differ from those of another snapshot."""
        names = self.tables.keys() | before.tables.keys()
        return {name for name in names if self.tables.get(name) != before.tables.get(name)}


EMPTY = Snapshot(number=0, parent=0, run="", tables={})


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Reads and creates the snapshots of a store."""

    files: Files

    def read(self, number: int) -> Snapshot:
        """One snapshot; number 0 is the empty store."""
        return _read(self.files, number) if number else EMPTY

    def newest(self) -> Snapshot:
        """The one with the highest number."""
        try:
            return self.read(self._from(self._hint() or self._listed()))
        except StoreError:  # the hint may have outlived what it names, as where a backup was restored
            return self.read(self._listed())

    def backwards(self) -> Iterator[Snapshot]:
        """All that garbage collection left, the newest first, each read when it is asked for."""
        newest = self.newest()
        if newest.number:
            yield newest
        yield from map(self.read, takewhile(self._taken, range(newest.number - 1, 0, -1)))

    def create(self, snapshot: Snapshot) -> bool:
        """Make it the newest; False if there is one with its number already."""
        if not self.files.create(_key(snapshot.number), snapshot.to_json()):
            return False
        with suppress(StoreError):  # it is committed, and found without the hint too
            self.files.write(HINT, str(snapshot.number).encode())
        return True

    def _hint(self) -> int:
        text = self.files.read_if_there(HINT) or b""
        return int(text) if text.isdigit() else 0

    def _listed(self) -> int:
        return max((int(name.removesuffix(".json")) for name in self.files.list(FOLDER)), default=0)

    def _from(self, number: int) -> int:
        """The highest number that is taken, from one that is."""
        step = 1
        while self._taken(number + step):
            number, step = number + step, 2 * step
        while step > 1:
            step //= 2
            number += step if self._taken(number + step) else 0
        return number

    def _taken(self, number: int) -> bool:
        return self.files.exists(_key(number))


def _key(number: int) -> str:
    return f"{FOLDER}/{number:08d}.json"


@lru_cache(maxsize=8)
def _read(files: Files, number: int) -> Snapshot:
    """Remembered for as long as one opener of the store lives: a snapshot never changes, and a table of it is large."""
    data = files.read_if_there(_key(number))
    if data is None:
        raise StoreError(f"{files.path(_key(number))} is gone: `rushes gc` was asked to keep fewer snapshots than this")
    return Snapshot(number=number, **json.loads(data))
