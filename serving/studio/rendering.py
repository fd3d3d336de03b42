"""How a page of the studio is put together: templates, what all of them know, and the files beside them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
SECTIONS = (
    ("search", "Search", "/studio"),
    ("labels", "Labels", "/studio/labels"),
    ("episodes", "Episodes", "/studio/episodes"),
    ("review", "Review", "/studio/review"),
    ("experiments", "Experiments", "/experiments"),
)


def rendered(request: Request, template: str, *, status: int = 200, **known: Any) -> HTMLResponse:
    """A page, or a part of one, from a template and what it is told."""
    text = _environment().get_template(template).render(request=request, sections=SECTIONS, **known)
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


class _Asked(StaticFiles):
    """Files whose names stay when their bytes change, so browsers ask each time whether they did."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def static_files() -> StaticFiles:
    """Style sheets and scripts."""
    return _Asked(directory=_STATIC)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["clock"] = clock
    made.filters["percent"] = percent
    made.globals["static"] = _static
    return made


def _static(name: str) -> str:
    """The address of a file: the one by which scripts import each other, lest one is loaded twice."""
    return f"/studio/static/{name}"


def clock(seconds: float) -> str:
    """A place in time as people read it: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{100 * share:.0f} %"
