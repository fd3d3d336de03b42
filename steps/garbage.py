"""Garbage: what the store keeps and nothing needs any more.

Needed is what the snapshots that are kept refer to, what runs at work have staged, and what is young: a run may have
written it that has not said so yet. What a needed file refers to is needed as well (steps/references.py). Events, keys,
reports, records of runs and the index are not looked at.

| kind | is garbage when old and |
|---|---|
| snapshots | more, and older, than are asked for; rolling back ends at the oldest that is left |
| tables | a piece of no snapshot that is left |
| staging | of a run that has staged nothing for the time of grace: it died, and can no longer be resumed |
| previews | a copy of a file that the current preview does not have |
| proxies | a playable copy of no asset, or one as it is no longer made |
| rankers | older than asked for, not in use, not the newest, and no preview's choice |
| features | used by no asset, and no asset was heard before that was recorded |
| fetches | what was fetched from an address is garbage itself |
| leftovers | half of a file, whose writer was killed |
| blobs | none of all this refers to it |

They are deleted in this order, so that whatever is left when the deleting is killed refers to nothing that is gone.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from featurization.errors import StoreError
from ranking.saved import from_json
from steps import proxies, references, snapshots, staging
from steps.cache import USED
from steps.folder import STAGED
from steps.pieces import bucket_of
from steps.place import Found
from steps.previews import PREVIEWS
from steps.rankers import CHAMPION, RANKERS, known_rankers
from steps.settings import GarbageOptions
from steps.store import Store
from steps.tables import ASSETS, PROFILES

_OF_RUNS = ("snapshots", "tables", "staging")
KINDS = (*_OF_RUNS, "previews", "proxies", "rankers", "features", "fetches", "leftovers", "blobs")
_DAY_S, _HOUR_S = 86_400.0, 3_600.0


@dataclass(frozen=True)
class Findings:
    """What is garbage, by kind in the order of deletion, and what may be."""

    garbage: Mapping[str, tuple[Found, ...]]
    unowned: int  # features that stay because whose they are was not recorded when they were made
    oldest_kept: int  # number of the snapshot at which rolling back would end


def find_garbage(store: Store, options: GarbageOptions, *, now: float | None = None) -> Findings:
    """Look through the whole store; `now` is in seconds since 1970.

    StoreError if nothing was ever committed, or if something needed cannot be read: there is no telling then.
    """
    now = time.time() if now is None else now
    newest = store.current().number
    if not newest:
        raise StoreError(f"{store.url}: nothing was committed yet, so there is no telling what is needed")
    search = _Search(store, since=now - options.grace_h * _HOUR_S)
    cutoff = search.cutoff(newest, options, now)
    dead_runs, live_runs = search.staged()
    needed = search.needed_by(range(cutoff, newest + 1)) | references.in_staged(live_runs, store)
    dead_features, live_features, unowned = search.features(needed)
    needed |= references.in_features(live_features, store)
    dead_fetches, dead_blobs = search.fetches_and_blobs(needed)
    found = {
        "snapshots": sorted((f for f in store.files.walk(snapshots.FOLDER) if _number(f) < cutoff), key=_number),
        "tables": search.old("tables", needed),
        "staging": dead_runs,
        "previews": search.old("previews", _in_place(store)),
        "proxies": search.old(proxies.FOLDER, _proxies(store)),
        "rankers": _unused_rankers(store, now - options.keep_days * _DAY_S) if options.keep_days else [],
        "features": dead_features,
        "fetches": dead_fetches,
        "leftovers": search.leftovers(),
        "blobs": dead_blobs,
    }
    later = search.needed_by(range(newest + 1, store.current().number + 1))  # committed while we looked
    garbage = {kind: tuple(f for f in found[kind] if f.path not in later) for kind in KINDS}
    return Findings(garbage, unowned, cutoff)


def delete_garbage(findings: Findings, store: Store) -> None:
    """Delete what was found. What is left, wherever this is killed, refers to nothing that is gone."""
    for kind in KINDS:
        store.files.delete_all(found.path for found in findings.garbage[kind])


@dataclass(frozen=True)
class _Search:
    """Tells what is needed from what is not; what was written after `since` is."""

    store: Store
    since: float

    def walk(self, folder: str) -> Iterator[Found]:
        return self.store.files.walk(folder)

    def cutoff(self, newest: int, options: GarbageOptions, now: float) -> int:
        """The oldest snapshot that stays. All above it stay too: readers find the newest by counting."""
        made = {_number(found): found.modified for found in self.walk(snapshots.FOLDER)}
        oldest = next(n for n in range(newest, 0, -1) if n - 1 not in made)  # below may be what a killed deletion left
        if not (options.keep_days or options.keep_snapshots):
            return oldest
        since = min(self.since, now - options.keep_days * _DAY_S)
        current_since = min((n for n, when in made.items() if when >= since), default=newest) - 1
        return max(oldest, min(current_since, newest + 1 - max(options.keep_snapshots, 2)))

    def needed_by(self, numbers: Iterable[int]) -> set[str]:
        """What snapshots consist of, and what that refers to."""
        pieces = {key for number in numbers for key in self.store.keys(self.store.snapshots.read(number))}
        return pieces | references.in_pieces(pieces, self.store)

    def old(self, folder: str, needed: Container[str]) -> list[Found]:
        return [found for found in self.walk(folder) if found.modified < self.since and found.path not in needed]

    def staged(self) -> tuple[list[Found], list[str]]:
        """What dead runs have staged, and the keys of what the others have."""
        runs: dict[PurePosixPath, list[Found]] = {}
        for found in self.walk(staging.FOLDER):
            runs.setdefault(PurePosixPath(found.path).parent, []).append(found)
        dead = {run for run, files in runs.items() if all(found.modified < self.since for found in files)}
        live = [found.path for run in runs.keys() - dead for found in runs[run]]
        return [found for run in sorted(dead) for found in runs[run]], live

    def features(self, needed: Container[str]) -> tuple[list[Found], list[str], int]:
        """Those that are garbage, the keys of all others, and how many of these nobody is known to use."""
        unrecorded = set(self.store.asset_ids(PROFILES)) - set(self.store.asset_ids(USED))
        doubtful = {bucket_of(asset_id) for asset_id in unrecorded}  # the key of a feature has no more of its asset
        dead: list[Found] = []
        live: list[str] = []
        unowned = 0
        for found in self.walk("features"):
            unused = found.modified < self.since and found.path not in needed
            kept = unused and found.path.split("/")[2] in doubtful
            unowned += kept
            dead.extend([found] if unused and not kept else [])
            live.extend([] if unused and not kept else [found.path])
        return dead, live, unowned

    def fetches_and_blobs(self, needed: set[str]) -> tuple[list[Found], list[Found]]:
        """Memories of fetches, and blobs, that are garbage. A young memory keeps its blob; an old one does not."""
        fetches = {found.path: found for found in self.walk("fetches")}
        named = references.in_documents(fetches, self.store)
        recent = (keys for path, keys in named.items() if fetches[path].modified >= self.since)
        live, datasets = needed.union(*recent), self._datasets()
        unnamed = [f for f in self.walk("blobs") if f.path not in live and _digest(f)[:32] not in datasets]
        live |= {found.path for found in unnamed if found.modified >= self.since}
        forgotten = [f for path, f in fetches.items() if f.modified < self.since and not named[path] & live]
        return forgotten, [found for found in unnamed if found.path not in live]

    def _datasets(self) -> set[str]:
        """Digests of what the kept rankers learned from, as their lineages name it."""
        return {lineage.dataset for lineage in known_rankers(self.store)}

    def leftovers(self) -> list[Found]:
        """Halves of files in a local store. In a bucket, its own rule for unfinished uploads deletes them."""
        if not self.store.files.local:
            return []
        root = Path(self.store.files.root)
        halves = ((half.relative_to(root).as_posix(), half.stat()) for half in root.rglob(f"{STAGED}*"))
        return [Found(key, facts.st_size, facts.st_mtime) for key, facts in halves if facts.st_mtime < self.since]


def _number(snapshot: Found) -> int:
    return int(PurePosixPath(snapshot.path).stem)


def _digest(blob: Found) -> str:
    return PurePosixPath(blob.path).stem


def _in_place(store: Store) -> set[str]:
    """Keys of the copies that the current previews have."""
    table = store.columns(PREVIEWS, ["files"])
    previews = zip(table["asset_id"].to_pylist(), table["files"].to_pylist(), strict=True)
    return {f"previews/{asset_id}/{name}" for asset_id, files in previews for name, _ in files or ()}


def _proxies(store: Store) -> set[str]:
    """Keys of the playable copies of current assets."""
    return {proxies.proxy_key(asset) for assets in store.read(ASSETS).values() for asset in assets}


def _unused_rankers(store: Store, since: float) -> list[Found]:
    """Rankers from before, with their lineages, that nobody chose; the newest is what evaluations compare with."""
    kept = sorted(store.files.walk(RANKERS), key=lambda found: found.modified)
    chosen = {*store.columns(PREVIEWS, ["model"])["model"].to_pylist(), *map(_identity, kept[-1:])}
    if store.files.exists(CHAMPION):
        chosen.add(from_json(store.files.read(CHAMPION).decode()).identity)
    return [found for found in kept if found.modified < since and _identity(found) not in chosen]


def _identity(ranker: Found) -> str:
    return PurePosixPath(ranker.path).name.removesuffix(".json").removesuffix(".lineage")
