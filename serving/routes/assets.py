"""Assets: what they are, what happens in them, and their media."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from featurization.media import Hearing, Shot
from search.corpus import shot_id
from serving.problems import responses
from serving.schemas import AssetDetail, AssetHit, AssetPage, SpeakerName, Timeline, TimelineShot, asset_detail
from serving.shelf import AssetId, Limit, Offset, OfStore
from serving.stored_files import FOREVER, media_type, stored
from steps.episodes import read_hearings
from steps.extracted import layers
from steps.people import known_people
from steps.standing import State
from steps.store import Store
from steps.tables import FILMS, PROFILES, SCENES, SHOTS, TAGS, only

router = APIRouter()
_HEARD = ("words", "sentences", "turns", "sounds", "topics", "ads", "spoilers", "markers")


@router.get("/assets")
def list_assets(shelf: OfStore, limit: Limit = 50, offset: Offset = 0, state: State | None = None) -> AssetPage:
    """Assets, newest first, then sources that never became one; all, or those in one state."""
    entries = [entry for entry in shelf.catalog().entries() if state in (None, entry.state)]
    items = [AssetHit.model_validate(entry, from_attributes=True) for entry in entries[offset : offset + limit]]
    return AssetPage(total=len(entries), offset=offset, items=items)


@router.get("/assets/{asset_id}", responses=responses(404))
def get_asset(asset_id: AssetId, shelf: OfStore) -> AssetDetail:
    """All that is known of an asset but its timeline."""
    profile = only(shelf.store.read(PROFILES, [asset_id]).get(asset_id, ()))
    return asset_detail(shelf.asset(asset_id), shelf.catalog(), profile)


@router.get("/assets/{asset_id}/timeline", responses=responses(404))
def get_timeline(asset_id: AssetId, shelf: OfStore) -> Timeline:
    """What is heard and seen in an asset: words to spoilers, shots, scenes, tags, and a layer for each extractor."""
    asset, store = shelf.asset(asset_id), shelf.store
    hearing = read_hearings([asset_id], store=store).get(asset_id)
    shots = store.read(SHOTS, [asset_id]).get(asset_id, ())
    if hearing is None and not shots:
        raise HTTPException(404, f"{asset_id!r} was not heard yet; run featurize_media")
    return Timeline(
        asset_id=asset_id,
        title=asset.title,
        duration_s=asset.duration_s,
        **_heard(hearing),
        people=[SpeakerName(**asdict(known)) for known in known_people(asset_id, store=store)],
        shots=[_shot(asset_id, shot) for shot in shots],
        scenes=list(store.read(SCENES, [asset_id]).get(asset_id, ())),
        tags=list(store.read(TAGS, [asset_id]).get(asset_id, ())),
        layers=_layers(asset_id, store),
    )


def _heard(hearing: Hearing | None) -> dict[str, Any]:
    return {name: list(getattr(hearing, name)) if hearing else [] for name in _HEARD}


def _shot(asset_id: str, shot: Shot) -> TimelineShot:
    known = {name: getattr(shot, name) for name in TimelineShot.model_fields if name != "id"}
    return TimelineShot(id=shot_id(asset_id, shot.number), **{**known, "keyframes": list(shot.keyframes)})


def _layers(asset_id: str, store: Store) -> dict[str, list[dict[str, Any]]]:
    tables = layers(store, [asset_id])
    return {name: table.drop_columns("asset_id").to_pylist() for name, table in tables.items() if len(table)}


@router.head("/assets/{asset_id}/media", include_in_schema=False)
@router.get("/assets/{asset_id}/media", response_class=Response, responses=responses(404, 416))
def get_media(asset_id: AssetId, request: Request, shelf: OfStore) -> Response:
    """The bytes of an asset; ranges work."""
    asset = shelf.asset(asset_id)
    return stored(request, shelf.store, asset.blob, media_type(asset.blob), cache=FOREVER)


@router.head("/assets/{asset_id}/sprite.webp", include_in_schema=False)
@router.get("/assets/{asset_id}/sprite.webp", response_class=Response, responses=responses(404))
def get_sprite(asset_id: AssetId, request: Request, shelf: OfStore) -> Response:
    """One sheet of small pictures of the whole asset, for scrubbing."""
    shelf.asset(asset_id)
    film = only(shelf.store.read(FILMS, [asset_id]).get(asset_id, ()))
    if film is None or not film.sprite:
        raise HTTPException(404, f"{asset_id!r} has no sheet of pictures; only videos that were featurized have one")
    return stored(request, shelf.store, film.sprite, "image/webp")
