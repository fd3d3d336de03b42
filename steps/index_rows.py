"""What the search index holds of a store: collections of rows with their vectors.

| collection | a row is | found by |
|---|---|---|
| shots | a shot, by its picture | words, pictures, other shots |
| sounds | a shot, by its sound | sound clips, other shots |
| fused | a shot in context: picture, neighbours, sound and words | other shots |
| sentences | a spoken sentence | meaning (dense) and words (BM25) |
| NAME | a shot, as the extractor called NAME sees it | whatever its encoder takes |
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurization.media import Asset, Shot, Tag, shares_half
from featurization.shot_vectors import IMAGE, SOUND
from search.corpus import sentence_id, shot_id
from search.vector_index import Collection, Vectors
from steps.extracted import FUSED, SENTENCE, columns_by_shot, layers
from steps.store import Store
from steps.tables import ASSETS, SENTENCES, SHOTS, TAGS, VECTORS

log = logging.getLogger(__name__)
NAMES = {IMAGE: "shots", SOUND: "sounds", FUSED: "fused"}  # collections of kinds of vectors; others keep their name


def collections(store: Store, spaces: Mapping[str, str]) -> Iterator[Collection]:
    """Every collection that the current state gives; those without rows are left out."""
    vectors = store.arrow(VECTORS)
    assets = {asset_id: rows[0] for asset_id, rows in store.read(ASSETS).items()}
    catalogue = _Shots(store, assets)
    for kind in sorted(pc.unique(vectors["kind"]).to_pylist()):
        space, rows = _of_kind(vectors, kind, spaces.get(kind, ""))
        if kind == SENTENCE:
            built = _sentences(store, assets, rows, space)
        else:
            built = Collection(NAMES.get(kind, kind), space, *catalogue.collected(kind, rows))
        if len(built.vectors):
            yield built


def _of_kind(vectors: pa.Table, kind: str, wanted: str) -> tuple[str, pa.Table]:
    """The vectors of one kind in one space: the wanted one, else the commonest. Spaces are never mixed."""
    rows = vectors.filter(pc.equal(vectors["kind"], kind))
    counts = Counter({each["values"]: each["counts"] for each in pc.value_counts(rows["space"]).to_pylist()})
    space = wanted if wanted in counts else counts.most_common(1)[0][0]
    if others := sum(counts.values()) - counts[space]:
        log.warning(
            "%d %s vectors of other encoders than %s are left out; run featurize_media with --assets all",
            others,
            kind,
            space,
        )
    return space, rows.filter(pc.equal(rows["space"], space))


def matrix(rows: pa.Table) -> Vectors:
    """The `values` column as float32 (rows, dim)."""
    values = rows["values"].combine_chunks()
    flat = values.values if isinstance(values, pa.ListArray) else pa.concat_arrays([c.values for c in values.chunks])
    numbers = np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float32)
    return numbers.reshape(len(rows), -1) if len(rows) else np.zeros((0, 0), dtype=np.float32)


def _sentences(store: Store, assets: Mapping[str, Asset], vectors: pa.Table, space: str) -> Collection:
    """Spoken sentences; an asset whose vectors are of another space is left out."""
    known = pa.array(sorted(set(pc.unique(vectors["asset_id"]).to_pylist()) & assets.keys()), pa.string())
    sentences = store.arrow(SENTENCES).select(["asset_id", "start", "end", "text", "speaker"])
    sentences, vectors = (t.filter(pc.is_in(t["asset_id"], known)) for t in (sentences, vectors))
    numbers = _numbers(sentences["asset_id"])
    names = zip(sentences["asset_id"].to_pylist(), numbers.tolist(), strict=True)
    columns = {
        **_columns_of_assets(sentences["asset_id"], assets),
        **{name: sentences[name] for name in sentences.column_names},
        "id": pa.array([sentence_id(asset_id, number) for asset_id, number in names], pa.string()),
        "duration": pc.subtract(sentences["end"], sentences["start"]),
    }
    return Collection("sentences", space, pa.table(columns), matrix(vectors), text="text")


def _numbers(asset_ids: pa.ChunkedArray) -> np.ndarray:
    """0, 1, … within each asset, whose rows stand together."""
    encoded = asset_ids.combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.flatnonzero(np.diff(encoded, prepend=-1))
    return np.arange(len(encoded)) - np.repeat(first, np.diff(first, append=len(encoded)))


def _columns_of_assets(asset_ids: pa.ChunkedArray, assets: Mapping[str, Asset]) -> dict[str, pa.Array]:
    """What rows say of their assets."""
    encoded = asset_ids.combine_chunks().dictionary_encode()
    facts = [_of_asset(assets[asset_id]) for asset_id in encoded.dictionary.to_pylist()]
    names = _of_asset(next(iter(assets.values()))) if assets else {}
    return {name: pa.array([fact[name] for fact in facts], pa.string()).take(encoded.indices) for name in names}


def _of_asset(asset: Asset) -> dict[str, str]:
    return {"show": asset.show, "language": asset.language, "published": asset.published}


class _Shots:
    """The shots of all assets as index columns, read once for all kinds of vectors."""

    def __init__(self, store: Store, assets: Mapping[str, Asset]) -> None:
        self._assets, self._shots, self._tags = assets, store.read(SHOTS), store.read(TAGS)
        self._layers = layers(store)

    def collected(self, kind: str, vectors: pa.Table) -> tuple[pa.Table, Vectors]:
        """Columns and vectors of one kind, row for row."""
        counts = Counter(vectors["asset_id"].to_pylist())
        known = [a for a, n in counts.items() if a in self._assets and len(self._shots.get(a, ())) == n]
        kept = vectors.filter(pc.is_in(vectors["asset_id"], pa.array(known, pa.string())))
        rows = [row for asset_id in known for row in self._rows(asset_id, kind)]
        return pa.Table.from_pylist(_filled(rows)), matrix(kept)

    def _rows(self, asset_id: str, kind: str) -> Iterator[dict[str, Any]]:
        shots, tags = self._shots[asset_id], self._tags.get(asset_id, ())
        layer = self._layers.get(kind)
        extra = columns_by_shot(layer, asset_id, shots) if layer is not None else [{}] * len(shots)
        for shot, scalars in zip(shots, extra, strict=True):
            yield {**scalars, **_of_asset(self._assets[asset_id]), **_shot_columns(asset_id, shot, tags)}


def _shot_columns(asset_id: str, shot: Shot, tags: Sequence[Tag]) -> dict[str, Any]:
    labels = sorted({tag.label for tag in tags if shares_half(shot, tag)})
    return {
        "id": shot_id(asset_id, shot.number),
        "asset_id": asset_id,
        "number": shot.number,
        "start": shot.start,
        "end": shot.end,
        "duration": shot.duration,
        "transition": shot.transition,
        "brightness": shot.brightness,
        "motion": shot.motion,
        "tags": f"|{'|'.join(labels)}|" if labels else "",
    }


def _filled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the same columns: what one lacks is the empty value of the others' type."""
    empty = {name: type(value)() for row in rows for name, value in row.items() if value is not None}
    return [{name: row[name] if row.get(name) is not None else value for name, value in empty.items()} for row in rows]
