"""What ran and what it committed: the only reader of the flows' history."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from typing import Any, Literal

from featurization.errors import RushesError
from steps.store import ROOT, Snapshot, Store

FLOWS = ("IngestMedia", "FeaturizeMedia", "PublishPreviews", "TrainRanker", "EvaluateModels")
_LATEST = re.compile(r"latest(?:~(\d{1,6}))?")
_ID = re.compile(r"\w[\w.-]{0,200}")
_LISTED = "`rushes runs` lists them"
Status = Literal["done", "failed", "unfinished"]


class RunError(RushesError):
    """A run cannot be read as asked; the text says which can."""

    reason = "run"


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of one of our flows. An unfinished run is still at work, or its process was killed."""

    run: str  # "FLOW/ID"
    status: Status
    started: datetime
    duration_s: float | None  # None while unfinished
    outcome: str  # as the flow says it, such as "complete" or "partial"; empty unless done
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
    runs = [run for name in FLOWS for run in islice(_runs_of(name), limit)]
    runs.sort(key=lambda run: run.created_at, reverse=True)
    return [_flow_run(run) for run in runs[:limit]]


def latest(flow: str, *, back: int = 0) -> FlowRun | None:
    """The newest run of a flow that is done, or the one `back` before it; None if there is none."""
    done = (run for run in _runs_of(flow) if run.successful)
    run = next(islice(done, back, None), None)
    return _flow_run(run) if run else None


def find_run(text: str, *, among: Sequence[str] = FLOWS) -> FlowRun:
    """The run that is done and is called `text`: FLOW/ID, ID, FLOW/latest, or latest; latest~1 is the one before.

    `latest` alone is the newest of all flows in `among`, and `latest~1` the run of the same flow before it. Raises
    RunError if there is no such run, if it is of another flow or not done, or if the id alone says too little.
    """
    flow, _, name = text.strip().rpartition("/")
    if flow and flow not in among:
        raise RunError(_other_flow(text, flow, among))
    if found := _LATEST.fullmatch(name):
        return _latest_of([flow] if flow else among, int(found.group(1) or 0))
    run = _flow_run(_called(name, [flow] if flow else FLOWS))
    if (of := run.run.partition("/")[0]) not in among:
        raise RunError(_other_flow(run.run, of, among))
    if run.status != "done":
        raise RunError(f"{run.run} is {run.status}, and only a run that is done has results; {_LISTED}")
    return run


def _called(name: str, flows: Sequence[str]) -> Any:
    """The only run of these flows with this id."""
    runs = [run for flow in flows if _ID.fullmatch(name) and (run := _run(f"{flow}/{name}"))]
    if not runs:
        raise RunError(f"no run of {_either(flows)} is called {name[:80]!r}; {_LISTED}")
    if len(runs) > 1:
        raise RunError(
            f"several runs are called {name!r}: {', '.join(run.pathspec for run in runs)}; name the flow too"
        )
    return runs[0]


def _latest_of(flows: Sequence[str], back: int) -> FlowRun:
    newest = max(filter(None, map(latest, flows)), key=lambda run: run.started, default=None)
    if newest is None:
        raise RunError(f"no run of {_either(flows)} is done yet; {_LISTED}")
    run = latest(newest.run.partition("/")[0], back=back)
    if run is None:
        raise RunError(f"too few runs before {newest.run} are done for latest~{back}; {_LISTED}")
    return run


def _other_flow(run: str, flow: str, among: Sequence[str]) -> str:
    return f"{run[:80]} is a run of {flow[:80]}; name one of {_either(among)}"


def _either(flows: Sequence[str]) -> str:
    return f"{', '.join(flows[:-1])} or {flows[-1]}" if len(flows) > 1 else flows[0]


def artifact(run: str, name: str) -> Any:
    """What a run, "FLOW/ID", has under this name at its end; None if nothing.

    Raises RunError if this code cannot read it.
    """
    return _bound(_metaflow().Run(run), name)


def parameters(run: str) -> dict[str, Any]:
    """The parameters of a run, "FLOW/ID", by name; its configuration is none: the artifacts `config` and `profile`."""
    task = _metaflow().Run(run)["_parameters"].task
    return {held.id: held.data for held in task if held.id not in ("name", "config", "profile")}


def _bound(run: Any, name: str) -> Any:
    task = run["end"].task
    if name not in task:
        return None
    try:
        return task[name].data
    except Exception as error:  # a pickle of classes that were since renamed raises anything
        what = " ".join(f"{type(error).__name__}: {error}".split())
        way = "was written by another version of rushes; run it again"
        raise RunError(f"{run.pathspec}: {name} {way} ({what})") from error


def _run(pathspec: str) -> Any:
    """A run as Metaflow has it, or None."""
    metaflow = _metaflow()
    from metaflow.exception import MetaflowNotFound

    try:
        return metaflow.Run(pathspec)
    except MetaflowNotFound:
        return None


def _runs_of(flow: str) -> Iterator[Any]:
    """The runs of a flow, newest first; none if it never ran."""
    metaflow = _metaflow()
    return iter(metaflow.Flow(flow)) if flow in {known.id for known in metaflow.Metaflow()} else iter(())


def _metaflow() -> Any:
    """The client, seeing the runs of everybody, in the repository's datastore wherever it is called from.

    A task sees the datastore of its own run.
    """
    client: Any = import_module("metaflow")  # a quarter of a second, only for those who ask
    from metaflow.metaflow_config import DATASTORE_LOCAL_DIR, DATASTORE_SYSROOT_LOCAL

    client.namespace(None)
    ours = client.get_metadata().startswith("local@") and not DATASTORE_SYSROOT_LOCAL
    if ours and not client.current.is_running_flow and (ROOT / DATASTORE_LOCAL_DIR).is_dir():
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
        outcome=str(_bound(run, "outcome") or "") if status == "done" else "",
        user=next((tag.removeprefix("user:") for tag in run.tags if tag.startswith("user:")), ""),
    )


def _gave_up(task: Any) -> bool:
    """Whether the last attempt that began ended in an error; a caught error is none."""
    facts: dict[str, str] = task.metadata_dict
    return facts.get("attempt_ok") == "False" and facts.get("attempt") == facts.get("attempt-done")


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


def metaflow_facts() -> MetaflowFacts:
    """How Metaflow is configured; nothing is contacted."""
    metaflow = _metaflow()
    from metaflow.metaflow_config import DEFAULT_DATASTORE

    return MetaflowFacts(metaflow.__version__, metaflow.get_metadata(), DEFAULT_DATASTORE, _user())


def _user() -> str:
    """Who runs would belong to; flows stand in for root, whom Metaflow refuses."""
    names = (os.environ.get(name, "") for name in ("METAFLOW_USER", "SUDO_USER", "USERNAME", "USER"))
    return next((name for name in names if name and name != "root"), "rushes")
