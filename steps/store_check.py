"""Whether a store can be used, asked before any work: what is wrong is told in one line, not after ten hours."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from featurization.errors import StoreError
from steps.files import Files
from steps.store import Store

ATTEMPTS = 3  # of a request; who waits for an answer to come before the work need not wait as long as the work may
LEAST_FREE_BYTES = 50_000_000


def check_store(store: Store) -> None:
    """Create, create again, read, list and remove a small file. StoreError says what is wrong and what to do."""
    files, key, data = Files(store.url, attempts=ATTEMPTS), f"check-{uuid.uuid4().hex}.txt", b"written to try it"
    files.create(key, data)
    try:
        _check_exclusive(files, key, store.url)
        if files.read(key) != data or key not in files.list(""):
            raise StoreError(f"{store.url}: what was written is not what is read or listed; it is no place for a store")
    except StoreError:
        with suppress(StoreError):
            files.delete(key)
        raise
    files.delete(key)
    if files.exists(key):  # who may not list a bucket is told of no file that it is not there
        raise StoreError(f"{store.url}: what was removed is still there; it is no place for a store")
    if files.local:
        _check_space(Path(files.root))


def _check_exclusive(files: Files, key: str, url: str) -> None:
    if files.create(key, b"written over"):
        raise StoreError(
            f"{url}: its endpoint ignores If-None-Match, so runs that commit at once would lose each other's work; "
            "use AWS S3, or a release of your server that knows conditional writes"
        )


def _check_space(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE_BYTES:
        raise StoreError(f"{root}: {free / 1e6:.0f} MB of space are left; free some or point RUSHES_STORE elsewhere")
