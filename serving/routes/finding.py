"""What can be found: shots, lines and moments, by address; and anything by what is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import Response

from search.dialogue import DialogueQuery, Mode
from search.moment_query import Held, MomentQuery
from search.pictures import ShotQuery
from serving.asked import DEFAULT_CONFIDENCE, AskedFilters, AskedPage, Confidence, Duration, Text, conditions, seconds
from serving.problems import responses
from serving.search_schemas import (
    LinePage,
    MomentPage,
    ShotHit,
    ShotPage,
    line_hit,
    moment_hit,
    page_of,
    shot_hit,
)
from serving.shelf import OfEngine, OfStore
from serving.stored_files import FOREVER, stored

router = APIRouter()
ShotId = Annotated[str, Path(max_length=80, description="ASSET-0001, as /shots lists it.")]


@router.get("/shots", responses=responses(404))
def list_shots(
    engine: OfEngine,
    filters: AskedFilters,
    page: AskedPage,
    q: Annotated[Text, Query(description="What is to be seen, in words.")] = "",
    like: Annotated[str, Query(max_length=80, description="Id of a shot that others shall be like.")] = "",
    by: Annotated[str, Query(max_length=80, description="shots, fused, or an extractor's name.")] = "shots",
    tag: Annotated[list[str], Query(max_length=12, description="Tags that must hold, all of them.")] = [],  # noqa: B006
    min_duration: Duration = "",
    max_duration: Duration = "",
    min_confidence: Confidence = DEFAULT_CONFIDENCE,
) -> ShotPage:
    """Shots by words, by likeness and by tags; all of them, by asset and time, if nothing is looked for."""
    query = ShotQuery(
        text=q,
        like=like,
        by=by,
        tags=tuple(tag),
        min_duration_s=seconds(min_duration, 0.0),
        max_duration_s=seconds(max_duration, float("inf")),
        filters=filters,
        min_confidence=min_confidence,
    )
    return page_of(ShotPage, engine.shots(query, page), shot_hit)


@router.get("/shots/{shot_id}", responses=responses(404))
def get_shot(shot_id: ShotId, engine: OfEngine) -> ShotHit:
    """One shot."""
    return shot_hit(engine.shot(shot_id))


@router.head("/shots/{shot_id}/thumbnail.webp", include_in_schema=False)
@router.get("/shots/{shot_id}/thumbnail.webp", response_class=Response, responses=responses(404))
def get_thumbnail(shot_id: ShotId, request: Request, engine: OfEngine, shelf: OfStore) -> Response:
    """The most telling picture of a shot."""
    shot = engine.shot(shot_id)
    if not shot.thumbnail:
        raise HTTPException(404, f"{shot_id!r} has no picture; run featurize_media again")
    return stored(request, shelf.store, shot.thumbnail, "image/webp", cache=FOREVER)


@router.get("/dialogue", responses=responses(404))
def search_dialogue(
    engine: OfEngine,
    filters: AskedFilters,
    page: AskedPage,
    q: Annotated[Text, Query(min_length=1, description='What was said; "in quotes" exactly.')],
    mode: Annotated[Mode, Query(description="auto: what is in quotes exactly, else words and meaning.")] = "auto",
    speaker: Annotated[str, Query(max_length=80, description="A name; or S1, S2, … within each asset.")] = "",
    min_confidence: Confidence = DEFAULT_CONFIDENCE,
) -> LinePage:
    """What was said, with the times of its words."""
    query = DialogueQuery(q, mode, replace(filters, speaker=speaker), min_confidence)
    return page_of(LinePage, engine.dialogue(query, page), line_hit)


@router.get("/moments", responses=responses(404))
def search_moments(
    engine: OfEngine,
    filters: AskedFilters,
    page: AskedPage,
    conditions: Annotated[tuple[Held, ...], Depends(conditions)],
    min_duration: Duration = "",
    min_confidence: Confidence = DEFAULT_CONFIDENCE,
) -> MomentPage:
    """Where several things hold at the same time. `a|b` takes either."""
    query = MomentQuery(conditions, seconds(min_duration, 0.0), filters, min_confidence)
    return page_of(MomentPage, engine.moments(query, page), moment_hit)
