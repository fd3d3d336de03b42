"""An episode as the store knows it: the asset and everything that was heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from featurization.errors import ConfigError
from featurization.media import Asset, Hearing, Shot, Vector
from steps.previews import PREVIEWS
from steps.store import Store
from steps.tables import (
    ADS,
    ASSETS,
    LEVELS,
    MARKERS,
    PROFILES,
    SENTENCES,
    SHOTS,
    SOUNDS,
    SPOILERS,
    TOPICS,
    TURNS,
    VECTORS,
    WORDS,
    Table,
)

_HEARD = (WORDS, SENTENCES, TURNS, SOUNDS, TOPICS, ADS, SPOILERS, MARKERS)


@dataclass(frozen=True, eq=False)
class Episode:
    """One asset with its features, as read from the current snapshot."""

    asset: Asset
    hearing: Hearing
    levels: np.ndarray  # RMS in dBFS per 100 ms, float32 (time,)
    vectors: np.ndarray  # unit vectors of hearing.sentences, float32 (sentences, dimensions)
    shots: tuple[Shot, ...]  # none if it has no pictures
    pictures: np.ndarray  # unit vectors of the shots, float32 (shots, dimensions); (0, 0) if they were not looked at

    @property
    def is_film(self) -> bool:
        """Whether it has pictures to show."""
        return self.asset.kind == "video"


def read_hearings(asset_ids: Sequence[str], *, store: Store) -> dict[str, Hearing]:
    """What was heard of each asset; those that were not heard yet are left out."""
    profiles = store.read(PROFILES, asset_ids)
    tables = {table: store.read(table, asset_ids) for table in _HEARD}

    def hearing(asset_id: str) -> Hearing:
        def rows(table: Table[Any]) -> tuple[Any, ...]:
            return tables[table].get(asset_id, ())

        return Hearing(
            profile=profiles[asset_id][0],
            words=rows(WORDS),
            sentences=rows(SENTENCES),
            turns=rows(TURNS),
            sounds=rows(SOUNDS),
            topics=rows(TOPICS),
            ads=rows(ADS),
            spoilers=rows(SPOILERS),
            markers=rows(MARKERS),
        )

    return {asset_id: hearing(asset_id) for asset_id in profiles}


def heard_episode(asset_id: str, *, store: Store) -> Episode:
    """An episode by its asset id; for an empty one the first that has a preview, else the first of the store.

    Raises ConfigError if it was not heard.
    """
    known = sorted(store.read(PROFILES))
    if not known:
        raise ConfigError(f"{store.url} has no heard episode yet; run ingest_media and featurize_media first")
    if asset_id and asset_id not in known:
        raise ConfigError(f"no heard episode {asset_id!r} in {store.url}; `rushes assets` lists them")
    shown = sorted(a for a, (preview,) in store.read(PREVIEWS).items() if preview.status == "published")
    return read_episodes([asset_id or (shown or known)[0]], store=store)[0]


def read_episodes(asset_ids: Sequence[str], *, store: Store) -> list[Episode]:
    """The episodes that have been heard, in the order of `asset_ids`; the others are left out."""
    assets, hearings = store.read(ASSETS, asset_ids), read_hearings(asset_ids, store=store)
    levels, vectors, shots = (store.read(table, asset_ids) for table in (LEVELS, VECTORS, SHOTS))
    return [
        Episode(
            asset=assets[asset_id][0],
            hearing=hearings[asset_id],
            levels=np.array(levels[asset_id][0].decibels, dtype=np.float32),
            vectors=_matrix(vectors.get(asset_id, ()), "sentence"),
            shots=shots.get(asset_id, ()),
            pictures=_matrix(vectors.get(asset_id, ()), "image"),
        )
        for asset_id in asset_ids
        if asset_id in assets and asset_id in hearings
    ]


def _matrix(vectors: Sequence[Vector], kind: str) -> np.ndarray:
    rows = [vector.values for vector in vectors if vector.kind == kind]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(rows[0]) if rows else 0)
