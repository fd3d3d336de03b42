"""Every shot that can be judged, row by row: where it is, how it looks, and how much it is like words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from annotation.likeness import likeness
from featurization.errors import AnnotationError
from featurization.media import Shot
from featurization.shot_vectors import IMAGE
from featurization.vision import ImageEncoder
from search.corpus import shot_id
from steps.feedback import Label
from steps.index_rows import matrix
from steps.store import Store
from steps.tables import SHOT_FEATURES, SHOTS, VECTORS

Rows = NDArray[np.float32]
Ints = NDArray[np.int64]
READ = (SHOTS.name, VECTORS.name, SHOT_FEATURES.name)
ALL_AGAIN = "run `python flows/featurize_media.py run --assets all`; what is computed already is only read"


@dataclass(frozen=True, eq=False)
class ShotMatrix:
    """All shots with vectors of one encoder; rows of an asset stand together, in the order of its shots."""

    asset_ids: tuple[str, ...]  # by row
    shots: tuple[Shot, ...]
    vectors: Rows  # (shot, dim), comparable with words
    features: Rows  # (shot, features), what heads read
    space: str = ""
    feature_space: str = ""
    left_out: int = 0  # shots without features, or of another encoder

    def __len__(self) -> int:
        return len(self.shots)

    @cached_property
    def bounds(self) -> dict[str, slice]:
        """The rows of each asset."""
        names = np.array(self.asset_ids, dtype=object)
        first = [row for row in range(len(names)) if row == 0 or names[row] != names[row - 1]]
        edges = [*first, len(names)]
        return {names[a]: slice(a, b) for a, b in pairwise(edges)}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The id of each shot."""
        return tuple(shot_id(a, shot.number) for a, shot in zip(self.asset_ids, self.shots, strict=True))

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each shot, by its id."""
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def _starts(self) -> NDArray[np.float64]:
        return np.array([shot.start for shot in self.shots])

    @cached_property
    def _ends(self) -> NDArray[np.float64]:
        return np.array([shot.end for shot in self.shots])

    def row_at(self, label: Label) -> int | None:
        """The shot that shares most with a judged stretch, at least half of the shorter; None if there is none now."""
        rows = self.bounds.get(label.asset)
        if rows is None:
            return None
        starts, ends = self._starts[rows], self._ends[rows]
        common = np.minimum(ends, label.end) - np.maximum(starts, label.start)
        best = int(common.argmax())
        enough = common[best] > 0 and common[best] >= min(ends[best] - starts[best], label.duration) / 2
        return rows.start + best if enough else None

    def likeness(self, texts: Sequence[str], encoder: ImageEncoder) -> NDArray[np.float64]:
        """How far above the usual each shot is like the text that fits it best, (shot,).

        AnnotationError if words and shots are of different spaces.
        """
        if not texts or not len(self):
            return np.zeros(len(self))
        if encoder.space != self.space:
            raise AnnotationError(
                f"shots were seen with {self.space}, words are read with {encoder.space}; {ALL_AGAIN}"
            )
        read = encoder.encode_text(texts).astype(np.float32)
        return likeness(self.vectors, read, encoder.background())


def read_shots(store: Store, asset_ids: Sequence[str] | None = None) -> ShotMatrix:
    """The shots of the current snapshot, or of some assets, in the spaces that most of them are in."""
    space, vectors = _of_commonest(_pictures(store.arrow(VECTORS, asset_ids)))
    feature_space, features = _of_commonest(store.arrow(SHOT_FEATURES, asset_ids))
    shots = store.read(SHOTS, asset_ids)
    known = [a for a in sorted(shots) if shots[a] and _count(vectors, a) == _count(features, a) == len(shots[a])]
    kept = tuple(shot for asset_id in known for shot in shots[asset_id])
    return ShotMatrix(
        asset_ids=tuple(asset_id for asset_id in known for _ in shots[asset_id]),
        shots=kept,
        vectors=_stacked(vectors, known),
        features=_stacked(features, known),
        space=space,
        feature_space=feature_space,
        left_out=sum(map(len, shots.values())) - len(kept),
    )


def _pictures(vectors: pa.Table) -> pa.Table:
    return vectors.filter(pc.equal(vectors["kind"], IMAGE))


def _of_commonest(table: pa.Table) -> tuple[str, dict[str, Rows]]:
    """The space of most rows, and its rows by asset."""
    counts = pc.value_counts(table["space"]).to_pylist()
    if not counts:
        return "", {}
    space = max(counts, key=lambda each: (each["counts"], each["values"]))["values"]
    rows = table.filter(pc.equal(table["space"], space))
    numbers, names = matrix(rows), np.array(rows["asset_id"].to_pylist(), dtype=object)
    edges = [*np.flatnonzero(np.append(True, names[1:] != names[:-1])), len(names)]
    return space, {names[a]: numbers[a:b] for a, b in pairwise(edges)}


def _count(rows: dict[str, Rows], asset_id: str) -> int:
    return len(rows.get(asset_id, ()))


def _stacked(rows: dict[str, Rows], asset_ids: Sequence[str]) -> Rows:
    return np.concatenate([rows[a] for a in asset_ids]) if asset_ids else np.zeros((0, 0), dtype=np.float32)
