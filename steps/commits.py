"""The commits of a store, as its snapshots tell them: which run made each, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from steps.runs import FLOWS
from steps.snapshots import Snapshot
from steps.store import Store


@dataclass(frozen=True, slots=True)
class Commit:
    """One snapshot of the store's tables."""

    number: int
    run: str  # "FLOW/ID" of the run that made it, or "rollback of …"
    committed: datetime
    current: bool


def commits(store: Store, *, limit: int | None = None) -> list[Commit]:
    """The snapshots of the store, newest first; all, or so many."""
    newest = islice(store.snapshots.backwards(), limit)
    return [_commit(snapshot, store, current=not place) for place, snapshot in enumerate(newest)]


def _commit(snapshot: Snapshot, store: Store, *, current: bool) -> Commit:
    return Commit(snapshot.number, short_run(snapshot.run), committed(store, snapshot.number), current)


def committed(store: Store, number: int) -> datetime:
    """When a snapshot was committed, with its time zone."""
    return datetime.fromtimestamp(store.files.modified(f"snapshots/{number:08d}.json"), UTC).astimezone()


def short_run(pathspec: str) -> str:
    """`FLOW/ID` of a task's path; what is not a path of ours stays as it is."""
    head, _, path = pathspec.rpartition(" ")
    parts = path.split("/")
    short = "/".join(parts[:2]) if parts[0] in FLOWS else path
    return f"{head} {short}".strip()
