"""Graded episodes as one Parquet blob, one row per episode: tasks pass its key, and equal data have equal keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from featurization.errors import ModelError
from ranking.features import FEATURE_NAMES, FEATURES_VERSION
from ranking.graded import Chosen, ClipFacts, GradedEpisode
from steps.parquet import from_parquet, to_parquet
from steps.store import Store

_FEATURES = {"features": json.dumps([FEATURES_VERSION, *FEATURE_NAMES])}
_COLUMNS = {
    "start": np.float64,
    "end": np.float64,
    "passed": np.bool_,
    "matrix": np.float64,  # row by row
    "ious": np.float64,
    "grades": np.int64,
}
_FACTS = {
    "ad_s": np.float64,
    "music_s": np.float64,
    "spoils": np.bool_,
    "said": np.int64,
    "clean_start": np.bool_,
    "clean_end": np.bool_,
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where graded episodes are kept, and what they are."""

    key: str  # of the blob; its name is the sha256 of the bytes
    episodes: int
    shows: int
    clips: int

    @property
    def digest(self) -> str:
        """Sha256 of the data, the first half of its hex digits."""
        return self.key.rpartition("/")[2].partition(".")[0][:32]


def keep_dataset(episodes: Iterable[GradedEpisode], *, store: Store) -> Dataset:
    """Write episodes to the store; one that is there already is not written again."""
    graded = sorted(episodes, key=lambda episode: episode.asset_id)
    key = store.put_bytes(to_parquet(_table(graded)), ".parquet")
    clips = sum(len(episode.start) for episode in graded)
    return Dataset(key, len(graded), len({episode.show for episode in graded}), clips)


def read_dataset(dataset: Dataset, *, store: Store) -> list[GradedEpisode]:
    """The episodes of a dataset. Raises ModelError if it was made by code with other features."""
    table = from_parquet(store.files.read(dataset.key))
    if table.schema.metadata[b"features"].decode() != _FEATURES["features"]:
        raise ModelError(f"{dataset.key} holds other features than this code computes; start a new run")
    columns = {name: table.column(name) for name in table.column_names}
    return [_episode({name: column[row] for name, column in columns.items()}) for row in range(len(table))]


def _table(episodes: Sequence[GradedEpisode]) -> pa.Table:
    arrays: dict[str, pa.Array] = {
        name: pa.array([getattr(e, name) for e in episodes], pa.string()) for name in ("asset_id", "title", "show")
    }
    for name, kind in _COLUMNS.items():
        arrays[name] = _lists([getattr(e, name).ravel() for e in episodes], kind)
    for name, kind in _FACTS.items():
        arrays[name] = _lists([getattr(e.facts, name) for e in episodes], kind)
    for name in sorted({name for e in episodes for name in e.baselines}):
        arrays[f"baseline {name}"] = _lists([e.baselines[name] for e in episodes], np.float64)
    arrays["rest"] = pa.array([_rest(e) for e in episodes], pa.string())
    return pa.table(arrays).replace_schema_metadata(_FEATURES)


def _lists(rows: Sequence[np.ndarray], kind: type[np.generic]) -> pa.Array:
    """One list per episode, without a Python object per number."""
    offsets = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    flat = np.concatenate([*rows, np.zeros(0)]).astype(kind)
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(flat))


def _rest(episode: GradedEpisode) -> str:
    """What is no column, as JSON."""
    chosen = [asdict(clip) for clip in episode.chosen]
    facts = {"keywords": episode.keywords, "said_at_random": episode.said_at_random, "traits": dict(episode.traits)}
    return json.dumps({"chosen": chosen, **facts}, sort_keys=True)


def _episode(row: Mapping[str, Any]) -> GradedEpisode:
    def column(name: str, kind: type[np.generic]) -> Any:
        return row[name].values.to_numpy(zero_copy_only=False).astype(kind)

    rest = json.loads(row["rest"].as_py())
    columns = {name: column(name, kind) for name, kind in _COLUMNS.items()}
    columns["matrix"] = columns["matrix"].reshape(-1, len(FEATURE_NAMES))
    baselines = [name for name in row if name.startswith("baseline ")]
    return GradedEpisode(
        **{name: row[name].as_py() for name in ("asset_id", "title", "show")},
        **columns,
        chosen=tuple(Chosen(**clip) for clip in rest.pop("chosen")),
        facts=ClipFacts(**{name: column(name, kind) for name, kind in _FACTS.items()}),
        baselines={name.removeprefix("baseline "): column(name, np.float64) for name in baselines},
        **rest,
    )
