"""What people say of shots and clips, kept for training and measuring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, model_validator

from serving.guard import Who, Writes
from serving.problems import responses
from serving.shelf import OfStore, Shelf
from steps.feedback import GOLDEN_CLIPS, LABELS, GoldenSource, identity, keep
from steps.tables import Table

MAX_ROWS = 500
_LATEST_S = 1e7  # nothing lasts longer
router = APIRouter(dependencies=[Writes], responses=responses(400, 401, 403, 404, 413))
Time = Annotated[float, Field(ge=0, le=_LATEST_S, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]


class Said(BaseModel):
    """What all feedback has."""

    model_config = {"extra": "forbid"}

    id: str = Field(
        default="", max_length=80, description="Sent again, a row is kept once. Without one, equal rows are one."
    )
    asset_id: str = Field(min_length=1, max_length=64)
    who: str = Field(default="", max_length=80, description="Whoever is signed in, if it is left out.")


class SaidOfSpan(Said):
    """Feedback on a stretch, in seconds."""

    start: Time
    end: Time

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start >= self.end:
            raise ValueError("end must be after start")
        return self


class NewLabel(SaidOfSpan):
    """A stretch shows something, or it does not."""

    label: Name
    holds: bool = True
    shot: str = Field(default="", max_length=80, description="Id of the shot that was looked at.")


class NewGoldenClip(SaidOfSpan):
    """The stretch that an editor would publish."""

    grade: int = Field(default=4, ge=0, le=4, description="0, useless, to 4, the best there is.")
    note: str = Field(default="", max_length=1000)
    source: GoldenSource = Field(default="studio", description="Marked by an editor, or the verdict on a shown clip.")
    withdraws: str = Field(default="", max_length=80, description="Id of a clip that this one takes back.")


class Receipt(BaseModel):
    """What became of the rows, by id."""

    added: list[str]
    known: list[str] = Field(description="Already kept before.")


Labels = Annotated[list[NewLabel], Field(min_length=1, max_length=MAX_ROWS)]
GoldenClips = Annotated[list[NewGoldenClip], Field(min_length=1, max_length=MAX_ROWS)]


@router.post("/labels", status_code=201)
def post_labels(sent: Annotated[NewLabel | Labels, Body()], shelf: OfStore, who: Who) -> Receipt:
    """Keep one label, or several."""
    return _kept(sent if isinstance(sent, list) else [sent], LABELS, shelf, who)


@router.post("/golden-clips", status_code=201)
def post_golden_clips(sent: Annotated[NewGoldenClip | GoldenClips, Body()], shelf: OfStore, who: Who) -> Receipt:
    """Keep one golden clip, or several."""
    return _kept(sent if isinstance(sent, list) else [sent], GOLDEN_CLIPS, shelf, who)


def _kept(sent: Sequence[Said], table: Table[Any], shelf: Shelf, who: str) -> Receipt:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    rows = [_row(one, table, now, who) for one in sent]
    kept = keep(rows, table, assets=shelf.catalog().assets, store=shelf.store)
    return Receipt(added=list(kept.added), known=list(kept.known))


def _row(said: Said, table: Table[Any], now: str, who: str) -> Any:
    content = {**said.model_dump(exclude={"id", "asset_id"}), "who": said.who.strip() or who}
    name = said.id or identity(table.name, said.asset_id, sorted(content.items()))
    return table.row(id=name, asset=said.asset_id, when=now, **content)
