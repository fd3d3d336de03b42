"""What people say: labels of shots, what these labels mean, and golden clips. Judgements are added and never changed.

Their tables are keyed by asset and row, `ASSET-DIGEST`, so that two writers never write the same key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from featurization.errors import RushesError
from featurization.media import Asset, Segment
from steps.store import Store
from steps.tables import Table

GoldenSource = Literal["studio", "verdict"]  # marked by an editor, or said of a clip that was shown
_SLACK_S = 1.0  # players round the length of what they play


class FeedbackError(RushesError):
    """What was said cannot be kept; the text says what to change."""

    reason = "invalid"


@dataclass(frozen=True, slots=True)
class Label(Segment):
    """Somebody says that a stretch shows something, or that it does not."""

    id: str
    asset: str
    label: str
    holds: bool
    who: str
    when: str  # ISO 8601, UTC
    shot: str = ""  # id of the shot that was looked at
    feed: str = ""  # what showed it: search, positive, negative, borderline, random, review, check
    withdraws: str = ""  # id of the row that this one takes back; it judges nothing itself


@dataclass(frozen=True, slots=True)
class GoldenClip(Segment):
    """What an editor would publish, or says of a clip that was shown."""

    id: str
    asset: str
    who: str
    when: str
    grade: int = 4  # 0, useless, to 4, the best there is
    note: str = ""
    source: GoldenSource = "studio"
    withdraws: str = ""  # id of the row that this one takes back; it says nothing itself


@dataclass(frozen=True, slots=True)
class LabelDefinition:
    """What a label means, and in which words it is looked for."""

    name: str
    definition: str = ""
    queries: tuple[str, ...] = ()
    who: str = ""
    when: str = ""  # ISO 8601, UTC


Feedback = Label | GoldenClip
Row = TypeVar("Row", Label, GoldenClip)
LABELS = Table("labels", Label)
GOLDEN_CLIPS = Table("golden_clips", GoldenClip)
LABEL_DEFINITIONS = Table("label_definitions", LabelDefinition)
REVIEW_ROWS = "reviews"  # of previews; their class is in steps/verdicts.py
PERSON_NAME_ROWS = "person_names"  # what editors call a voice; their class is in steps/people.py
FEEDBACK = frozenset({LABELS.name, GOLDEN_CLIPS.name, LABEL_DEFINITIONS.name, REVIEW_ROWS, PERSON_NAME_ROWS})


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of rows: those that are new, and those that were known by their id."""

    added: tuple[str, ...]
    known: tuple[str, ...]


def identity(*parts: object) -> str:
    """An id for a row that was given none: equal content, equal id."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def standing(rows: Iterable[GoldenClip]) -> list[GoldenClip]:
    """The clips that nobody took back, oldest first."""
    said = sorted(rows, key=lambda row: (row.when, row.id))
    gone = {row.withdraws for row in said}
    return [row for row in said if not row.withdraws and row.id not in gone]


def keep(rows: Sequence[Row], table: Table[Any], *, assets: Mapping[str, Asset], store: Store) -> Kept:
    """Commit rows that are not known yet. Raises FeedbackError if one is about nothing that exists."""
    for row in rows:
        _check(row, assets.get(row.asset))
    keyed = {row_key(row): row for row in rows}
    known = store.read(table, list(keyed)).keys()
    fresh = {key: row for key, row in keyed.items() if key not in known}
    if fresh:
        store.commit(f"feedback: {table.name}", {table: {key: [row] for key, row in fresh.items()}})
    return Kept(tuple(row.id for row in fresh.values()), tuple(keyed[key].id for key in sorted(known)))


def row_key(row: Feedback) -> str:
    """The key of a row in its table."""
    return f"{row.asset}-{hashlib.sha256(row.id.encode()).hexdigest()[:16]}"


def _check(row: Feedback, asset: Asset | None) -> None:
    if asset is None:
        raise FeedbackError(f"no asset {row.asset[:80]!r}; GET /assets lists them")
    if row.end > asset.duration_s + _SLACK_S:
        raise FeedbackError(
            f"{row.end:g} s lies behind the end of {asset.title}, {asset.duration_s:g} s; check the times"
        )
    if not row.duration:
        raise FeedbackError(f"the stretch at {row.start:g} s has no length; end must be after start")
