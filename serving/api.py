"""The REST service over one store: lists, timelines, previews, feeds and the report. It reads and never writes."""

from __future__ import annotations

import threading
from collections import Counter
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from featurization.errors import RushesError
from featurization.media import Asset
from serving.catalog import Catalog, State, read_catalog
from serving.metrics import RequestCounter, metrics_text
from serving.pages import nothing_yet
from serving.schemas import (
    AssetDetail,
    AssetHit,
    AssetPage,
    Health,
    PreviewDetail,
    PreviewPage,
    Problem,
    Timeline,
    asset_detail,
    preview_hit,
)
from steps.episodes import read_hearings
from steps.previews import Preview, preview_json
from steps.reporting.run_report import REPORT
from steps.store import Store
from steps.tables import PROFILES, only
from steps.version import VERSION

_TYPES = {
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".xml": "application/rss+xml",
}
_TYPES_BY_NAME = {"chapters.json": "application/json+chapters"}
Limit = Annotated[int, Query(ge=1, le=500, description="How many to list.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="How many to pass over.")]
AssetId = Annotated[str, Path(max_length=64, description="As /assets lists it.")]
FeedName = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=300)]
router = APIRouter(responses={404: {"model": Problem}, 422: {"model": Problem}, 503: {"model": Problem}})


class Shelf:
    """The store with its catalog, read anew only when a run has committed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.counts: Counter[tuple[str, int]] = Counter()
        self._catalog = Catalog()
        self._lock = threading.Lock()

    def catalog(self) -> Catalog:
        """The catalog of the current snapshot."""
        with self._lock:
            if self._catalog.snapshot != self.store.current().number:
                self._catalog = read_catalog(self.store)
            return self._catalog

    def asset(self, asset_id: str) -> Asset:
        """The asset, or 404."""
        if asset := self.catalog().assets.get(asset_id):
            return asset
        raise HTTPException(404, f"no asset {asset_id!r}; GET /assets lists them")

    def preview(self, asset_id: str) -> tuple[Asset, Preview]:
        """The asset and its preview, or 404."""
        asset, preview = self.asset(asset_id), self.catalog().previews.get(asset_id)
        if preview is None:
            raise HTTPException(404, f"no preview of {asset_id!r} was decided yet; run publish_previews")
        return asset, preview


def create_app(store: Store) -> FastAPI:
    """The service over `store`."""
    app = FastAPI(
        title="rushes",
        version=VERSION,
        summary="Previews of podcast episodes, and what was heard in them.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.shelf = Shelf(store)
    app.include_router(router)
    app.add_middleware(RequestCounter, counts=app.state.shelf.counts)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RushesError, _failed)
    app.add_exception_handler(OSError, _failed)
    return app


def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.shelf
    return shelf


OfStore = Annotated[Shelf, Depends(_shelf)]


def _problem(status: int, reason: str, detail: str) -> JSONResponse:
    return JSONResponse(Problem(reason=reason, detail=detail).model_dump(), status)


async def _refused(_: Request, error: Any) -> Response:
    reason = "not-found" if error.status_code == 404 else "refused"
    unknown = error.detail == HTTPStatus(error.status_code).phrase  # it is not one of our sentences
    hint = "; GET /openapi.json lists what can be asked" if unknown else ""
    return _problem(error.status_code, reason, f"{error.detail}{hint}")


async def _invalid(_: Request, error: Any) -> Response:
    found = [f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors()]
    return _problem(422, "invalid", "; ".join(found))


async def _failed(_: Request, error: Exception) -> Response:
    return _problem(503, getattr(error, "reason", "store"), str(error))


@router.get("/healthz")
def healthz(shelf: OfStore) -> Health:
    """Whether the store can be read."""
    return Health(version=VERSION, snapshot=shelf.store.current().number)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(shelf: OfStore) -> PlainTextResponse:
    """Counts for Prometheus."""
    text = metrics_text(shelf.catalog(), dict(shelf.counts))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/assets")
def list_assets(shelf: OfStore, limit: Limit = 50, offset: Offset = 0, state: State | None = None) -> AssetPage:
    """Assets, newest first, then sources that never became one; all, or those in one state."""
    entries = [entry for entry in shelf.catalog().entries() if state in (None, entry.state)]
    items = [AssetHit.model_validate(entry, from_attributes=True) for entry in entries[offset : offset + limit]]
    return AssetPage(total=len(entries), offset=offset, items=items)


@router.get("/assets/{asset_id}")
def get_asset(asset_id: AssetId, shelf: OfStore) -> AssetDetail:
    """All that is known of an asset but its timeline."""
    profile = only(shelf.store.read(PROFILES, [asset_id]).get(asset_id, ()))
    return asset_detail(shelf.asset(asset_id), shelf.catalog(), profile)


@router.get("/assets/{asset_id}/timeline")
def get_timeline(asset_id: AssetId, shelf: OfStore) -> Timeline:
    """Words, sentences, turns, sounds, topics, ads and spoilers of an asset."""
    asset = shelf.asset(asset_id)
    hearing = read_hearings([asset_id], store=shelf.store).get(asset_id)
    if hearing is None:
        raise HTTPException(404, f"{asset_id!r} was not heard yet; run featurize_media")
    spans = {name: getattr(hearing, name) for name in Timeline.model_fields if hasattr(hearing, name)}
    return Timeline(asset_id=asset_id, title=asset.title, duration_s=asset.duration_s, **spans)


@router.get("/previews")
def list_previews(
    shelf: OfStore, limit: Limit = 50, offset: Offset = 0, status: Literal["published", "refused"] = "published"
) -> PreviewPage:
    """Previews of the newest episodes first; or, with their reasons, the refusals."""
    catalog = shelf.catalog()
    ids = [e.asset_id for e in catalog.entries() if e.asset_id in catalog.assets]
    decided = [a for a in ids if a in catalog.previews and catalog.previews[a].status == status]
    items = [preview_hit(catalog.assets[a], catalog.previews[a]) for a in decided[offset : offset + limit]]
    return PreviewPage(total=len(decided), offset=offset, items=items)


@router.get("/previews/{asset_id}")
def get_preview(asset_id: AssetId, shelf: OfStore) -> PreviewDetail:
    """What preview.json says of a preview, or why there is none."""
    return PreviewDetail.model_validate(preview_json(*shelf.preview(asset_id)))


@router.head("/previews/{asset_id}/{name}", include_in_schema=False)
@router.get("/previews/{asset_id}/{name}", response_class=Response)
def get_preview_file(asset_id: AssetId, name: str, shelf: OfStore) -> Response:
    """A file of a preview: preview.mp3, preview.vtt, waveform.svg, transcript.vtt, chapters.json, …; ranges work."""
    _, preview = shelf.preview(asset_id)
    if name not in preview.files:
        there = ", ".join(sorted(preview.files)) or "none, since it was refused"
        raise HTTPException(404, f"the preview of {asset_id!r} has no file {name!r}; files: {there}")
    media_type = _TYPES_BY_NAME.get(name) or _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
    return _file(shelf.store, preview.files[name], media_type)


@router.head("/feeds/{name}.xml", include_in_schema=False)
@router.get("/feeds/{name}.xml", response_class=Response)
def get_feed(name: FeedName, shelf: OfStore) -> Response:
    """The copy of an ingested feed that names what was found."""
    key = f"feeds/{name}.xml"
    if not shelf.store.files.exists(key):
        known = ", ".join(shelf.store.files.list("feeds")) or "none yet"
        raise HTTPException(404, f"no feed {name!r}; feeds: {known}")
    return _file(shelf.store, key, _TYPES[".xml"])


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def report(shelf: OfStore) -> Response:
    """The report of the newest publishing run."""
    if not shelf.store.files.exists(REPORT):
        return HTMLResponse(nothing_yet())
    return _file(shelf.store, REPORT, "text/html; charset=utf-8")


def _file(store: Store, key: str, media_type: str) -> Response:
    """The bytes under a key; with ranges where the store is a folder."""
    headers = {"X-Content-Type-Options": "nosniff"}
    if store.files.local:
        return FileResponse(store.files.path(key), media_type=media_type, headers=headers)
    return Response(store.files.read(key), media_type=media_type, headers=headers)
