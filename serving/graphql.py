"""The same questions through GraphQL, at /graphql, with the arguments of REST. What costs too much is refused."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, cast, get_args

import strawberry
from graphql import GraphQLError
from pydantic import BaseModel
from strawberry.extensions import MaskErrors, MaxAliasesLimiter, MaxTokensLimiter
from strawberry.fastapi import GraphQLRouter
from strawberry.tools import create_type

from featurization.errors import RushesError, SearchError
from search.dialogue import SURE, DialogueQuery, Mode
from search.filters import Filters
from search.moment_query import MomentQuery, parse_conditions
from search.pages import MAX_LIMIT, Page, Sort
from search.pictures import ShotQuery
from search.query import Engine
from serving.asked import seconds
from serving.graphql_types import Asset, Assets, Lines, Moments, Previews, Shot, Shots
from serving.routes.assets import list_assets
from serving.routes.previews import list_previews
from serving.schemas import AssetHit
from serving.search_schemas import LinePage, MomentPage, ShotPage, line_hit, moment_hit, page_of, shot_hit
from serving.shelf import OfStore, Shelf
from steps.standing import State

MAX_ALIASES, MAX_TOKENS = 10, 1500  # depth has no limit, since no type leads back to itself
Kind = TypeVar("Kind")
Decision = Literal["published", "refused"]
Info = strawberry.Info[dict[str, Any], None]


def _shelf(info: Info) -> Shelf:
    return cast(Shelf, info.context["shelf"])


def _engine(info: Info) -> Engine:
    return _shelf(info).desk.engine()


def _page(limit: int, offset: int, sort: str, cursor: str, group: str) -> Page:
    if group not in ("", "title"):
        raise SearchError(f"group must be title or empty, got {group[:40]!r}")
    return Page(limit, offset, cast(Sort, sort), cursor, by_title=group == "title")


def _listed(limit: int, offset: int) -> tuple[int, int]:
    if not 1 <= limit <= MAX_LIMIT or offset < 0:
        raise SearchError(f"limit must be from 1 to {MAX_LIMIT} and offset not below 0, got {limit} and {offset}")
    return limit, offset


def given(kind: type[Kind], answer: BaseModel) -> Kind:
    """The answer of REST as a GraphQL type."""
    made: Kind = kind.from_pydantic(answer)  # type: ignore[attr-defined]  # strawberry adds it
    return made


def shots(
    info: Info,
    q: str = "",
    like: str = "",
    by: str = "shots",
    tag: list[str] = [],  # noqa: B006
    min_duration: str = "",
    max_duration: str = "",
    min_confidence: float = SURE,
    asset: str = "",
    show: str = "",
    language: str = "",
    since: str = "",
    until: str = "",
    limit: int = 20,
    offset: int = 0,
    sort: str = "score",
    cursor: str = "",
    group: str = "",
) -> Shots:
    """Shots by words, by likeness and by tags; all of them if nothing is looked for."""
    lengths = seconds(min_duration, 0.0), seconds(max_duration, float("inf"))
    filters = Filters(asset, show, language, "", since, until)
    query = ShotQuery(q, like, (), by, tuple(tag), *lengths, filters, min_confidence)
    answer = _engine(info).shots(query, _page(limit, offset, sort, cursor, group))
    return given(Shots, page_of(ShotPage, answer, shot_hit))


def shot(info: Info, id: str) -> Shot:
    """One shot."""
    return given(Shot, shot_hit(_engine(info).shot(id)))


def dialogue(
    info: Info,
    q: str,
    mode: str = "auto",
    speaker: str = "",
    min_confidence: float = SURE,
    asset: str = "",
    show: str = "",
    language: str = "",
    since: str = "",
    until: str = "",
    limit: int = 20,
    offset: int = 0,
    sort: str = "score",
    cursor: str = "",
    group: str = "",
) -> Lines:
    """What was said, with the times of its words."""
    filters = Filters(asset, show, language, speaker, since, until)
    query = DialogueQuery(q, cast(Mode, mode), filters, min_confidence)
    answer = _engine(info).dialogue(query, _page(limit, offset, sort, cursor, group))
    return given(Lines, page_of(LinePage, answer, line_hit))


def moments(
    info: Info,
    q: str,
    min_duration: str = "",
    min_confidence: float = SURE,
    asset: str = "",
    show: str = "",
    language: str = "",
    since: str = "",
    until: str = "",
    limit: int = 20,
    offset: int = 0,
    sort: str = "score",
    cursor: str = "",
    group: str = "",
) -> Moments:
    """Where several things hold at once: says:harbour tag:night sound:music."""
    filters = Filters(asset, show, language, "", since, until)
    query = MomentQuery(parse_conditions(q), seconds(min_duration, 0.0), filters, min_confidence)
    answer = _engine(info).moments(query, _page(limit, offset, sort, cursor, group))
    return given(Moments, page_of(MomentPage, answer, moment_hit))


def assets(info: Info, limit: int = 50, offset: int = 0, state: str = "") -> Assets:
    """Assets, newest first, then sources that never became one."""
    if state not in ("", *get_args(State)):
        raise SearchError(f"state must be one of {', '.join(get_args(State))}, got {state[:40]!r}")
    wanted = cast(State, state) if state else None
    return given(Assets, list_assets(_shelf(info), *_listed(limit, offset), wanted))


def asset(info: Info, id: str) -> Asset:
    """One asset."""
    shelf = _shelf(info)
    shelf.desk.engine().corpus.asset(id)
    (entry,) = (entry for entry in shelf.catalog().entries() if entry.asset_id == id)
    return given(Asset, AssetHit.model_validate(entry, from_attributes=True))


def previews(info: Info, limit: int = 50, offset: int = 0, status: str = "published") -> Previews:
    """Previews of the newest episodes first; or the refusals, with their reasons."""
    if status not in ("published", "refused"):
        raise SearchError(f"status must be published or refused, got {status[:40]!r}")
    return given(Previews, list_previews(_shelf(info), *_listed(limit, offset), cast(Decision, status)))


QUESTIONS = (shots, shot, dialogue, moments, assets, asset, previews)


def _is_inside(error: GraphQLError) -> bool:
    """Whether the error is ours alone: what people can mend is theirs to read."""
    return error.original_error is not None and not isinstance(error.original_error, RushesError | GraphQLError)


async def _context(shelf: OfStore) -> dict[str, Any]:
    return {"shelf": shelf}


def graphql_router() -> GraphQLRouter[dict[str, Any], None]:
    """The address of GraphQL. It has no page of its own, since that would load scripts from elsewhere."""
    limits = [
        lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        lambda: MaskErrors(should_mask_error=_is_inside, error_message="the server failed; its log says why"),
    ]
    questions: list[Any] = [strawberry.field(resolver=ask, description=ask.__doc__) for ask in QUESTIONS]
    schema = strawberry.Schema(create_type("Query", questions), extensions=limits)
    return GraphQLRouter(schema, path="/graphql", graphql_ide=None, context_getter=_context, include_in_schema=False)
