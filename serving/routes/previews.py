"""Previews with their files, and copies of feeds that name them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import Response

from serving.problems import responses
from serving.schemas import PreviewDetail, PreviewPage, preview_hit
from serving.shelf import AssetId, Limit, Offset, OfStore
from serving.stored_files import media_type, stored
from steps.previews import preview_json

FeedName = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=300)]
router = APIRouter()


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


@router.get("/previews/{asset_id}", responses=responses(404))
def get_preview(asset_id: AssetId, shelf: OfStore) -> PreviewDetail:
    """What preview.json says of a preview, or why there is none."""
    return PreviewDetail.model_validate(preview_json(*shelf.preview(asset_id)))


@router.head("/previews/{asset_id}/{name}", include_in_schema=False)
@router.get("/previews/{asset_id}/{name}", response_class=Response, responses=responses(404))
def get_preview_file(asset_id: AssetId, name: str, request: Request, shelf: OfStore) -> Response:
    """A file of a preview: preview.mp3, preview.vtt, waveform.svg, transcript.vtt, chapters.json, …; ranges work."""
    _, preview = shelf.preview(asset_id)
    if name not in preview.files:
        there = ", ".join(sorted(preview.files)) or "none, since it was refused"
        raise HTTPException(404, f"the preview of {asset_id!r} has no file {name!r}; files: {there}")
    return stored(request, shelf.store, preview.files[name], media_type(name))


@router.head("/feeds/{name}.xml", include_in_schema=False)
@router.get("/feeds/{name}.xml", response_class=Response, responses=responses(404))
def get_feed(name: FeedName, request: Request, shelf: OfStore) -> Response:
    """The copy of an ingested feed that names what was found."""
    key = f"feeds/{name}.xml"
    if not shelf.store.files.exists(key):
        known = ", ".join(shelf.store.files.list("feeds")) or "none yet"
        raise HTTPException(404, f"no feed {name!r}; feeds: {known}")
    return stored(request, shelf.store, key, media_type(key))
