"""Hits as the service gives them: where, how sure, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from featurization.media import Transition
from search.dialogue import MAX_TEXT, SURE, Mode
from search.pages import MAX_LIMIT
from search.results import Answer, Found, Group, LineFound, MomentFound, ShotFound, SoundFound
from steps.rendering.captions import timestamp

DURATION = r"^ *[0-9][0-9.hmsHMS]{0,20} *$"
DATE = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"


class SearchHit(BaseModel):
    """A stretch of an asset, in seconds, half-open: [start, end)."""

    id: str
    asset_id: str
    title: str
    start: float
    end: float
    timecode: str = Field(description="Of the start: HH:MM:SS.mmm.")
    confidence: float = Field(description="How sure it is what was asked for; judged against a background, .5 is even.")
    score: float = Field(description="What hits are ordered by, within one answer.")
    why: list[str] = Field(description="What speaks for it.")


class ShotTag(BaseModel):
    """A tag of a shot."""

    label: str
    confidence: float


class ShotHit(SearchHit):
    """A shot."""

    number: int
    transition: Transition = Field(description="How the shot begins.")
    tags: list[ShotTag]
    brightness: float
    motion: float
    thumbnail: str | None = Field(description="Path of its picture on this server.")


class LineWord(BaseModel):
    """A word of a line."""

    text: str
    start: float
    end: float
    matched: bool = Field(description="Whether it is one that was asked for.")


class LineHit(SearchHit):
    """What somebody says."""

    text: str
    speaker: str
    words: list[LineWord]


class SoundHit(SearchHit):
    """A stretch of sound."""

    labels: list[str] = Field(description="What is heard: speech, music, noise, silence.")
    shot: str | None = Field(description="Id of the shot that it lies under.")


class MomentEvidence(BaseModel):
    """What holds in one layer during a moment."""

    layer: str
    label: str
    start: float
    end: float
    confidence: float


class MomentHit(SearchHit):
    """A stretch in which all conditions hold."""

    evidence: list[MomentEvidence]


Hit = TypeVar("Hit", bound=SearchHit)


class TitleHits(BaseModel, Generic[Hit]):
    """The best hits of one title."""

    asset_id: str
    title: str
    confidence: float
    total: int
    items: list[Hit]


class HitPage(BaseModel, Generic[Hit]):
    """A stretch of the hits of a query. No hits is an answer; `notes` says so."""

    total: int = Field(description="Hits, or titles if grouped, at the confidence that was asked for or above.")
    more: bool = Field(description="The search stopped at its depth: `total` is a lower bound.")
    items: list[Hit]
    groups: list[TitleHits[Hit]]
    next: str | None = Field(description="Cursor of the next stretch.")
    notes: list[str]


class ShotPage(HitPage[ShotHit]):
    """A stretch of shots."""


class LinePage(HitPage[LineHit]):
    """A stretch of lines."""


class SoundPage(HitPage[SoundHit]):
    """A stretch of sounds."""


class MomentPage(HitPage[MomentHit]):
    """A stretch of moments."""


class SearchResults(BaseModel):
    """What was found, a page for each kind that was searched."""

    dialogue: LinePage | None = None
    shots: ShotPage | None = None
    sounds: SoundPage | None = None
    notes: list[str] = Field(default=[], description="What was not searched, and why.")


Where = Literal["all", "dialogue", "pictures"]


class SearchRequest(BaseModel):
    """A search with words."""

    model_config = {"extra": "forbid", "populate_by_name": True}

    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")
    where: Where = Field(default="all", alias="in", description="What to search.")
    mode: Mode = Field(default="auto", description="Of dialogue.")
    by: str = Field(
        default="shots", max_length=80, description="Collection of pictures: shots, or an extractor's name."
    )
    tag: list[str] = Field(default=[], max_length=12, description="Tags that shots must have, all of them.")
    asset: str = Field(default="", max_length=64)
    show: str = Field(default="", max_length=300)
    language: str = Field(default="", max_length=35)
    speaker: str = Field(default="", max_length=80)
    since: str = Field(default="", pattern=f"{DATE}|^$")
    until: str = Field(default="", pattern=f"{DATE}|^$")
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT)
    min_confidence: float = Field(default=SURE, ge=0, le=1, allow_inf_nan=False)


def shot_hit(found: ShotFound) -> ShotHit:
    """A shot as it is given out; where its picture is kept stays inside."""
    thumbnail = f"/shots/{found.id}/thumbnail.webp" if found.thumbnail else None
    return ShotHit(**{**_facts(found), "thumbnail": thumbnail})


def line_hit(found: LineFound) -> LineHit:
    """A line as it is given out."""
    return LineHit(**_facts(found))


def sound_hit(found: SoundFound) -> SoundHit:
    """A sound as it is given out."""
    return SoundHit(**{**_facts(found), "shot": found.shot or None})


def moment_hit(found: MomentFound) -> MomentHit:
    """A moment as it is given out."""
    return MomentHit(**_facts(found))


def _facts(found: Found) -> dict[str, Any]:
    return {**asdict(found), "timecode": timestamp(found.start)}


From = TypeVar("From", bound=Found)
Page = TypeVar("Page", bound=HitPage[Any])


def page_of(kind: type[Page], answer: Answer[From], hit: Callable[[From], SearchHit]) -> Page:
    """The answer as a page of `kind`."""

    def hits(items: Sequence[From]) -> list[SearchHit]:
        return [hit(item) for item in items]

    def titled(group: Group[From]) -> TitleHits[Any]:
        shared = {name: getattr(group, name) for name in ("asset_id", "title", "confidence", "total")}
        return TitleHits(**shared, items=hits(group.items))

    return kind(
        total=answer.total,
        more=answer.more,
        items=hits(answer.items),
        groups=[titled(group) for group in answer.groups],
        next=answer.next or None,
        notes=list(answer.notes),
    )
