"""Order, groups and pages of hits. A cursor goes on after a hit, whatever was said of its equals."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from featurization.errors import SearchError
from search.results import Answer, Found, Group, Hits
from search.vector_index import MAX_WINDOW

Sort = Literal["score", "time", "-time", "duration", "-duration"]
Key = tuple[Any, ...]
Hit = TypeVar("Hit", bound=Found)
MAX_LIMIT = 500
_BEST_OF_TITLE = 3
_NO_CURSOR = "the cursor is none that was given here; start again without it"


@dataclass(frozen=True, slots=True)
class Page:
    """Which stretch of the hits is wanted, in which order."""

    limit: int = 20
    offset: int = 0
    sort: Sort = "score"
    cursor: str = ""  # as a page before gave it; instead of an offset
    by_title: bool = False  # groups of the best hits of each title; limit and offset count titles

    def __post_init__(self) -> None:
        if self.sort not in get_args(Sort):
            raise SearchError(f"sort must be one of {', '.join(get_args(Sort))}, got {self.sort!r}")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise SearchError(f"limit must be from 1 to {MAX_LIMIT}, got {self.limit}")
        if self.offset < 0 or self.offset + self.limit > MAX_WINDOW:
            raise SearchError(f"offset + limit must lie from 1 to {MAX_WINDOW}, got {self.offset} + {self.limit}")
        if self.cursor and (self.offset or self.by_title):
            raise SearchError("a cursor goes with neither an offset nor groups; leave one of them out")


def fingerprint(*parts: object) -> str:
    """Names a query on one state of the store and the index."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def needed(page: Page) -> int:
    """How many hits, best first, must be known to fill the page and to see whether it is the last."""
    seen = _opened(page.cursor)[2] if page.cursor else page.offset
    return max(1, min(MAX_WINDOW, seen + page.limit + 1))


def paged(hits: Hits[Hit], page: Page, query: str) -> Answer[Hit]:
    """The stretch that `page` asks for; `query` is the fingerprint that its cursors carry."""
    ordered = sorted(hits.items, key=lambda hit: _key(hit, page.sort))
    notes = hits.notes or (() if ordered else ("nothing matches",))
    if page.by_title:
        groups = _groups(ordered)
        shown = tuple(groups[page.offset : page.offset + page.limit])
        return Answer(len(groups), groups=shown, more=hits.more, notes=notes)
    first = _after(ordered, page, query) if page.cursor else page.offset
    shown_hits = tuple(ordered[first : first + page.limit])
    following = first + page.limit < len(ordered)
    last = _key(shown_hits[-1], page.sort) if shown_hits else ()
    cursor = _cursor([query, page.sort, first + page.limit, *last]) if following else ""
    return Answer(len(ordered), shown_hits, more=hits.more, next=cursor, notes=notes)


def _key(hit: Found, sort: Sort) -> Key:
    """What hits are ordered by, ending in what no two of them share."""
    place = (hit.asset_id, hit.start, hit.id)
    match sort:
        case "score":
            return (-hit.score, -hit.confidence, *place)
        case "time":
            return place
        case "-time":
            return (hit.asset_id, -hit.start, hit.id)
        case "duration":
            return (round(hit.duration, 6), *place)
        case "-duration":
            return (-round(hit.duration, 6), *place)


def _groups(ordered: Sequence[Hit]) -> list[Group[Hit]]:
    """Titles in the order of their first hit."""
    by_asset: dict[str, list[Hit]] = {}
    for hit in ordered:
        by_asset.setdefault(hit.asset_id, []).append(hit)
    return [
        Group(asset_id, own[0].title, max(hit.confidence for hit in own), len(own), tuple(own[:_BEST_OF_TITLE]))
        for asset_id, own in by_asset.items()
    ]


def _cursor(content: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _after(ordered: Sequence[Found], page: Page, query: str) -> int:
    """How many hits stand before the cursor or at it."""
    said, sort, _, *place = _opened(page.cursor)
    if (said, sort) != (query, page.sort):
        raise SearchError("the cursor belongs to another query, or new media came in since; start again without it")
    key = tuple(place)
    try:
        return sum(_key(hit, page.sort) <= key for hit in ordered)
    except TypeError as error:  # somebody wrote into it
        raise SearchError(_NO_CURSOR) from error


def _opened(cursor: str) -> list[Any]:
    """The query, the order, how many hits were seen, and the key of the last of them."""
    try:
        content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise SearchError(_NO_CURSOR) from error
    if isinstance(content, list) and len(content) > 3 and isinstance(content[2], int):
        return content
    raise SearchError(_NO_CURSOR)
