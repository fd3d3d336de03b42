"""Parameters of a search as they stand in an address, made into the queries of the engine."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query

from search.dialogue import MAX_TEXT, SURE
from search.durations import parse_duration
from search.filters import Filters
from search.moment_query import Held, either, parse_conditions
from search.pages import MAX_LIMIT, Page, Sort
from search.vector_index import MAX_WINDOW
from serving.search_schemas import DATE, DURATION

Text = Annotated[str, Query(max_length=MAX_TEXT)]
Duration = Annotated[str, Query(pattern=DURATION, description="5s, 1m30s, 90 or 1h.")]
Confidence = Annotated[
    float, Query(ge=0, le=1, allow_inf_nan=False, description="Only hits that are at least this sure; 0 shows all.")
]
DEFAULT_CONFIDENCE = SURE
Date = Annotated[str, Query(pattern=DATE, description="2024, 2024-03 or 2024-03-09, itself included.")]


def filters(
    asset: Annotated[str, Query(max_length=64, description="Only this asset.")] = "",
    show: Annotated[str, Query(max_length=300, description="Only this show, in any case.")] = "",
    language: Annotated[str, Query(max_length=35, description="`en` takes en-GB too.")] = "",
    since: Date = "",
    until: Date = "",
) -> Filters:
    """Which assets are asked."""
    return Filters(asset=asset, show=show, language=language, since=since, until=until)


def page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many hits, or titles.")] = 20,
    offset: Annotated[int, Query(ge=0, le=MAX_WINDOW - MAX_LIMIT, description="How many to pass over.")] = 0,
    sort: Sort = "score",
    cursor: Annotated[str, Query(max_length=500, description="`next` of the page before.")] = "",
    group: Annotated[Literal["", "title"], Query(description="`title` gives the best hits of each title.")] = "",
) -> Page:
    """Which stretch of the hits is wanted."""
    return Page(limit, offset, sort, cursor, by_title=group == "title")


_Values = Annotated[list[str], Query(max_length=12, description="All must hold; `a|b` takes either.")]


def conditions(
    q: Annotated[Text, Query(description="LAYER:VALUE …, as in says:harbour tag:night -sound:music")] = "",
    says: _Values = [],  # noqa: B006
    means: _Values = [],  # noqa: B006
    looks: _Values = [],  # noqa: B006
    tag: _Values = [],  # noqa: B006
    sound: _Values = [],  # noqa: B006
    speaker: _Values = [],  # noqa: B006
    topic: _Values = [],  # noqa: B006
    ad: _Values = [],  # noqa: B006
) -> tuple[Held, ...]:
    """What shall hold at the same time, typed in one line or as parameters."""
    given = {"says": says, "means": means, "looks": looks, "tag": tag, "sound": sound, "speaker": speaker}
    given |= {"topic": topic, "ad": ad}
    typed = parse_conditions(q) if q else ()
    return (*typed, *(either(layer, value) for layer, values in given.items() for value in values))


def seconds(text: str, otherwise: float) -> float:
    """A duration as it was sent, or what holds where none was. SearchError says how to write it."""
    return parse_duration(text) if text else otherwise


AskedFilters = Annotated[Filters, Depends(filters)]
AskedPage = Annotated[Page, Depends(page)]
