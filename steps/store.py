"""The store: blobs and features by content, tables by snapshot, previews by asset.

```
blobs/ab/ab12….mp3                     bytes of media, transcripts and images, named by their sha256
features/EXTRACTOR/ab/DIGEST.npy …     what was computed from bytes, named by (content, extractor, version, options)
tables/NAME/ab/DIGEST.parquet, .json   immutable pieces of tables, by the first characters of asset ids: steps/pieces.py
snapshots/00000012.json                which pieces make up every table after run 12; the highest number is current
newest-snapshot                        where to begin to look for it: steps/snapshots.py
previews/ASSET_ID/preview.mp3 …        what listeners get
proxies/ab/ASSET_ID-DIGEST.mp4, .m4a   copies of media that browsers cannot play: steps/proxies.py
```
A run commits once, by creating the next snapshot: readers see all of it or none. Creation is exclusive, so of two runs
that commit at once the second merges on top of the first. Rolling back commits the previous snapshot's pieces again.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurization.errors import StoreError
from steps.files import Files
from steps.parquet import from_parquet, to_parquet
from steps.pieces import Pieces, as_declared, bucket_of, by_bucket, fresh
from steps.snapshots import Snapshot, Snapshots
from steps.tables import Table

ROOT = Path(__file__).resolve().parents[1]
Row = TypeVar("Row")
Writes = Mapping[Table[Any], Mapping[str, Sequence[Any]]]


@dataclass(frozen=True)
class FeatureKey:
    """Names a computed value by everything it depends on."""

    sha256: str
    extractor: str
    version: str
    options: str = ""  # repr of the options and of the models used

    def path(self, suffix: str) -> str:
        """Store key of the value; equal inputs give equal keys."""
        text = "\n".join((self.sha256, self.extractor, self.version, self.options))
        return f"features/{self.extractor}/{self.sha256[:2]}/{hashlib.sha256(text.encode()).hexdigest()[:32]}{suffix}"


def store_url() -> str:
    """`RUSHES_STORE`, else `.rushes` in the repository root."""
    return os.environ.get("RUSHES_STORE") or str(ROOT / ".rushes")


class Store:
    """The only way in and out of what rushes keeps."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url or store_url()
        self.files = Files(self.url)
        self.pieces = Pieces(self.files)
        self.snapshots = Snapshots(self.files)

    # blobs ----------------------------------------------------------------------------------------------------------

    def put_blob(self, source: Path, sha256: str) -> str:
        """Keep a file's bytes under their digest; returns the key. Bytes known since lately are not copied again."""
        key = f"blobs/{sha256[:2]}/{sha256}{source.suffix.lower()}"
        if not fresh(self.files, key):
            self.files.put(key, source)
        return key

    def put_bytes(self, data: bytes, suffix: str) -> str:
        """Like `put_blob`, for bytes in memory."""
        sha256 = hashlib.sha256(data).hexdigest()
        key = f"blobs/{sha256[:2]}/{sha256}{suffix}"
        if not fresh(self.files, key):
            self.files.write(key, data)
        return key

    def local(self, key: str) -> AbstractContextManager[Path]:
        """A blob as a local file, for as long as the context lives."""
        return self.files.as_local(key)

    # features -------------------------------------------------------------------------------------------------------

    def recall_array(self, key: FeatureKey) -> np.ndarray | None:
        """A computed array, or None if it was never computed."""
        data = self.files.read_if_there(key.path(".npy"))
        return None if data is None else np.load(io.BytesIO(data), allow_pickle=False)

    def remember_array(self, key: FeatureKey, array: np.ndarray) -> None:
        """Keep a computed array."""
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        self.files.write(key.path(".npy"), buffer.getvalue())

    def recall_rows(self, key: FeatureKey, table: Table[Row]) -> tuple[Row, ...] | None:
        """Computed rows, or None if they were never computed."""
        data = self.files.read_if_there(key.path(".parquet"))
        return None if data is None else table.from_arrow(from_parquet(data)).get("", ())

    def remember_rows(self, key: FeatureKey, table: Table[Row], rows: Sequence[Row]) -> None:
        """Keep computed rows."""
        self.files.write(key.path(".parquet"), to_parquet(table.to_arrow({"": rows})))

    # tables ---------------------------------------------------------------------------------------------------------

    def read(
        self, table: Table[Row], asset_ids: Sequence[str] | None = None, *, at: Snapshot | None = None
    ) -> dict[str, tuple[Row, ...]]:
        """Rows by asset id in a snapshot, the current one if none is given; all assets, or only those named."""
        return table.from_arrow(self.arrow(table, asset_ids, at=at))

    def arrow(
        self, table: Table[Any], asset_ids: Sequence[str] | None = None, *, at: Snapshot | None = None
    ) -> pa.Table:
        """The same as one Arrow table, for notebooks."""
        read = [as_declared(piece, table) for piece in self._stored(table.name, asset_ids, at or self.current())]
        return pa.concat_tables(read) if read else table.schema.empty_table()

    def arrow_named(self, name: str, asset_ids: Sequence[str] | None = None) -> pa.Table:
        """A table as it is stored, for those who do not know its rows' class."""
        read = self._stored(name, asset_ids, self.current()) or [pa.table({"asset_id": pa.array([], pa.string())})]
        return pa.concat_tables(read, promote_options="default")

    def _stored(self, name: str, asset_ids: Sequence[str] | None, snapshot: Snapshot) -> list[pa.Table]:
        filters = None if asset_ids is None else [("asset_id", "in", list(asset_ids))]
        return self.pieces.read(self.pieces.holding(snapshot.tables.get(name, {}), asset_ids), filters=filters)

    def columns(self, table: Table[Any], names: Sequence[str]) -> pa.Table:
        """Some columns of a table, `asset_id` first; the others are not read."""
        wanted = ["asset_id", *names]
        keys = self.pieces.holding(self.current().tables.get(table.name, {}), None)
        read = self.pieces.read(keys, columns=wanted)
        return pa.concat_tables(read) if read else table.schema.empty_table().select(wanted)

    def asset_ids(self, table: Table[Any]) -> list[str]:
        """The assets that have rows in a table, sorted."""
        return sorted(pc.unique(self.columns(table, [])["asset_id"]).to_pylist())

    def keys(self, snapshot: Snapshot) -> Iterator[str]:
        """Every file of tables that a snapshot consists of."""
        for buckets in snapshot.tables.values():
            yield from self.pieces.keys(buckets)

    def current(self) -> Snapshot:
        """The newest committed state; number 0 is the empty store."""
        return self.snapshots.newest()

    def history(self) -> list[Snapshot]:
        """All snapshots, oldest first. Each is read: whoever looks for one of them takes `snapshots.backwards()`."""
        return list(self.snapshots.backwards())[::-1]

    def commit(self, run: str, writes: Writes) -> Snapshot:
        """Replace the rows of the given assets in the given tables, all at once. An asset with no rows is removed."""
        return self.commit_parts(run, lambda: iter([writes]))

    def commit_parts(
        self, run: str, parts: Callable[[], Iterator[Writes]], *, then: Sequence[Callable[[Store], Writes]] = ()
    ) -> Snapshot:
        """Like `commit`, of parts that come one by one, in the order of their asset ids.

        Only the rows of one bucket (steps/pieces.py) are held in memory. What follows from the parts as a whole is
        part of the same commit: each of `then` reads the state as it would be until there, and says what changes.
        `parts` and `then` are called anew if another run committed meanwhile.
        """
        for _ in range(20):
            base = self.current()
            tables = {name: {**buckets} for name, buckets in base.tables.items()}
            for writes in _by_bucket(parts()):
                self._merge(tables, writes)
            following = _after(base, run, tables)
            for follow in then:
                self._merge(tables, follow(_Draft(self.url, following)))
                following = _after(base, run, tables)
            if self.snapshots.create(following):
                return following
        raise StoreError(f"{self.url}: twenty other runs committed first; run it again")

    def _merge(self, tables: dict[str, dict[str, str]], writes: Writes) -> None:
        """Put rows into their buckets."""
        places = [(table, *bucket) for table, rows in writes.items() for bucket in by_bucket(rows).items()]

        def merged(place: tuple[Table[Any], str, list[str]]) -> str | None:
            table, bucket, asset_ids = place
            new = {asset_id: writes[table][asset_id] for asset_id in asset_ids}
            return self.pieces.merged(table, bucket, tables.get(table.name, {}).get(bucket), new)

        for (table, bucket, _), key in zip(places, self.pieces.at_once(merged, places), strict=True):
            buckets = tables.setdefault(table.name, {})
            buckets.pop(bucket, None)
            if key:
                buckets[bucket] = key

    def rollback(
        self,
        keep: Collection[str] = (),
        *,
        passed: Callable[[Snapshot], bool] = lambda _: False,
        amended: Callable[[Snapshot], Writes] = lambda _: {},
    ) -> Snapshot:
        """Make the state before the last commit current again; the undone state stays in the history.

        Tables named in `keep` stay as they are, and commits to them alone are passed over, as are those that `passed`
        names. What `amended` says of the state to come is part of it.
        """
        current = undone = self.current()
        while undone.number and (passed(undone) or ((changed := self._changed(undone)) and changed <= set(keep))):
            undone = self.snapshots.read(undone.parent)
        if not undone.number:
            raise StoreError(f"{self.url}: nothing was committed yet, so there is nothing to roll back")
        before = self.snapshots.read(undone.parent)
        kept = {name: pieces for name, pieces in current.tables.items() if name in keep}
        tables = {name: {**pieces} for name, pieces in {**before.tables, **kept}.items()}
        rolled = Snapshot(current.number + 1, before.parent, f"rollback of {undone.run}", tables)
        self._merge(tables, amended(rolled))
        if not self.snapshots.create(rolled):
            raise StoreError(f"{self.url}: another run committed meanwhile; look at `rushes runs` and try again")
        return rolled

    def _changed(self, snapshot: Snapshot) -> set[str]:
        """Names of the tables that a commit changed."""
        return snapshot.changed(self.snapshots.read(snapshot.parent))


class _Draft(Store):
    """A store as its readers would find it if a snapshot were committed."""

    def __init__(self, url: str, snapshot: Snapshot) -> None:
        super().__init__(url)
        self._snapshot = snapshot

    def current(self) -> Snapshot:
        return self._snapshot


def _after(base: Snapshot, run: str, tables: Mapping[str, dict[str, str]]) -> Snapshot:
    return Snapshot(base.number + 1, base.number, run, {name: {**b} for name, b in sorted(tables.items()) if b})


def _by_bucket(parts: Iterator[Writes]) -> Iterator[Writes]:
    """Parts joined as long as they go into the same bucket, so that each piece is written once."""
    joined: dict[Table[Any], dict[str, Any]] = {}
    latest: set[str] = set()
    for part in parts:
        buckets = {bucket_of(asset_id) for rows in part.values() for asset_id in rows}
        if not buckets <= latest and joined:
            yield joined
            joined = {}
        latest = buckets
        for table, rows in part.items():
            joined.setdefault(table, {}).update(rows)
    if joined:
        yield joined
