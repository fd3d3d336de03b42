"""What every index refuses, in the same words: pages beyond the window, foreign spaces, unfit collections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurization.errors import SearchError, SearchIndexError
from search.conditions import kinds_of
from search.vector_index import MAX_WINDOW, Collection, Generation, Stamp, Vectors

NAME = re.compile(r"[a-z][a-z0-9-]*")
COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
RESERVED = ("row_number", "vector", "bm25", "like", "null", "exists", "iso", "interval")  # ours, and words of filters
NOTHING_BEFORE = "there is no generation before the current one; run `rushes index rebuild` for a new one"
LONGEST_TEXT = 65_535  # bytes; what a text column of Milvus takes


def check_window(limit: int, offset: int) -> None:
    """Refuse pages that a Milvus server would refuse."""
    if limit < 1 or offset < 0:
        raise SearchError(f"limit must be at least 1 and offset at least 0, got {limit} and {offset}")
    if limit + offset > MAX_WINDOW:
        raise SearchError(f"limit + offset must be at most {MAX_WINDOW:,}, got {limit + offset:,}; narrow the filters")


def checked_queries(collection: str, stamp: Stamp, queries: Vectors, space: str) -> Vectors:
    """The queries at unit length, if they may be compared with the collection's vectors."""
    if space != stamp.space:
        raise SearchIndexError(
            f"collection {collection} holds vectors of {stamp.space}, the query is of {space}; configure the encoder"
            f" of {stamp.space}, or run `rushes index rebuild` after featurizing with {space}"
        )
    queries = np.atleast_2d(np.asarray(queries, dtype=np.float32))
    if queries.shape[1] != stamp.dim:
        raise SearchIndexError(
            f"collection {collection} holds vectors of {stamp.dim} dimensions, the query has {queries.shape[1]};"
            " run `rushes index rebuild`"
        )
    if not np.isfinite(queries).all():
        raise SearchError("the query's vector holds values that are no numbers")
    return unit(queries)


def unit(vectors: Vectors) -> Vectors:
    """Rows at unit length; rows of zeros stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(norms == 0, 1, norms), dtype=np.float32)


def nothing_indexed() -> SearchIndexError:
    """What to raise before the first generation."""
    return SearchIndexError("nothing is indexed yet; run featurize_media, or `rushes index rebuild`")


def stamp_of(generation: Generation, collection: str) -> Stamp:
    """The stamp of a collection. SearchIndexError if there is no such collection."""
    if collection not in generation.stamps:
        known = ", ".join(generation.stamps) or "none"
        raise SearchIndexError(f"no collection {collection!r} in the index; it has {known}; run `rushes index rebuild`")
    return generation.stamps[collection]


def no_such_row(collection: str, missing: str) -> SearchIndexError:
    """What to raise for an id that a collection does not hold."""
    return SearchIndexError(f"collection {collection} holds no row {missing!r}")


def no_text(collection: str) -> SearchIndexError:
    """What to raise for a search by words in a collection without a text column."""
    return SearchIndexError(f"collection {collection} has no text to search by words")


def checked_collections(collections: Sequence[Collection]) -> list[Collection]:
    """Collections as they are kept: unit vectors, plain columns. SearchIndexError names what cannot be indexed."""
    names = [collection.name for collection in collections]
    if len(set(names)) < len(names):
        raise SearchIndexError(f"two collections have one name: {', '.join(names)}")
    return [_checked(collection) for collection in collections]


def _checked(collection: Collection) -> Collection:
    vectors = np.asarray(collection.vectors, dtype=np.float32)
    table = _plain(collection.columns)
    for problem in _problems(collection, table, vectors):
        raise SearchIndexError(f"collection {collection.name!r} cannot be indexed: {problem}")
    return Collection(collection.name, collection.space, table, unit(vectors), collection.text)


def _plain(table: pa.Table) -> pa.Table:
    fields = [
        pa.field(field.name, pa.string() if pa.types.is_large_string(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields)).combine_chunks()


def _problems(collection: Collection, table: pa.Table, vectors: Vectors) -> list[str]:
    kinds = kinds_of(table.schema)
    found = []
    if not NAME.fullmatch(collection.name):
        found.append("a name has lower-case letters, digits and hyphens")
    if vectors.ndim != 2 or vectors.shape[0] != table.num_rows or vectors.shape[1] < 2:
        return [*found, f"{table.num_rows} rows with vectors of shape {vectors.shape}"]
    if not np.isfinite(vectors).all():
        found.append("vectors hold values that are no numbers")
    if kinds.get("id") != "text" or len(table["id"].unique()) < table.num_rows:
        found.append("column id must hold unique texts")
    if collection.text and kinds.get(collection.text) != "text":
        found.append(f"no column of text {collection.text!r}")
    for name in kinds:
        found += _column_problems(name, table[name])
    return found


def _column_problems(name: str, column: pa.ChunkedArray) -> list[str]:
    if not COLUMN.fullmatch(name) or name in RESERVED:
        return [f"column {name!r}: a name has letters, digits and _, and is none of {', '.join(RESERVED)}"]
    if column.null_count:
        return [f"column {name} lacks {column.null_count} values"]
    if pa.types.is_string(column.type) and (pc.max(pc.binary_length(column)).as_py() or 0) > LONGEST_TEXT:
        return [f"column {name} holds a text of more than {LONGEST_TEXT:,} bytes"]
    if pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column), min_count=0).as_py():
        return [f"column {name} holds values that are no numbers"]
    return []


def stamps_of(collections: Sequence[Collection]) -> Mapping[str, Stamp]:
    """What each collection holds."""
    return {each.name: Stamp(each.space, each.vectors.shape[1], each.columns.num_rows) for each in collections}
