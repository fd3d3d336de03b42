"""How the service is: its health, its counts, and the report on the front page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from serving.metrics import metrics_text
from serving.pages import nothing_yet
from serving.schemas import Health
from serving.shelf import OfStore
from serving.stored_files import stored
from steps.reporting.run_report import REPORT
from steps.version import VERSION

router = APIRouter()


@router.get("/healthz")
def healthz(shelf: OfStore) -> Health:
    """Whether the store can be read."""
    return Health(version=VERSION, snapshot=shelf.store.current().number)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(shelf: OfStore) -> PlainTextResponse:
    """Counts for Prometheus."""
    text = metrics_text(shelf.catalog(), dict(shelf.counts))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def report(request: Request, shelf: OfStore) -> Response:
    """The report of the newest publishing run."""
    if not shelf.store.files.exists(REPORT):
        return HTMLResponse(nothing_yet())
    return stored(request, shelf.store, REPORT, "text/html; charset=utf-8")
