"""Media that a browser can play: the asset itself, or a copy that is made the first time somebody asks."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from featurization.errors import MediaError, RushesError
from featurization.media import Asset
from serving.problems import responses
from serving.shelf import AssetId, OfStore
from serving.stored_files import media_type, stored
from steps.proxies import playable, proxy, proxy_key
from steps.store import Store

log = logging.getLogger(__name__)
router = APIRouter(prefix="/studio/media", include_in_schema=False)


class Copies:
    """Which assets browsers play as they are, and how far the copies of the others have come, one after the other."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="copies")
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._known: dict[str, str | float | RushesError] = {}  # by asset: the key to play, or the share that is made

    def of(self, asset: Asset) -> str | float:
        """The key of what a browser plays, or the share of the copy that is made. RushesError if none can be made."""
        with self._lock:
            known = self._known.get(asset.asset_id)
            if known is None:
                known = self._known[asset.asset_id] = self._looked(asset)
            if isinstance(known, RushesError) and not isinstance(known, MediaError):
                del self._known[asset.asset_id]  # a full disk, say: whoever asks again has it tried again
        if isinstance(known, RushesError):
            raise known
        return known

    def _looked(self, asset: Asset) -> str | float:
        if self.store.files.exists(key := proxy_key(asset)):
            return key
        if self.store.files.local and self._plays(asset):
            return asset.blob
        self._pool.submit(self._make, asset)
        return 0.0

    def _plays(self, asset: Asset) -> bool:
        with self.store.local(asset.blob) as media:
            return playable(media)

    def _make(self, asset: Asset) -> None:
        def told(share: float) -> None:
            if self._closed.is_set():
                raise CancelledError
            self._known[asset.asset_id] = share

        try:
            self._known[asset.asset_id] = asset.blob if self._plays(asset) else proxy(asset, self.store, told=told)
        except CancelledError:
            return
        except RushesError as error:
            self._known[asset.asset_id] = error
        except Exception as error:  # whoever waits for the copy must hear of it, whatever it is
            log.exception("a copy that browsers play could not be made")
            self._known[asset.asset_id] = RushesError(
                f"{asset.title}: {type(error).__name__}; the server's log says why"
            )

    def close(self) -> None:
        """Give up what is being made; half a copy is none."""
        self._closed.set()
        self._pool.shutdown(cancel_futures=True)


def _copies(request: Request) -> Copies:
    copies: Copies = request.app.state.copies
    return copies


OfCopies = Annotated[Copies, Depends(_copies)]


@router.head("/{asset_id}")
@router.get("/{asset_id}", responses=responses(404, 415))
def get_playable(asset_id: AssetId, shelf: OfStore, copies: OfCopies) -> Response:
    """Where what a browser can play is; 202 with the share that is made while there is none yet."""
    found = copies.of(shelf.asset(asset_id))
    if isinstance(found, float):
        return JSONResponse({"progress": round(found, 3)}, 202, {"Cache-Control": "no-store", "Retry-After": "1"})
    original = found == shelf.asset(asset_id).blob
    return RedirectResponse(f"/assets/{asset_id}/media" if original else f"/studio/media/{asset_id}/copy", 307)


@router.head("/{asset_id}/copy")
@router.get("/{asset_id}/copy", responses=responses(404, 416))
def get_copy(asset_id: AssetId, request: Request, shelf: OfStore) -> Response:
    """The bytes of the copy; ranges work."""
    key = proxy_key(shelf.asset(asset_id))
    if not shelf.store.files.exists(key):
        raise HTTPException(404, f"no copy of {asset_id!r} was made yet; GET /studio/media/{asset_id} makes one")
    return stored(request, shelf.store, key, media_type(key))
