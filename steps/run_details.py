"""One run, looked at closely: its steps, what it was asked for, what it left, and what went wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from featurization.errors import ConfigError
from steps.commits import commits
from steps.costs import FOLDER as RECORDS
from steps.costs import RunRecord
from steps.options import build
from steps.progress import RunProgress, read_progress
from steps.runs import FlowRun, RunError, cards, find_run, gave_up, opened, parameters
from steps.store import Store
from steps.traces import trace_id

StepState = Literal["done", "failed", "running", "unfinished"]
_COMMITS_LOOKED_AT = 200
_PAGE = "html"  # the artifact that every flow with a card shows on it


@dataclass(frozen=True, slots=True)
class StepFacts:
    """All tasks of one step."""

    name: str
    state: StepState
    tasks: int
    ended: int
    attempts: int  # that the task with the most needed
    started: datetime
    duration_s: float | None  # from its first task's start to its last task's end; None until then
    error: str = ""  # of the first task that gave up, in one line


@dataclass(frozen=True)
class RunDetails:
    """What is known of one run."""

    run: FlowRun
    steps: tuple[StepFacts, ...]  # in the order in which they began
    parameters: dict[str, str]
    artifacts: tuple[str, ...]  # that it left, by name
    report: str  # as it told it at its end
    snapshots: tuple[int, ...]  # that it committed
    progress: RunProgress | None  # while it is at work
    record: RunRecord | None  # what it took, once it is committed
    trace: str  # the id under which its tasks are traced


def details(name: str, store: Store) -> RunDetails:
    """The run that is called `name`, as `find_run` takes it, whatever became of it. RunError if there is none."""
    run = find_run(name, done=False)
    held = opened(run.run)
    steps = sorted((_step(step, run) for step in held), key=lambda step: step.started)
    asked = parameters(run.run)
    ours = [a.id for a in held.end_task or () if not a.id.startswith("_")]
    made = commits(store, limit=_COMMITS_LOOKED_AT)
    return RunDetails(
        run=run,
        steps=tuple(steps),
        parameters={key: str(value) for key, value in asked.items()},
        artifacts=tuple(sorted(set(ours) - asked.keys() - {"name", "config", "profile"})),
        report=str(held.end_task["report"].data) if "report" in ours else "",
        snapshots=tuple(sorted(commit.number for commit in made if commit.run == run.run)),
        progress=read_progress(store, run.run) if run.status != "done" else None,
        record=record_of(run.run, store),
        trace=trace_id(run.run),
    )


def record_of(run: str, store: Store) -> RunRecord | None:
    """What a run, "FLOW/ID", took, as it kept it; None if it kept nothing, or another version of rushes did."""
    data = store.files.read_if_there(f"{RECORDS}/{run}.json")
    try:
        return build(RunRecord, json.loads(data)) if data else None
    except (ConfigError, TypeError):
        return None


def _step(step: Any, run: FlowRun) -> StepFacts:
    tasks = list(step)
    facts = [task.metadata_dict for task in tasks]
    ended = [task.finished_at for task in tasks]
    failed = [task for task in tasks if gave_up(task)]
    started = min(task.created_at for task in tasks)
    whole = all(ended)
    return StepFacts(
        name=step.id,
        state=_state(run, failed=bool(failed), whole=whole),
        tasks=len(tasks),
        ended=sum(end is not None for end in ended),
        attempts=max(int(fact.get("attempt", 0)) for fact in facts) + 1,
        started=started.astimezone(),
        duration_s=(max(ended) - started).total_seconds() if whole else None,
        error=_error(failed[0]) if failed else "",
    )


def _state(run: FlowRun, *, failed: bool, whole: bool) -> StepState:
    if failed:
        return "failed"
    if whole:
        return "done"
    return "running" if run.status == "running" else "unfinished"


def _error(task: Any) -> str:
    """The last line of what a task died of, else of what it wrote to standard error."""
    told = str(task["_exception"].data or "") if "_exception" in task else ""
    lines = [line.strip() for line in (told or task.stderr or "").splitlines() if line.strip()]
    return lines[-1] if lines else "it died without a word; see its log, or that of the machine"


def page(run: str) -> str:
    """The page that is shown as the card of a run, "FLOW/ID", as HTML. RunError if it has none (yet)."""
    held = opened(run)
    tasks = sorted((task for step in held for task in step), key=lambda task: task.created_at)
    for task in reversed(tasks):
        if _PAGE in task and (html := task[_PAGE].data):
            return str(html)
    if shown := next(filter(None, map(cards, reversed(tasks))), None):  # that of a task that is still at work
        return shown[-1]
    raise RunError(f"{run} has no card: its flow makes none, or the step that makes it has not ended")
