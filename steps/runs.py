"""What ran, and how it ended: the only reader of the flows' history."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import chdir, nullcontext
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import islice
from typing import Any, Literal

from featurization.errors import RushesError
from steps.run_life import at_work
from steps.store import ROOT

FLOWS = (
    "IngestMedia",
    "FeaturizeMedia",
    "PublishPreviews",
    "TrainRanker",
    "TrainTagger",
    "TrainDetectors",
    "EvaluateModels",
)
_LATEST = re.compile(r"latest(?:~(\d{1,6}))?")
_ID = re.compile(r"\w[\w.-]{0,200}")
_LISTED = "`rushes runs` lists them"
Status = Literal["done", "failed", "running", "unfinished"]


class RunError(RushesError):
    """A run cannot be read as asked; the text says which can."""

    reason = "run"


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of one of our flows. An unfinished run was killed, as far as can be seen from here."""

    run: str  # "FLOW/ID"
    status: Status
    started: datetime
    duration_s: float | None  # None while it is running, or if nobody knows when it died
    outcome: str  # as the flow says it, such as "complete" or "partial"; empty unless done
    user: str
    did: str = ""  # the first line of its report; empty unless done
    tags: tuple[str, ...] = ()  # that people gave it
    seen: datetime | None = None  # the last sign of life, unless done


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


def latest(flow: str, *, back: int = 0, done: bool = True) -> FlowRun | None:
    """The newest run of a flow that is `done`, or the one `back` before it; None if there is none."""
    runs = (run for run in _runs_of(flow) if not done or run.successful)
    run = next(islice(runs, back, None), None)
    return _flow_run(run) if run else None


def find_run(text: str, *, among: Sequence[str] = FLOWS, done: bool = True) -> FlowRun:
    """The run that is `done` and is called `text`: FLOW/ID, ID, FLOW/latest, or latest; latest~1 is the one before.

    `latest` alone is the newest of all flows in `among`, and `latest~1` the run of the same flow before it. Raises
    RunError if there is no such run, if it is of another flow or not done, or if the id alone says too little.
    """
    flow, _, name = text.strip().rpartition("/")
    if flow and flow not in among:
        raise RunError(_other_flow(text, flow, among))
    if found := _LATEST.fullmatch(name):
        return _latest_of([flow] if flow else among, int(found.group(1) or 0), done)
    run = _flow_run(_called(name, [flow] if flow else FLOWS))
    if (of := run.run.partition("/")[0]) not in among:
        raise RunError(_other_flow(run.run, of, among))
    if done and run.status != "done":
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


def _latest_of(flows: Sequence[str], back: int, done: bool) -> FlowRun:
    known = (latest(flow, done=done) for flow in flows)
    newest = max(filter(None, known), key=lambda run: run.started, default=None)
    are = "are done" if done else "are known"
    if newest is None:
        raise RunError(f"no run of {_either(flows)} is {'done' if done else 'known'} yet; {_LISTED}")
    run = latest(newest.run.partition("/")[0], back=back, done=done)
    if run is None:
        raise RunError(f"too few runs before {newest.run} {are} for latest~{back}; {_LISTED}")
    return run


def _other_flow(run: str, flow: str, among: Sequence[str]) -> str:
    return f"{run[:80]} is a run of {flow[:80]}; name one of {_either(among)}"


def _either(flows: Sequence[str]) -> str:
    return f"{', '.join(flows[:-1])} or {flows[-1]}" if len(flows) > 1 else flows[0]


def opened(run: str) -> Any:
    """A run, "FLOW/ID", as Metaflow's client has it."""
    return _metaflow().Run(run)


def artifact(run: str, name: str) -> Any:
    """What a run, "FLOW/ID", has under this name at its end; None if nothing.

    Raises RunError if this code cannot read it.
    """
    return _bound(opened(run), name)


def parameters(run: str) -> dict[str, Any]:
    """The parameters of a run, "FLOW/ID", by name; its configuration is none: the artifacts `config` and `profile`."""
    task = opened(run)["_parameters"].task
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
    end = run.end_task
    if end is not None and end.successful:
        return _as_flow_run(run, "done", until=end.finished_at, outcome=_said(end, "outcome"), did=_said(end, "report"))
    tasks = [task for step in run for task in step]
    seen = max([run.created_at, *(task.finished_at or task.created_at for task in tasks)])
    if any(map(gave_up, tasks)):
        return _as_flow_run(run, "failed", until=seen, seen=seen)
    return _as_flow_run(run, "running" if _alive(run, seen) else "unfinished", seen=seen)


def _as_flow_run(
    run: Any,
    status: Status,
    *,
    until: datetime | None = None,
    seen: datetime | None = None,
    outcome: str = "",
    did: str = "",
) -> FlowRun:
    return FlowRun(
        run=run.pathspec,
        status=status,
        started=run.created_at.astimezone(),
        duration_s=(until - run.created_at).total_seconds() if until else None,
        outcome=outcome,
        user=next((tag.removeprefix("user:") for tag in run.tags if tag.startswith("user:")), ""),
        did=did.strip().partition("\n")[0],
        tags=tuple(sorted(run.user_tags)),
        seen=seen.astimezone() if seen else None,
    )


def _said(task: Any, name: str) -> str:
    return str(task[name].data or "") if name in task else ""


def _alive(run: Any, seen: datetime) -> bool:
    beat = (run._object or {}).get("last_heartbeat_ts")  # only a Metaflow service has it
    local = _metaflow().get_metadata().startswith("local@")
    return at_work(run.id, heartbeat=float(beat) if beat else None, seen=seen.timestamp(), local=local)


def gave_up(task: Any) -> bool:
    """Whether the last attempt at a task that began ended in an error; a caught error is none."""
    facts: dict[str, str] = task.metadata_dict
    return facts.get("attempt_ok") == "False" and facts.get("attempt") == facts.get("attempt-done")


def cards(task: Any) -> list[str]:
    """The cards of a task as HTML, those that it drew last at the end; none if it has none."""
    from metaflow.cards import get_cards
    from metaflow.exception import MetaflowException

    folder = _metaflow().get_metadata().partition("local@")[2]
    try:
        with chdir(folder) if folder else nullcontext():  # where cards are local, they are looked for here alone
            return [card.get() for card in get_cards(task)]
    except MetaflowException:
        return []


def metaflow_facts() -> MetaflowFacts:
    """How Metaflow is configured; nothing is contacted."""
    metaflow = _metaflow()
    from metaflow.metaflow_config import DEFAULT_DATASTORE

    return MetaflowFacts(metaflow.__version__, metaflow.get_metadata(), DEFAULT_DATASTORE, _user())


def _user() -> str:
    """Who runs would belong to; flows stand in for root, whom Metaflow refuses."""
    names = (os.environ.get(name, "") for name in ("METAFLOW_USER", "SUDO_USER", "USERNAME", "USER"))
    return next((name for name in names if name and name != "root"), "rushes")
