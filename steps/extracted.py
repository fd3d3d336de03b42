"""What installed extractors yield, kept in tables like ours: `layer-NAME` for the extractor called NAME."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from featurization.errors import ExtractorError, RushesError
from featurization.extractor import Extractor, Findings, ShotView
from featurization.media import Segment, Shot, Tag
from featurization.shot_vectors import IMAGE, SOUND
from steps.store import Store
from steps.tables import Table

PREFIX = "layer-"
FUSED, SENTENCE = "fused", "sentence"
_RESERVED = frozenset({IMAGE, SOUND, FUSED, SENTENCE, "shots", "sentences", "sounds"})
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def checked(extractors: Sequence[Extractor]) -> tuple[Extractor, ...]:
    """The extractors, if each declares what can be kept. ExtractorError says what one has to mend."""
    for extractor in extractors:
        if problem := _problem(extractor):
            raise ExtractorError(f"extractor {extractor.name!r}: {problem}; mend or uninstall the package that has it")
    return tuple(extractors)


def _problem(extractor: Extractor) -> str:
    if not _NAME.fullmatch(extractor.name):
        return "its name must be lower case letters, digits and single hyphens"
    if extractor.name in _RESERVED:
        return "its name is taken by rushes itself"
    if extractor.row is None:
        return "" if extractor.space else "it declares neither rows nor a vector space, so it yields nothing"
    if not (is_dataclass(extractor.row) and issubclass(extractor.row, Segment)):
        return "its row must be a frozen dataclass that extends Segment"
    try:
        _ = layer_table(extractor).schema
    except (KeyError, NameError, IndexError) as error:
        return f"its row has a field that no table can hold ({error}); use str, int, float, bool or tuples of them"
    return ""


def layer_table(extractor: Extractor) -> Table[Any]:
    """The table of an extractor's rows."""
    return Table(f"{PREFIX}{extractor.name}", extractor.row or Segment)


def layers(store: Store, asset_ids: Sequence[str] | None = None) -> dict[str, pa.Table]:
    """Rows of every extractor in the current snapshot, by its name, whether or not it is still installed."""
    names = [name for name in store.current().tables if name.startswith(PREFIX)]
    return {name.removeprefix(PREFIX): store.arrow_named(name, asset_ids) for name in sorted(names)}


def run(extractor: Extractor, views: Sequence[ShotView]) -> Findings:
    """What the extractor finds. ExtractorError, which names it, for whatever else it raises than our own errors."""
    try:
        return extractor.extract(views)
    except RushesError:
        raise
    except Exception as error:
        if extractor.name in _RESERVED:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise ExtractorError(
            f"extractor {extractor.name!r} failed ({what}); mend or uninstall the package that has it"
        ) from error


def verified(findings: Findings, extractor: Extractor, shots: int) -> Findings:
    """The findings, if they are what the extractor declares. Raises ExtractorError."""
    vectors = findings.vectors
    if extractor.space and (vectors is None or vectors.ndim != 2 or len(vectors) != shots):
        shape = None if vectors is None else vectors.shape
        raise ExtractorError(f"extractor {extractor.name!r} gave vectors of shape {shape} for {shots} shots")
    if wrong := next((row for row in findings.rows if not isinstance(row, extractor.row or ())), None):
        raise ExtractorError(f"extractor {extractor.name!r} gave a {type(wrong).__name__}, which it does not declare")
    return findings


@runtime_checkable
class Labelled(Protocol):
    """A row that can be a tag."""

    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float: ...

    @property
    def label(self) -> str: ...


def tags_of(rows: Sequence[Segment], source: str) -> list[Tag]:
    """Rows that have a label, as tags; without a confidence they count as certain."""
    return [
        Tag(row.start, row.end, row.label, getattr(row, "confidence", 1.0), source)
        for row in rows
        if isinstance(row, Labelled)
    ]


def columns_by_shot(table: pa.Table, asset_id: str, shots: Sequence[Shot]) -> list[dict[str, Any]]:
    """Scalars of the rows that begin with a shot, per shot; a shot without one has none."""
    scalars = [f.name for f in table.schema if not pa.types.is_nested(f.type) and f.name not in _SPAN]
    rows = {
        round(row["start"], 6): {name: row[name] for name in scalars}
        for row in table.to_pylist()
        if row["asset_id"] == asset_id
    }
    return [rows.get(round(shot.start, 6), {}) for shot in shots]


_SPAN = frozenset({"asset_id", "start", "end"})
