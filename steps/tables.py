"""Tables: which there are, and how dataclass rows become Parquet and come back.

A schema is derived from the fields of the row's type, so it is declared once, beside the type. Every table carries
`asset_id` first; rows of one asset stay in the order in which they were given.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from featurization.media import (
    AdSpan,
    Asset,
    AudioProfile,
    FilmProfile,
    Fingerprint,
    LevelTrack,
    Marker,
    Quarantined,
    Scene,
    Sentence,
    Shot,
    SoundSpan,
    SpoilerSpan,
    Tag,
    Topic,
    Turn,
    Vector,
    Voice,
    Word,
)

Row = TypeVar("Row")
_MAPPINGS = (dict, Mapping, typing.Mapping)
_SCALARS = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}
_SMALL = {"float32": pa.float32(), "uint32": pa.uint32()}


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A named table of `row` dataclasses, keyed by asset."""

    name: str
    row: type[Row]
    piece_rows: int = 2_000  # from which on rows are cut into several files; so many of them are some megabytes at most

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema: `asset_id`, then the row's fields (without its own `asset_id`)."""
        hints = typing.get_type_hints(self.row, include_extras=True)
        names = [f.name for f in fields(self.row) if f.name != "asset_id"]  # type: ignore[arg-type]
        return pa.schema([pa.field("asset_id", pa.string()), *(pa.field(n, arrow_type(hints[n])) for n in names)])

    def to_arrow(self, rows: Mapping[str, Sequence[Row] | pa.Table]) -> pa.Table:
        """Rows by asset id, as one Arrow table sorted by asset id. Rows that are in Arrow already stay there."""
        plain = {asset_id: its for asset_id, its in rows.items() if not isinstance(its, pa.Table)}
        flat = [{"asset_id": asset_id, **_plain(row)} for asset_id in sorted(plain) for row in plain[asset_id]]
        built = pa.Table.from_pylist(flat, schema=self.schema)
        if len(plain) == len(rows):
            return built
        joined = pa.concat_tables([built, *(rows[asset_id] for asset_id in rows.keys() - plain.keys())])
        return joined.take(pc.sort_indices(joined["asset_id"]))  # stable: rows of one asset keep their order

    def from_arrow(self, table: pa.Table) -> dict[str, tuple[Row, ...]]:
        """The inverse of `to_arrow`: rows by asset id."""
        grouped: dict[str, list[Row]] = {}
        keep_id = any(f.name == "asset_id" for f in fields(self.row))  # type: ignore[arg-type]
        for record in table.to_pylist():
            asset_id = record["asset_id"] if keep_id else record.pop("asset_id")
            grouped.setdefault(asset_id, []).append(_build(self.row, record))
        return {asset_id: tuple(rows) for asset_id, rows in grouped.items()}


def arrow_type(hint: Any) -> pa.DataType:
    """The Arrow type of a field's annotation: scalars, literals, tuples, string-keyed maps, nested dataclasses."""
    args = typing.get_args(hint)
    match typing.get_origin(hint):
        case typing.Annotated:  # Float32 or UInt32
            return _SMALL[hint.__metadata__[0]]
        case typing.Literal:
            return pa.string()
        case origin if origin is tuple:
            return pa.list_(arrow_type(args[0]))
        case origin if origin in _MAPPINGS:
            return pa.map_(pa.string(), arrow_type(args[1]))
        case typing.Union | types.UnionType:
            return arrow_type(_present(args))
    return _struct(hint) if is_dataclass(hint) else _SCALARS[hint]


def _struct(hint: Any) -> pa.DataType:
    hints = typing.get_type_hints(hint, include_extras=True)
    return pa.struct([pa.field(f.name, arrow_type(hints[f.name])) for f in fields(hint)])


def _present(args: Sequence[Any]) -> Any:
    """What an optional field holds when it holds something."""
    return next(arg for arg in args if arg is not type(None))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return [(key, _plain(item)) for key, item in value.items()]
    return value


def _build(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin is tuple:
        return tuple(_build(args[0], item) for item in value)
    if origin in _MAPPINGS:
        return {key: _build(args[1], item) for key, item in value}
    if origin in (typing.Union, types.UnionType):
        return _build(_present(args), value)
    return _row(hint, value) if is_dataclass(hint) else value


def _row(hint: Any, value: Mapping[str, Any]) -> Any:
    """A row; what was written before a field existed gets the field's default."""
    hints, younger = _fields(hint)
    given = {n: item for n, item in value.items() if n in hints and not (item is None and n in younger)}
    return hint(**{name: _build(hints[name], item) for name, item in given.items()})


@cache
def _fields(row: Any) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Types of a row's fields, and the names of those that have a default other than None."""
    with_default = (f.name for f in fields(row) if f.default is not MISSING and f.default is not None)
    return typing.get_type_hints(row, include_extras=True), frozenset(with_default)


def only(rows: Iterable[Row]) -> Row | None:
    """The single row of a table that has at most one per asset, or None."""
    return next(iter(rows), None)


ASSETS = Table("assets", Asset, piece_rows=200)
QUARANTINE = Table("quarantine", Quarantined)
PROFILES = Table("profiles", AudioProfile)
WORDS = Table("words", Word, piece_rows=20_000)
SENTENCES = Table("sentences", Sentence)
TURNS = Table("turns", Turn)
VOICES = Table("voices", Voice, piece_rows=1_000)
SOUNDS = Table("sounds", SoundSpan)
TOPICS = Table("topics", Topic)
VECTORS = Table("vectors", Vector, piece_rows=2_000)
SHOT_FEATURES = Table("shot_features", Vector, piece_rows=1_000)  # what heads of labels read
LEVELS = Table("levels", LevelTrack, piece_rows=20)
ADS = Table("ads", AdSpan)
SPOILERS = Table("spoilers", SpoilerSpan)
FINGERPRINTS = Table("fingerprints", Fingerprint, piece_rows=20)
MARKERS = Table("markers", Marker)
FILMS = Table("films", FilmProfile)
SHOTS = Table("shots", Shot)
SCENES = Table("scenes", Scene)
TAGS = Table("tags", Tag)
