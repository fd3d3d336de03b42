"""How the rows of a table are cut into immutable pieces, so that a commit rewrites little, however large the table is.

Rows are gathered by the first two characters of their asset id. Such a bucket is one Parquet piece while it is small.
Once it has more rows than `Table.piece_rows` it is cut by the next character of the id, and so on, until a piece is
small or holds one asset: a trie, whose leaves are listed in a JSON document. Where it is cut follows from the rows
alone, and every file is named by its content: the same state is the same files, whatever commits led to it.

| a bucket is | its key | holds |
|---|---|---|
| small | tables/NAME/ab/DIGEST.parquet | its rows |
| large | tables/NAME/ab/DIGEST.json | the leaves: {"ab0": ["tables/NAME/ab/DIGEST.parquet", 4711], …} |
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from steps.files import Files
from steps.parquet import from_parquet, to_parquet
from steps.tables import Table

Item = TypeVar("Item")
Result = TypeVar("Result")
_AT_A_TIME = 16  # requests to an object store
_CUT = ".json"
_TRUSTED_S = 12 * 3600  # half of the least time of grace (steps/garbage.py)
_DEPTH = 2  # characters of an asset id that name a bucket


def bucket_of(asset_id: str) -> str:
    """The bucket that holds the rows of an asset."""
    return asset_id[:_DEPTH]


def by_bucket(asset_ids: Iterable[str]) -> dict[str, list[str]]:
    """Asset ids by their bucket."""
    buckets: dict[str, list[str]] = {}
    for asset_id in asset_ids:
        buckets.setdefault(bucket_of(asset_id), []).append(asset_id)
    return buckets


def fresh(files: Files, key: str) -> bool:
    """Whether a file is there, and so young that garbage collection, which may be at work, leaves it alone.

    What is not is written again by whoever is about to refer to it.
    """
    return files.modified(key) > time.time() - _TRUSTED_S


@dataclass(frozen=True)
class Leaf:
    """A piece: the rows of all assets whose ids begin with `prefix`. `rows` is unknown where a bucket is one piece."""

    prefix: str
    key: str
    rows: int | None = None


@dataclass(frozen=True)
class Pieces:
    """Reads and writes the pieces of tables."""

    files: Files

    def leaves(self, bucket: str, key: str) -> list[Leaf]:
        """The pieces of a bucket, in the order of their prefixes."""
        if not key.endswith(_CUT):
            return [Leaf(bucket, key)]
        return [Leaf(prefix, *piece) for prefix, piece in _document(self.files, key)]

    def holding(self, buckets: Mapping[str, str], asset_ids: Collection[str] | None) -> list[str]:
        """Keys of the pieces that may hold rows of these assets, or of all."""
        if asset_ids is None:
            return [leaf.key for bucket in sorted(buckets) for leaf in self.leaves(bucket, buckets[bucket])]
        wanted = by_bucket(asset_ids)
        return [
            leaf.key
            for bucket in sorted(wanted.keys() & buckets.keys())
            for leaf in _touched(self.leaves(bucket, buckets[bucket]), wanted[bucket])
        ]

    def read(self, keys: Sequence[str], *, columns: Sequence[str] | None = None, filters: Any = None) -> list[pa.Table]:
        """Several pieces, in their order; of some columns, or of the rows that pass filters, if they are given."""
        return self.at_once(lambda key: from_parquet(self.files.read(key), columns=columns, filters=filters), keys)

    def merged(self, table: Table[Any], bucket: str, key: str | None, new: Mapping[str, Any]) -> str | None:
        """Key of the bucket with the rows of some assets replaced; None if it is empty then."""
        old = self.leaves(bucket, key) if key else []
        touched = _touched(old, new)
        stored = [as_declared(piece, table) for piece in self.read([leaf.key for leaf in touched])]
        names = pa.array(list(new), pa.string())
        kept = (piece.filter(pc.invert(pc.is_in(piece["asset_id"], names))) for piece in stored)
        rows = _sorted(pa.concat_tables([*kept, table.to_arrow(new)]))
        changed = {leaf.prefix for leaf in touched}
        still = [leaf for leaf in old if leaf.prefix not in changed]
        return self._kept(table, bucket, self._cut(table, bucket, rows, still))

    def _cut(self, table: Table[Any], prefix: str, rows: pa.Table, still: Sequence[Leaf]) -> list[Leaf]:
        """The leaves below a prefix: of `rows`, which are in memory, and of the pieces that did not change."""
        if not len(rows) and len(still) <= 1:
            return [replace(leaf, prefix=prefix) for leaf in still]
        count = len(rows) + sum(leaf.rows or 0 for leaf in still)
        alone = not still and len(pc.unique(rows["asset_id"])) == 1
        if count <= table.piece_rows or alone:
            whole = [as_declared(piece, table) for piece in self.read([leaf.key for leaf in still])]
            return [self._leaf(table, prefix, _sorted(pa.concat_tables([rows, *whole])))]
        if not len(rows):  # nothing changed below, so it is cut as it was
            return list(still)
        depth = len(prefix) + 1
        heads = pc.utf8_slice_codeunits(rows["asset_id"], 0, depth)
        changed = {head: rows.filter(pc.equal(heads, head)) for head in pc.unique(heads).to_pylist()}
        beside: dict[str, list[Leaf]] = {}
        for leaf in still:
            beside.setdefault(leaf.prefix[:depth], []).append(leaf)
        return [
            leaf
            for head in sorted(changed.keys() | beside.keys())
            for leaf in self._cut(table, head, changed.get(head, rows.slice(0, 0)), beside.get(head, ()))
        ]

    def _leaf(self, table: Table[Any], prefix: str, rows: pa.Table) -> Leaf:
        # One chunk, so that history leaves no trace in the bytes.
        return Leaf(
            prefix, self._write(table, prefix[:_DEPTH], to_parquet(rows.combine_chunks()), ".parquet"), len(rows)
        )

    def _kept(self, table: Table[Any], bucket: str, leaves: Sequence[Leaf]) -> str | None:
        if not leaves:
            return None
        if len(leaves) == 1 and leaves[0].prefix == bucket:
            return leaves[0].key
        document = {leaf.prefix: [leaf.key, leaf.rows] for leaf in leaves}
        return self._write(table, bucket, json.dumps(document, sort_keys=True).encode(), _CUT)

    def _write(self, table: Table[Any], bucket: str, data: bytes, suffix: str) -> str:
        key = f"tables/{table.name}/{bucket}/{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
        if not fresh(self.files, key):
            self.files.write(key, data)
        return key

    def at_once(self, do: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Do something for each item, several at once where each is a request to an object store."""
        if self.files.local or len(items) < 2:
            return list(map(do, items))
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            return list(pool.map(do, items))

    def keys(self, buckets: Mapping[str, str]) -> Iterator[str]:
        """Every file that these buckets consist of."""
        for bucket, key in buckets.items():
            yield key
            if key.endswith(_CUT):
                yield from (leaf.key for leaf in self.leaves(bucket, key))


def _touched(leaves: Sequence[Leaf], asset_ids: Iterable[str]) -> list[Leaf]:
    """Those leaves that hold the rows of these assets, or would hold them."""
    lengths = {len(leaf.prefix) for leaf in leaves}
    prefixes = {asset_id[:length] for asset_id in asset_ids for length in lengths}
    return [leaf for leaf in leaves if leaf.prefix in prefixes]


def _sorted(rows: pa.Table) -> pa.Table:
    """By asset id; the sort is stable, so rows of one asset keep their order."""
    return rows.take(pc.sort_indices(rows["asset_id"]))


@lru_cache(maxsize=64)  # at millions of assets, each is a megabyte
def _document(files: Files, key: str) -> tuple[tuple[str, tuple[str, int]], ...]:
    """A document of leaves. Its key names its content, so it is never out of date."""
    return tuple((prefix, tuple(piece)) for prefix, piece in sorted(json.loads(files.read(key)).items()))


def as_declared(stored: pa.Table, table: Table[Any]) -> pa.Table:
    """A piece with the columns of today: those that it was written before are empty."""
    for column in (f for f in table.schema if f.name not in stored.column_names):
        stored = stored.append_column(column, pa.nulls(len(stored), column.type))
    return stored.select(table.schema.names).cast(table.schema)  # Parquet renames the inside of lists
