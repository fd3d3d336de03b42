"""How the service is: its health, its counts, and the report of the newest publishing run."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from serving.pages import nothing_yet
from serving.problems import problem
from serving.schemas import Alive, Health
from serving.shelf import OfStore
from serving.stored_files import stored
from steps.reporting.run_report import REPORT
from steps.version import VERSION

router = APIRouter()


@router.get("/livez")
def livez() -> Alive:
    """Whether this process answers; one that does not wants to be started again."""
    return Alive(version=VERSION)


@router.get("/healthz", response_model=Health)
def healthz(shelf: OfStore) -> Response | Health:
    """Whether the store and the index can be read; 503 says which cannot, and why."""
    if troubles := shelf.watch.troubles():
        detail = "; ".join(f"{part}: {why}" for part, why in troubles.items())
        return problem(503, next(iter(troubles)), detail)
    generation = shelf.watch.generation()
    return Health(
        version=VERSION,
        snapshot=shelf.watch.snapshot().number,
        generation=generation.number if generation else 0,
    )


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, shelf: OfStore) -> Response:
    """Counts and states for Prometheus, in its text format or as OpenMetrics."""
    text, media_type = shelf.metrics.scraped(request.headers.get("accept", ""))
    return Response(text, media_type=media_type)


@router.get("/", include_in_schema=False)
def front() -> Response:
    """Whoever comes with a browser wants the studio."""
    return RedirectResponse("/studio")


@router.get("/report", response_class=HTMLResponse, include_in_schema=False)
def report(request: Request, shelf: OfStore) -> Response:
    """The report of the newest publishing run."""
    if not shelf.store.files.exists(REPORT):
        return HTMLResponse(nothing_yet())
    return stored(request, shelf.store, REPORT, "text/html; charset=utf-8")
