"""What every address needs: the store with its catalog, and the desk where queries are answered."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Query, Request

from featurization.media import Asset
from search.nearest import Encoders
from search.query import Engine
from serving.catalog import Catalog, read_catalog
from serving.metrics import Metrics
from serving.watch import Watch
from steps.corpus import Desk
from steps.event_log import EventLog
from steps.feedback import FEEDBACK
from steps.previews import Preview
from steps.settings import Settings
from steps.store import Store

Limit = Annotated[int, Query(ge=1, le=500, description="How many to list.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="How many to pass over.")]
AssetId = Annotated[str, Path(max_length=64, description="As /assets lists it.")]


class Shelf:
    """The store with its catalog, read anew only when a run has committed."""

    def __init__(self, store: Store, encoders: Encoders, settings: Settings) -> None:
        self.store, self.desk = store, Desk(store, encoders)
        self.settings, self.events = settings, EventLog(store, settings.events)
        self.watch = Watch(store)
        self.metrics = Metrics(self.watch, settings)
        self._catalog = Catalog()
        self._tables: object = None
        self._lock = threading.Lock()

    def catalog(self) -> Catalog:
        """The catalog of the current snapshot."""
        with self._lock:
            current = self.store.current()
            if self._catalog.snapshot != current.number:
                tables = {name: pieces for name, pieces in current.tables.items() if name not in FEEDBACK}
                same = self._catalog.snapshot and tables == self._tables  # only feedback came in since
                self._catalog = replace(self._catalog, snapshot=current.number) if same else read_catalog(self.store)
                self._tables = tables
            return self._catalog

    def close(self) -> None:
        """Release the index."""
        self.desk.close()
        self.watch.close()

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


def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.shelf
    return shelf


def _engine(request: Request) -> Engine:
    return _shelf(request).desk.engine()


OfStore = Annotated[Shelf, Depends(_shelf)]
OfEngine = Annotated[Engine, Depends(_engine)]
