"""`rushes runs`: what ran and how it ended, one run looked at closely, and its card."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from serving.commands.terminal import clock, console, counted, plain, print_json, safe, table
from serving.configured import settings
from steps.commits import Commit, commits
from steps.run_details import RunDetails, StepFacts, details, page, record_of
from steps.runs import FlowRun, find_run, recent_runs
from steps.store import Store

_STYLES = {"done": "green", "partial": "yellow", "failed": "red", "running": "cyan", "unfinished": "yellow"}
_WIDE = 100  # columns from which on a run's row says what it did


def show_runs(*, limit: int, as_json: bool) -> None:
    """Print the newest runs of the flows and the newest snapshots of the store."""
    store = Store()
    runs, snapshots = recent_runs(limit), commits(store, limit=limit)
    assets = {run.run: _assets(run.run, store) for run in runs}
    if as_json:
        rows = [{**_plain(run), "state": state(run), "assets": assets[run.run]} for run in runs]
        print_json({"runs": rows, "snapshots": _plain(snapshots)})
        return
    out = console()
    if not runs and not snapshots:
        out.print("nothing ran yet; try `rushes demo`")
    if runs:
        more = ("User", "Did") if out.width >= _WIDE else ()
        shown = [_run_row(run, assets[run.run])[: 5 + len(more)] for run in runs]
        out.print(table(("Run!", "State!", "Started!", "!>Took", "!>Assets", *more), shown, title="Runs"))
    if snapshots:
        made = [_commit_row(commit) for commit in snapshots]
        out.print(table((">Snapshot", "Committed!", "By", ""), made, title="Snapshots of the store"))


def show_run(name: str, *, as_json: bool) -> None:
    """Print one run: its steps, what it was asked, what it made, and what went wrong."""
    found = details(name, Store())
    if as_json:
        print_json({**_plain(found), "state": state(found.run)})
        return
    out, run = console(), found.run
    out.print(Text.assemble((run.run, "bold"), "  ", _styled(state(run))), soft_wrap=True)
    for label, text in _facts(found):
        out.print(f"[dim]{label:<11}[/]{safe(text)}", soft_wrap=True)
    columns = ("Step", "State!", "Started!", "!>Took", "!>Tasks", "!>Attempts")
    out.print(table(columns, [_step_row(step) for step in found.steps]))
    for step in found.steps:
        if step.error:
            out.print(f"[red]{safe(step.name)}[/]: {safe(step.error)}", soft_wrap=True)
    if found.report:
        for line in found.report.rstrip().splitlines():
            out.print(Text(line[: len(line) - len(line.lstrip())] + plain(line)), soft_wrap=True)


def show_card(name: str, *, out: Path | None) -> None:
    """Open the card of a run in a browser, or write it to `out`; without a browser, say where it lies."""
    run = find_run(name, done=False).run
    html = page(run)
    target = out or Path(tempfile.mkdtemp(prefix="rushes-card-")) / f"{run.replace('/', '-')}.html"
    target.write_text(html, encoding="utf-8")
    opened = out is None and _has_a_browser() and webbrowser.open(target.resolve().as_uri())
    console().print(f"{'opened' if opened else 'the card of ' + safe(run) + ' is'} {safe(str(target))}", soft_wrap=True)


def state(run: FlowRun) -> str:
    """How a run stands, in a word: done, partial (something was quarantined), failed, running or unfinished."""
    return "partial" if run.outcome == "partial" else run.status


def _has_a_browser() -> bool:
    """Whether somebody sits before a screen; a browser in the terminal is none."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt" or _is_a_mac())


def _is_a_mac() -> bool:
    return os.uname().sysname == "Darwin"


def _assets(run: str, store: Store) -> int | None:
    record = record_of(run, store)
    return record.effort.assets or None if record else None


def _facts(found: RunDetails) -> list[tuple[str, str]]:
    """What is told of a run before its steps, in lines of a label and a text."""
    run, prices = found.run, settings().prices
    took = "" if run.duration_s is None else f", took {clock(run.duration_s)}"
    facts = [("started", f"{_time(run.started)} by {run.user}{took}")]
    if run.seen:
        facts.append(("last seen", _time(run.seen)))
    if found.progress:
        facts.append(("progress", found.progress.describe().removeprefix(f"{run.run}: ")))
    facts.append(("asked", ", ".join(f"{key}={value}" for key, value in sorted(found.parameters.items()))))
    if found.record:
        effort = found.record.effort
        media = f"{counted(effort.assets, 'asset')}, {effort.media_s / 3600:.2f} h of media, " if effort.assets else ""
        facts.append(("cost", f"{media}{found.record.cost(prices):.4f} {prices.currency}"))
    snapshots = ", ".join(map(str, found.snapshots))
    facts += [("committed", f"snapshot {snapshots}" if snapshots else "nothing that the store's last commits name")]
    facts += [("tags", ", ".join(run.tags)), ("artifacts", ", ".join(found.artifacts)), ("trace", found.trace)]
    return [(label, text) for label, text in facts if text]


def _run_row(run: FlowRun, assets: int | None) -> tuple[str | Text, ...]:
    took = clock(run.duration_s) if run.duration_s is not None else ""
    did = run.did or (f"last seen {_time(run.seen)}" if run.seen else "")
    number = "" if assets is None else f"{assets:,}"
    return (run.run, _styled(state(run)), f"{run.started:%m-%d %H:%M}", took, number, run.user, did)


def _step_row(step: StepFacts) -> tuple[str | Text, ...]:
    took = "" if step.duration_s is None else clock(step.duration_s)
    tasks = str(step.tasks) if step.ended == step.tasks else f"{step.ended} of {step.tasks}"
    return (step.name, _styled(step.state), f"{step.started:%H:%M:%S}", took, tasks, str(step.attempts))


def _commit_row(commit: Commit) -> tuple[str, ...]:
    return (str(commit.number), _time(commit.committed), commit.run, "current" if commit.current else "")


def _styled(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    """What JSON can hold of rows: times as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(held) for name, held in asdict(value).items()}
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
