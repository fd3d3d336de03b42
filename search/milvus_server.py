"""The index on a Milvus server.

A generation is one collection per Collection, `rushes_000007_5f0c91aa_shots`, and a collection of one row,
`rushes_000007_5f0c91aa`, that holds its manifest. The alias `rushes_current` names the manifest that readers follow:
moving it is the whole of publishing and of rolling back. A path in the address, `http://host:19530/archive`, takes the
place of `rushes`, so that several stores share a server.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa

from featurization.errors import SearchIndexError
from search.checks import (
    NOTHING_BEFORE,
    check_window,
    checked_collections,
    checked_queries,
    no_such_row,
    no_text,
    nothing_indexed,
    stamp_of,
    stamps_of,
)
from search.conditions import Kinds, check_where, kinds_of, membership, sifted
from search.generation_files import generation_of
from search.milvus_index import Found, Milvus, plain_name
from search.rows import sample_numbers
from search.vector_index import KEPT, Collection, Generation, Hit, Vectors, Where

PREFIX = "rushes"
FRESH_S = 1.0  # how long a reader may follow an alias that has moved
ROWS_AT_ONCE = 1000
FLAT_ROWS = 100_000  # below, comparing every vector is as fast as HNSW and loses nothing
WAY_OUT = "see that Milvus runs there and that RUSHES_INDEX is right"


@dataclass(frozen=True, eq=False)
class _State:
    """A generation that is answered from."""

    name: str  # of its manifest's collection
    generation: Generation
    kinds: Mapping[str, Kinds]  # by collection
    texts: Mapping[str, str]


class MilvusServer:
    """A VectorIndex on a Milvus server."""

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        shown = f"{url.scheme}://{url.hostname}:{url.port or 19530}"
        credentials = {"user": unquote(url.username or ""), "password": unquote(url.password or "")}
        self._milvus = Milvus(
            shown, shown=shown, way_out=WAY_OUT, **{name: value for name, value in credentials.items() if value}
        )
        self._prefix = re.sub(r"\W", "_", url.path.strip("/")) or PREFIX
        self._alias = f"{self._prefix}_current"
        self._manifests = re.compile(rf"{re.escape(self._prefix)}_(\d{{6}})_[0-9a-f]{{8}}")
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._looked = float("-inf")

    def publish(self, collections: Sequence[Collection], *, snapshot: int, digest: str, run: str) -> Generation:
        """Write a generation and move the alias to it; whatever fails before leaves the old one answering."""
        checked = checked_collections(collections)
        number = max(map(self._number, self._milvus.names()), default=0) + 1
        built = datetime.now(UTC).isoformat(timespec="seconds")
        generation = Generation(number, snapshot, digest, run, built, stamps_of(checked))
        name = f"{self._prefix}_{number:06d}_{secrets.token_hex(4)}"
        self._remove_newer()
        try:
            self._write(name, checked, generation)
        except BaseException:
            with suppress(
                SearchIndexError
            ):  # the next publish removes what is left; the first failure is the one to tell
                self._drop([name])
            raise
        self._milvus.follow(self._alias, name)
        self._look_again()
        self._remove_older()
        return generation

    def current(self) -> Generation | None:
        """The generation that readers see; None before the first."""
        state = self._read()
        return state.generation if state else None

    def generations(self) -> list[Generation]:
        """Those that are kept, oldest first."""
        return [generation_of(self._manifest(name)) for name in self._kept()]

    def rollback(self) -> Generation:
        """Move the alias to the generation before the current one."""
        kept = self._kept()
        if len(kept) < 2:
            raise SearchIndexError(NOTHING_BEFORE)
        self._milvus.follow(self._alias, kept[-2])
        self._look_again()
        return generation_of(self._manifest(kept[-2]))

    def search(
        self, collection: str, queries: Vectors, *, space: str, limit: int, offset: int = 0, where: Where = ()
    ) -> list[list[Hit]]:
        """Nearest rows by cosine for each query, best first."""
        check_window(limit, offset)
        state = self._opened(collection)
        vectors = checked_queries(collection, state.generation.stamps[collection], queries, space)
        name, fields = _part(state.name, collection), self._fields(state, collection, where)
        found = self._milvus.nearest(name, vectors, limit=limit + offset, where=where, output=fields)
        return [_hits(each, where, offset) for each in found]

    def match(self, collection: str, text: str, *, limit: int, offset: int = 0, where: Where = ()) -> list[Hit]:
        """Rows by BM25, best first."""
        check_window(limit, offset)
        state = self._opened(collection)
        if not state.texts[collection]:
            raise no_text(collection)
        name, fields = _part(state.name, collection), self._fields(state, collection, where)
        found = self._milvus.matching(name, text, limit=limit + offset, where=where, output=fields)
        return _hits(found, where, offset)

    def vectors(self, collection: str, ids: Sequence[str]) -> Vectors:
        """The vectors of rows, in the order of `ids`."""
        state = self._opened(collection)
        rows = self._rows(state, collection, "id", list(ids))
        found = {row["id"]: row["vector"] for row in rows}
        if missing := [name for name in ids if name not in found]:
            raise no_such_row(collection, missing[0])
        return _matrix([found[name] for name in ids], state.generation.stamps[collection].dim)

    def sample(self, collection: str, count: int) -> Vectors:
        """Up to `count` vectors, the same ones each time."""
        state = self._opened(collection)
        stamp = state.generation.stamps[collection]
        rows = self._rows(state, collection, "row_number", sample_numbers(stamp.rows, count).tolist())
        return _matrix([row["vector"] for row in sorted(rows, key=lambda row: int(row["row_number"]))], stamp.dim)

    def close(self) -> None:
        """End the connection."""
        self._milvus.close()

    def _rows(self, state: _State, collection: str, key: str, wanted: list[Any]) -> list[dict[str, Any]]:
        name, parts = _part(state.name, collection), range(0, len(wanted), ROWS_AT_ONCE)
        conditions = (membership(key, wanted[start : start + ROWS_AT_ONCE]) for start in parts)
        return [row for each in conditions for row in self._milvus.rows(name, each, [key, "vector"])]

    def _write(self, name: str, collections: Sequence[Collection], generation: Generation) -> None:
        for each in collections:
            self._milvus.write(_part(name, each.name), each, exact=each.columns.num_rows < FLAT_ROWS)
        manifest = {
            **asdict(generation),
            "texts": {each.name: each.text for each in collections},
            "kinds": {each.name: kinds_of(each.columns.schema) for each in collections},
        }
        columns = pa.table({"id": [name], "manifest": [json.dumps(manifest)]})
        self._milvus.write(name, Collection(name, "", columns, np.ones((1, 2), dtype=np.float32)), exact=True)

    def _manifest(self, name: str) -> dict[str, Any]:
        self._milvus.load(name)
        (row,) = self._milvus.rows(name, "row_number == 0", ["manifest"])
        manifest: dict[str, Any] = json.loads(row["manifest"])
        return manifest

    def _read(self) -> _State | None:
        """The state that readers see, looked up again when it may have changed."""
        with self._lock:
            if time.monotonic() - self._looked < FRESH_S:
                return self._state
            name = self._milvus.followed(self._alias)
            if not name:
                self._state = None
            elif self._state is None or self._state.name != name:
                self._state = self._loaded(name)
            self._looked = time.monotonic()
            return self._state

    def _loaded(self, name: str) -> _State:
        manifest = self._manifest(name)
        generation = generation_of(manifest)
        for collection in generation.stamps:
            self._milvus.load(_part(name, collection))
        return _State(name, generation, manifest["kinds"], manifest["texts"])

    def _look_again(self) -> None:
        with self._lock:
            self._looked = float("-inf")

    def _opened(self, collection: str) -> _State:
        if (state := self._read()) is None:
            raise nothing_indexed()
        stamp_of(state.generation, collection)
        return state

    def _fields(self, state: _State, collection: str, where: Where) -> list[str]:
        check_where(where, state.kinds[collection])
        return list(state.kinds[collection])

    def _number(self, name: str) -> int:
        """The generation that a collection belongs to; 0 for what is not ours."""
        begins = self._manifests.match(name)
        return int(begins.group(1)) if begins else 0

    def _kept(self) -> list[str]:
        """Manifests up to the current one, oldest first."""
        current = self._milvus.followed(self._alias)
        return [name for name in self._milvus.names() if self._manifests.fullmatch(name) and name <= current]

    def _remove_newer(self) -> None:
        """Remove what a publish that died left behind, and what was rolled back."""
        current = self._number(self._milvus.followed(self._alias))
        self._milvus.drop([name for name in self._milvus.names() if self._number(name) > current])

    def _remove_older(self) -> None:
        self._drop(self._kept()[:-KEPT])

    def _drop(self, manifests: Sequence[str]) -> None:
        self._milvus.drop([name for name in self._milvus.names() if name.startswith(tuple(manifests))])


def _part(manifest: str, collection: str) -> str:
    return f"{manifest}_{plain_name(collection)}"


def _hits(found: Found, where: Where, offset: int) -> list[Hit]:
    return sifted([Hit(row["id"], score, row) for _, score, row in found], where)[offset:]


def _matrix(rows: list[Any], dim: int) -> Vectors:
    return np.array(rows, dtype=np.float32).reshape(len(rows), dim)
