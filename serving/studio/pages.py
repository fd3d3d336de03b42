"""Finding shots and dialogue: the home of the studio, and a page for each shot."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from featurization.errors import SearchError, SearchIndexError
from search.dialogue import DialogueQuery
from search.pages import Page
from search.pictures import ShotQuery
from search.query import Engine
from search.results import Answer, LineFound, ShotFound
from serving.asked import Text
from serving.routes.finding import ShotId
from serving.shelf import OfEngine, Offset
from serving.studio.rendering import rendered

router = APIRouter(prefix="/studio", include_in_schema=False, default_response_class=HTMLResponse)
_TILES = 24
_LINES = 8
_SIMILAR = 12
_TAGS = 24  # shown above the box, the commonest
_NONE: Answer[LineFound] = Answer(0)


@router.get("")
def home(
    request: Request,
    engine: OfEngine,
    q: Text = "",
    tag: Annotated[list[str], Query(max_length=12)] = [],  # noqa: B006
    offset: Offset = 0,
) -> HTMLResponse:
    """The search box, with what it found."""
    tags = tuple(filter(None, tag))
    shots, lines, notes = _found(engine, q.strip(), tags, Page(_TILES, offset))
    return rendered(
        request,
        "search.html",
        section="search",
        asked=q.strip(),
        tags=tags,
        known=_known_tags(engine),
        shots=shots.items,
        total=shots.total,
        more=shots.more,
        lines=lines.items,
        notes=notes,
        offset=offset,
        size=_TILES,
        empty=not len(engine.corpus.layer("shots")),
    )


def _found(
    engine: Engine, asked: str, tags: tuple[str, ...], page: Page
) -> tuple[Answer[ShotFound], Answer[LineFound], tuple[str, ...]]:
    seen = ShotQuery(asked, tags=tags)
    if not asked or tags or page.offset:
        shots = engine.shots(seen, page)
        return shots, _NONE, shots.notes if shots.total else ()
    found = engine.everything(DialogueQuery(asked), seen, page)
    lines = Answer(found.dialogue.total, found.dialogue.items[:_LINES])
    if found.shots and not found.shots.total:
        nearest = engine.shots(replace(seen, min_confidence=0.0), Page(_SIMILAR)).items
        return Answer(0, nearest), lines, found.notes
    return found.shots or Answer(0), lines, found.notes


def _known_tags(engine: Engine) -> list[str]:
    """The commonest tags as they are written."""
    counts = engine.corpus.tag_counts
    return sorted(counts, key=lambda tag: (-counts[tag], tag))[:_TAGS]


@router.get("/shots/{shot_id}")
def shot(request: Request, shot_id: ShotId, engine: OfEngine) -> HTMLResponse:
    """One shot, with others that are like it."""
    found = engine.shot(shot_id)
    similar, note = _similar(engine, shot_id)
    return rendered(request, "shot.html", section="search", shot=found, similar=similar, note=note)


def _similar(engine: Engine, shot_id: str) -> tuple[tuple[ShotFound, ...], str]:
    """Shots like one; none, and why, where that cannot be searched. The page stands without them."""
    try:
        found = engine.shots(ShotQuery(like=shot_id), Page(_SIMILAR)).items
    except (SearchIndexError, SearchError) as error:
        return (), str(error)
    return found, "" if found else "No other shot is surely like it."
