"""The search index of what the store holds: built from one committed state, published whole, rebuilt from nothing else.

What its rows are is in steps/index_rows.py.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

from featurization.errors import SearchIndexError
from search.vector_index import Generation, VectorIndex
from steps.extracted import PREFIX
from steps.index_rows import collections
from steps.models import Models
from steps.settings import Settings
from steps.snapshots import Snapshot
from steps.store import Store
from steps.tables import ASSETS, SENTENCES, SHOTS, TAGS, VECTORS

log = logging.getLogger(__name__)
ENVIRONMENT = "RUSHES_INDEX"
NOT_NAMED = f"set {ENVIRONMENT} to a Milvus server's address, or to a folder of this machine"
LATER = "what was computed is kept; run `rushes index rebuild` when it is back"
LAYOUT = "1"  # raised when the same tables would be indexed differently
_INDEXED = (ASSETS.name, SENTENCES.name, SHOTS.name, TAGS.name, VECTORS.name)


def index_address(store: Store) -> str:
    """`RUSHES_INDEX`, else a folder inside the store; "" if the store is remote and no index was named."""
    inside = f"{store.files.root}/index" if store.files.local else ""
    return os.environ.get(ENVIRONMENT) or inside


def open_store_index(store: Store) -> VectorIndex:
    """The index that belongs to the store. SearchIndexError if none is configured or it cannot be opened."""
    from search.open_index import open_index

    address = index_address(store)
    if not address:
        raise SearchIndexError(f"{store.url} is remote and has no index beside it; {NOT_NAMED}")
    return open_index(address)


def check_index(store: Store) -> None:
    """Ask before the work whether the index answers. SearchIndexError if not; where none is named there is none."""
    if index_address(store):
        index = open_store_index(store)
        try:
            index.current()
        finally:
            index.close()


@dataclass(frozen=True)
class Indexed:
    """What an indexing step did."""

    generation: Generation | None  # None: there is no index, as `note` says
    fresh: bool = False  # it was written now; else it was up to date already
    note: str = ""
    failed: bool = False  # there should be one

    def describe(self) -> str:
        """One line for the terminal."""
        if self.generation is None:
            return self.note
        held = ", ".join(f"{stamp.rows} {name}" for name, stamp in sorted(self.generation.stamps.items()))
        return f"index: generation {self.generation.number}{'' if self.fresh else ' (unchanged)'}: {held or 'empty'}"


def index_store(store: Store, *, run: str, settings: Settings) -> Indexed:
    """Publish the store's current state in the spaces of the configured encoders; what `update_index` says."""
    return update_index(store, run=run, spaces=Models(settings).spaces)


def update_index(store: Store, *, run: str, spaces: Mapping[str, str]) -> Indexed:
    """Publish the store's current state, unless the index has it already. `spaces` names the space of each kind.

    An index that cannot be reached or written costs a run nothing but the index: it comes back as `failed`.
    """
    if not index_address(store):
        return Indexed(None, note=f"no index: the store is remote; {NOT_NAMED}, then run `rushes index rebuild`")
    try:
        return _updated(store, run, spaces)
    except SearchIndexError as error:
        log.warning("the index was not updated: %s", error)
        return Indexed(None, note=f"index: not updated: {error}; {LATER}", failed=True)


def _updated(store: Store, run: str, spaces: Mapping[str, str]) -> Indexed:
    index = open_store_index(store)
    try:
        current, digest = index.current(), content_digest(store.current(), spaces)
        if current and current.digest == digest:
            return Indexed(current)
        return Indexed(publish(store, index, run=run, spaces=spaces), fresh=True)
    finally:
        index.close()


def publish(store: Store, index: VectorIndex, *, run: str, spaces: Mapping[str, str]) -> Generation:
    """Build every collection from the store's current state and switch readers to them at once.

    Built again if a run commits meanwhile, so that a generation is one state of the store.
    """
    while True:
        snapshot = store.current()
        built = list(collections(store, spaces))
        if store.current().number == snapshot.number:
            break
    return index.publish(built, snapshot=snapshot.number, digest=content_digest(snapshot, spaces), run=run)


def content_digest(snapshot: Snapshot, spaces: Mapping[str, str]) -> str:
    """Of everything that decides what an index of this state holds."""
    layers_too = sorted(name for name in snapshot.tables if name.startswith(PREFIX))
    pieces = {name: snapshot.tables.get(name, {}) for name in (*_INDEXED, *layers_too)}
    text = json.dumps([LAYOUT, dict(spaces), pieces], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
