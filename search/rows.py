"""The rows of one collection, searched exactly: every vector is compared, every word counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from search.checks import no_such_row, no_text
from search.conditions import Kinds, check_where, kinds_of, rows_where
from search.full_text import FullText
from search.products import AT_ONCE, Products
from search.vector_index import Collection, Hit, Vectors, Where

FEW = 0.02  # share of rows up to which gathering them is cheaper than comparing all
SAMPLE_SEED = 7
Scores = NDArray[np.float32]
Numbers = NDArray[np.int64]  # of rows


@dataclass(frozen=True, eq=False)
class Rows:
    """A collection that is answered from arrays, in memory or mapped from a file."""

    name: str
    table: pa.Table
    vectors: Vectors
    text: str

    @classmethod
    def of(cls, collection: Collection) -> Rows:
        """The rows of a checked collection."""
        return cls(collection.name, collection.columns, collection.vectors, collection.text)

    @cached_property
    def kinds(self) -> Kinds:
        """What can be asked of each column."""
        return kinds_of(self.table.schema)

    @cached_property
    def _products(self) -> Products:
        return Products(self.vectors)

    @cached_property
    def _full_text(self) -> FullText:
        return FullText(self.table[self.text].to_pylist())

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.table["id"].to_pylist())}

    def nearest(self, queries: Vectors, *, limit: int, offset: int, where: Where) -> list[list[Hit]]:
        """Rows by cosine for each query, best first; equal scores in the order of the rows."""
        check_where(where, self.kinds)
        mask = rows_where(self.table, where)
        batches = (queries[start : start + AT_ONCE] for start in range(0, len(queries), AT_ONCE))
        return [found for batch in batches for found in self._nearest(batch, mask, limit + offset, offset)]

    def _nearest(self, queries: Vectors, mask: NDArray[np.bool_] | None, until: int, offset: int) -> list[list[Hit]]:
        if mask is not None and mask.mean() <= FEW:
            kept = np.flatnonzero(mask)
            scores = queries @ self.vectors[kept].T
            return [self._page(kept, each, best(each, until)[offset:]) for each in scores]
        scores = self._products.of(queries)
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        return [self._page(None, each, best(each, until)[offset:]) for each in scores]

    def matching(self, text: str, *, limit: int, offset: int, where: Where) -> list[Hit]:
        """Rows by BM25, best first; only those that hold a word of `text`."""
        if not self.text:
            raise no_text(self.name)
        check_where(where, self.kinds)
        scores = self._full_text.scores(text)
        scores[scores == 0] = -np.inf
        if (mask := rows_where(self.table, where)) is not None:
            scores[~mask] = -np.inf
        return self._page(None, scores, best(scores, limit + offset)[offset:])

    def _page(self, kept: Numbers | None, scores: Scores, places: Numbers) -> list[Hit]:
        return self.hits(places if kept is None else kept[places], scores[places])

    def hits(self, numbers: Numbers, scores: Scores) -> list[Hit]:
        """Rows with their columns, in the order given."""
        rows: list[dict[str, Any]] = self.table.take(pa.array(numbers, pa.int64())).to_pylist()
        return [Hit(row["id"], float(score), row) for row, score in zip(rows, scores, strict=True)]

    def vectors_of(self, ids: Sequence[str]) -> Vectors:
        """The vectors of rows, in the order of `ids`."""
        if missing := [name for name in ids if name not in self._numbers]:
            raise no_such_row(self.name, missing[0])
        return np.array(self.vectors[[self._numbers[name] for name in ids]], dtype=np.float32)

    def sample(self, count: int) -> Vectors:
        """Up to `count` vectors, the same ones each time."""
        return np.array(self.vectors[sample_numbers(len(self.vectors), count)], dtype=np.float32)


def best(scores: Scores, count: int) -> Numbers:
    """Places of the `count` highest scores, best first and equal ones in order; -inf never comes."""
    places = np.flatnonzero(scores > -np.inf)
    if places.size > count:
        edge = np.partition(scores, -count)[-count]
        above = np.flatnonzero(scores > edge)
        places = np.concatenate([above, np.flatnonzero(scores == edge)[: count - above.size]])
    return places[np.lexsort((places, -scores[places]))]


def sample_numbers(rows: int, count: int) -> Numbers:
    """Which of so many rows are the sample: chosen at random, the same ones each time, in order."""
    chosen = np.random.default_rng(SAMPLE_SEED).permutation(rows)[: max(count, 0)]
    return np.sort(chosen).astype(np.int64)
