"""What is known of all assets at one moment, in memory and in columns: the ground that queries stand on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from featurization.errors import RushesError
from featurization.media import Asset, Word
from search.spoken import Spoken

Rows = NDArray[np.int64]
Seconds = NDArray[np.float64]
_SPAN = pa.schema([("asset_id", pa.string()), ("start", pa.float64()), ("end", pa.float64())])


class NotFound(RushesError):
    """What the query names is not there."""

    reason = "not-found"


def shot_id(asset_id: str, number: int) -> str:
    """Names a shot in the index, the API and the studio."""
    return f"{asset_id}-{number:04d}"


def sentence_id(asset_id: str, number: int) -> str:
    """Names a sentence, counted from 0 within its asset."""
    return f"{asset_id}-s{number:04d}"


@dataclass(frozen=True, eq=False)
class Layer:
    """The spans of one table over all assets; the rows of an asset stand together, in order."""

    rows: pa.Table = field(default_factory=_SPAN.empty_table)  # asset_id, start, end and what else the table has

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def starts(self) -> Seconds:
        return np.asarray(self.rows["start"].to_numpy(), np.float64)

    @cached_property
    def ends(self) -> Seconds:
        return np.asarray(self.rows["end"].to_numpy(), np.float64)

    @cached_property
    def asset_ids(self) -> list[str]:
        """The asset of each row."""
        ids: list[str] = self.rows["asset_id"].to_pylist()
        return ids

    @cached_property
    def bounds(self) -> Mapping[str, tuple[int, int]]:
        """First row and the one after the last, by asset."""
        ids = np.array(self.asset_ids, dtype=object)
        edges = [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)] if len(ids) else []
        return {ids[first]: (first, last) for first, last in pairwise(edges)}

    def of(self, asset_id: str) -> range:
        """The rows of an asset."""
        return range(*self.bounds.get(asset_id, (0, 0)))

    def column(self, name: str) -> list[Any]:
        """All values of a column; empty text where the table has no such column."""
        if name not in self.rows.column_names:
            return [""] * len(self)
        values: list[Any] = self.rows[name].to_pylist()
        return values

    def records(self, rows: Sequence[int] | Rows) -> list[dict[str, Any]]:
        """Whole rows, in the order asked for."""
        records: list[dict[str, Any]] = self.rows.take(pa.array(rows, pa.int64())).to_pylist()
        return records


def _no_words(_: str) -> tuple[Word, ...]:
    return ()


@dataclass(frozen=True, eq=False)
class Corpus:
    """All that queries read beside the index: one snapshot of the store."""

    snapshot: int = 0
    assets: Mapping[str, Asset] = field(default_factory=dict)
    layers: Mapping[str, Layer] = field(default_factory=dict)  # by table
    extracted: Mapping[str, Layer] = field(default_factory=dict)  # by extractor
    words: Callable[[str], Sequence[Word]] = _no_words  # of one asset, read when a hit needs them
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by asset, of its speakers who are known

    def layer(self, name: str) -> Layer:
        """The spans of a table, empty if nothing was committed to it."""
        return self.layers.get(name, _EMPTY)

    def asset(self, asset_id: str) -> Asset:
        """The asset; NotFound if there is none."""
        if asset := self.assets.get(asset_id):
            return asset
        raise NotFound(f"no asset {asset_id[:80]!r}; GET /assets lists them")

    def called(self, asset_id: str, speaker: str) -> str:
        """The name of a speaker of an asset, if it is known, else what the turns call them: S1, S2, …"""
        return self.names.get(asset_id, {}).get(speaker, speaker)

    def named(self, name: str) -> Mapping[str, Sequence[str]]:
        """Speakers of this name, in any case, by asset."""
        wanted = name.casefold()
        found = {a: [s for s, own in names.items() if own.casefold() == wanted] for a, names in self.names.items()}
        return {asset_id: speakers for asset_id, speakers in found.items() if speakers}

    @cached_property
    def spoken(self) -> Spoken:
        """Words of all sentences, row for row with the layer of sentences."""
        layer = self.layer("sentences")
        return Spoken.of(layer.rows["text"] if len(layer) else pa.array([], pa.string()))

    @cached_property
    def shot_numbers(self) -> list[int]:
        """The number of every shot within its asset, by row."""
        return self.layer("shots").column("number")

    @cached_property
    def shot_rows(self) -> Mapping[str, int]:
        """The row of every shot, by its id."""
        named = zip(self.layer("shots").asset_ids, self.shot_numbers, strict=True)
        return {shot_id(asset_id, number): row for row, (asset_id, number) in enumerate(named)}

    @cached_property
    def sentence_rows(self) -> Mapping[str, int]:
        """The row of every sentence, by its id."""
        bounds = self.layer("sentences").bounds
        return {sentence_id(a, row - first): row for a, (first, last) in bounds.items() for row in range(first, last)}

    def shot_row(self, name: str) -> int:
        """The row of the shot with this id; NotFound if there is none."""
        if (row := self.shot_rows.get(name)) is not None:
            return row
        raise NotFound(f"no shot {name[:80]!r}; ids read ASSET-0001, as GET /shots lists them")

    @cached_property
    def tagged(self) -> Mapping[str, Mapping[int, float]]:
        """Shots, by row, with the confidence of a tag; tags in lower case."""
        found: dict[str, dict[int, float]] = {}
        for row, tags in self.shot_tags.items():
            for label, confidence in tags.items():
                found.setdefault(label.casefold(), {})[row] = confidence
        return found

    @cached_property
    def tag_counts(self) -> Mapping[str, int]:
        """How many shots have each tag, as it is written."""
        return Counter(label for tags in self.shot_tags.values() for label in tags)

    @cached_property
    def shot_tags(self) -> Mapping[int, Mapping[str, float]]:
        """Tags with their confidence, by the row of the shot that shares at least half of the shorter of the two."""
        shots, tags = self.layer("shots"), self.layer("tags")
        labels, sure = tags.column("label"), tags.column("confidence")
        found: dict[int, dict[str, float]] = {}
        for row, tag in _shared(shots, tags):
            known = found.setdefault(row, {})
            known[labels[tag]] = max(sure[tag], known.get(labels[tag], 0.0))
        return found


_EMPTY = Layer()


def _shared(shots: Layer, tags: Layer) -> list[tuple[int, int]]:
    """Rows of shots and of tags that lie at least half on one another."""
    pairs: list[tuple[int, int]] = []
    for asset_id, (first, last) in tags.bounds.items():
        rows = shots.of(asset_id)
        starts, ends = shots.starts[rows.start : rows.stop], shots.ends[rows.start : rows.stop]
        for tag in range(first, last):
            start, end = tags.starts[tag], tags.ends[tag]
            near = np.arange(np.searchsorted(ends, start, "right"), np.searchsorted(starts, end, "left"))
            common = np.minimum(ends[near], end) - np.maximum(starts[near], start)
            shorter = np.minimum(ends[near] - starts[near], end - start)
            pairs += [(rows.start + int(row), tag) for row in near[(common > 0) & (common >= shorter / 2)]]
    return pairs
