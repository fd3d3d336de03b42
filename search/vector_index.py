"""What an index is: collections of vectors with scalar columns, published as one generation and read as one.

Three implementations pass one contract test: `milvus_folder.MilvusFolder` and `milvus_server.MilvusServer`, and
`exact_index.ExactIndex` in memory. `open_index.open_index` chooses by address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Vectors = NDArray[np.float32]  # (n, dim), rows of unit length
Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "has", "contains"]
MAX_WINDOW = 16_384  # offset + limit; what a Milvus server allows
KEPT = 3  # generations, the current one included


@dataclass(frozen=True, slots=True)
class Condition:
    """`column operator value`. `in` takes a tuple; `has` looks for a tag in a `|a|b|` column, `contains` for a part."""

    column: str
    operator: Operator
    value: str | float | int | bool | tuple[str, ...]


Where = tuple[Condition, ...]  # all must hold; empty lets everything through


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a collection holds. Vectors of different spaces are never compared."""

    space: str  # identity of the encoder: name@digest
    dim: int
    rows: int


@dataclass(frozen=True, slots=True)
class Generation:
    """One whole state of the index."""

    number: int  # ascending; the newest published one is current unless it was rolled back
    snapshot: int  # the store's snapshot that it was made from
    digest: str  # of everything that went in: equal digests, equal content
    run: str
    built: str  # ISO 8601
    stamps: Mapping[str, Stamp]  # by collection


@dataclass(frozen=True, eq=False)
class Collection:
    """Rows to publish: `columns` has `id` (unique strings) and any scalar columns, row for row with `vectors`."""

    name: str  # "shots", "sentences", "sounds", or an extractor's name
    space: str
    columns: pa.Table
    vectors: Vectors
    text: str = ""  # the column that full-text search (BM25) reads; "" for none


@dataclass(frozen=True, slots=True)
class Hit:
    """A row found, with its score: cosine for vectors, BM25 for words."""

    id: str
    score: float
    row: Mapping[str, Any] = field(default_factory=dict)  # its scalar columns


class VectorIndex(Protocol):
    """Readers see one generation, whole, until the next is published."""

    def publish(self, collections: Sequence[Collection], *, snapshot: int, digest: str, run: str) -> Generation:
        """Write a generation and switch readers to it at once; whatever fails before leaves the old one answering."""

    def current(self) -> Generation | None:
        """The generation that readers see; None before the first."""

    def generations(self) -> list[Generation]:
        """Those that are kept, oldest first."""

    def rollback(self) -> Generation:
        """Return to the generation before the current one. SearchIndexError if there is none."""

    def search(
        self, collection: str, queries: Vectors, *, space: str, limit: int, offset: int = 0, where: Where = ()
    ) -> list[list[Hit]]:
        """Nearest rows by cosine for each query, best first. SearchIndexError if `space` is not the collection's."""

    def match(self, collection: str, text: str, *, limit: int, offset: int = 0, where: Where = ()) -> list[Hit]:
        """Rows by BM25 over the collection's text column, best first."""

    def vectors(self, collection: str, ids: Sequence[str]) -> Vectors:
        """The vectors of rows, in the order of `ids`. SearchIndexError if one is not there."""

    def sample(self, collection: str, count: int) -> Vectors:
        """Up to `count` vectors of the collection, the same ones each time: a background to judge scores by."""

    def close(self) -> None:
        """Release what is held, the lock of a local file included."""
