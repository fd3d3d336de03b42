"""What ran and what it committed: the only reader of the flows' history."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import islice
from typing import Any, Literal

from steps.store import ROOT, Snapshot, Store

FLOWS = ("IngestMedia", "FeaturizeMedia", "PublishPreviews")
Status = Literal["done", "failed", "unfinished"]


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of one of our flows. An unfinished run is still at work, or its process was killed."""

    run: str  # "FLOW/ID"
    status: Status
    started: datetime
    duration_s: float | None  # None while unfinished
    outcome: str  # "complete" or "partial"; empty unless done
    user: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One snapshot of the store's tables."""

    number: int
    run: str  # "FLOW/ID" of the run that made it, or "rollback of …"
    committed: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class MetaflowFacts:
    """Where Metaflow keeps runs, as configured on this machine."""

    version: str
    metadata: str  # "local@/folder" or "service@URL"
    datastore: str
    user: str


def recent_runs(limit: int = 20) -> list[FlowRun]:
    """The latest runs of all flows by all users, newest first."""
    metaflow = _metaflow()
    known = {flow.id for flow in metaflow.Metaflow()}
    runs = [run for name in FLOWS if name in known for run in islice(metaflow.Flow(name), limit)]
    runs.sort(key=lambda run: run.created_at, reverse=True)
    return [_flow_run(run) for run in runs[:limit]]


def _metaflow() -> Any:
    """The client, seeing the runs of everybody, in the repository's datastore wherever it is called from."""
    client: Any = import_module("metaflow")  # a quarter of a second, only for those who ask
    from metaflow.metaflow_config import DATASTORE_SYSROOT_LOCAL

    client.namespace(None)
    if client.get_metadata().startswith("local@") and not DATASTORE_SYSROOT_LOCAL:
        client.metadata(f"local@{ROOT}")
    return client


def _flow_run(run: Any) -> FlowRun:
    tasks = [task for step in run for task in step]
    ended = [task.finished_at for task in tasks if task.finished_at]
    status: Status = "done" if run.successful else "failed" if any(map(_gave_up, tasks)) else "unfinished"
    until = run.finished_at or max(ended, default=None)
    return FlowRun(
        run=run.pathspec,
        status=status,
        started=run.created_at.astimezone(),
        duration_s=(until - run.created_at).total_seconds() if until and status != "unfinished" else None,
        outcome=str(run["end"].task["summary"].data.outcome) if status == "done" else "",
        user=next((tag.removeprefix("user:") for tag in run.tags if tag.startswith("user:")), ""),
    )


def _gave_up(task: Any) -> bool:
    """Whether the last attempt that began ended in an error; a caught error is none."""
    facts: dict[str, str] = task.metadata_dict
    return facts.get("attempt_ok") == "False" and facts.get("attempt") == facts.get("attempt-done")


def commits(store: Store) -> list[Commit]:
    """The snapshots of the store, newest first."""
    history = store.history()
    return [_commit(snapshot, store, current=snapshot is history[-1]) for snapshot in reversed(history)]


def _commit(snapshot: Snapshot, store: Store, *, current: bool) -> Commit:
    when: datetime = store.files.fs.modified(store.files.path(f"snapshots/{snapshot.number:08d}.json"))
    return Commit(snapshot.number, short_run(snapshot.run), when.astimezone(), current)


def short_run(pathspec: str) -> str:
    """`FLOW/ID` of a task's path; what is not a path of ours stays as it is."""
    head, _, path = pathspec.rpartition(" ")
    parts = path.split("/")
    short = "/".join(parts[:2]) if parts[0] in FLOWS else path
    return f"{head} {short}".strip()


def metaflow_facts() -> MetaflowFacts:
    """How Metaflow is configured; nothing is contacted."""
    metaflow = _metaflow()
    from metaflow.metaflow_config import DEFAULT_DATASTORE

    return MetaflowFacts(metaflow.__version__, metaflow.get_metadata(), DEFAULT_DATASTORE, _user())


def _user() -> str:
    """Who runs would belong to; flows stand in for root, whom Metaflow refuses."""
    names = (os.environ.get(name, "") for name in ("METAFLOW_USER", "SUDO_USER", "USERNAME", "USER"))
    return next((name for name in names if name and name != "root"), "rushes")
