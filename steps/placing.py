"""Files that readers find beside the tables: each preview's under `previews/ASSET_ID/`, as the snapshot has them.

Whoever is killed between a commit and the last file leaves word of it; the next one puts the rest in place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from steps.previews import PREVIEWS, Preview
from steps.store import Store

_AT_A_TIME = 64  # previews in memory while files are put in place
_PLACING = "placing"  # asset ids by run, while files are put in place


def announce(asset_ids: Sequence[str], *, run: str, store: Store) -> None:
    """Leave word, before a commit, of the assets whose files have to follow it."""
    store.files.write(_word(run), json.dumps(list(asset_ids)).encode())


def put_in_place(asset_ids: Sequence[str], *, run: str, store: Store) -> None:
    """The files of what a run announced and committed; another run may have found its word and taken it for left."""
    _put_all_in_place(sorted(asset_ids), store)
    store.files.delete(_word(run))


def put_left_in_place(store: Store) -> None:
    """The files of all that was announced by those who were killed before they came to it."""
    for name in store.files.list(_PLACING):
        if told := store.files.read_if_there(f"{_PLACING}/{name}"):
            _put_all_in_place(sorted(json.loads(told)), store)
        store.files.delete(f"{_PLACING}/{name}")


def _word(run: str) -> str:
    return f"{_PLACING}/{run.replace('/', '-')}.json"


def _put_all_in_place(asset_ids: Sequence[str], store: Store) -> None:
    for first in range(0, len(asset_ids), _AT_A_TIME):
        for asset_id, (preview,) in store.read(PREVIEWS, asset_ids[first : first + _AT_A_TIME]).items():
            _place(asset_id, preview, store)


def _place(asset_id: str, preview: Preview, store: Store) -> None:
    """Files under previews/ASSET_ID/: those of the preview and no others."""
    folder = f"previews/{asset_id}"
    for name in store.files.list(folder):
        if name not in preview.files:
            store.files.delete(f"{folder}/{name}")
    for name, key in preview.files.items():
        store.files.write(f"{folder}/{name}", store.files.read(key))


def restore_previews(store: Store) -> None:
    """Put the files under previews/ as the current snapshot has them, after a rollback changed which one that is."""
    kept = store.asset_ids(PREVIEWS)
    for asset_id in sorted(set(store.files.list("previews")) - set(kept)):
        store.files.clear(f"previews/{asset_id}")
    _put_all_in_place(kept, store)
