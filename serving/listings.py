"""`rushes assets` and `rushes runs`: what is in the store, and what brought it there."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from rich.text import Text

from serving.catalog import Entry, read_catalog
from serving.terminal import clock, console, print_json, safe, table
from steps.commits import Commit, commits
from steps.runs import FlowRun, recent_runs
from steps.store import Store

_STYLES = {"published": "green", "refused": "yellow", "quarantined": "red", "done": "green", "failed": "red"}


def show_assets(*, as_json: bool) -> None:
    """Print every asset of the store, and every source that never became one."""
    store = Store()
    entries = read_catalog(store).entries()
    if as_json:
        print_json([asdict(entry) for entry in entries])
    elif entries:
        console().print(table(("Id!", "Title", "Show", ">Length", "State!", "Why"), [_asset_row(e) for e in entries]))
    else:
        way = "python flows/ingest_media.py run --source samples/feed.xml"
        console().print(f"{safe(store.url)} is empty; fill it with `{way}`", soft_wrap=True)


def _asset_row(entry: Entry) -> tuple[str | Text, ...]:
    length = clock(entry.duration_s) if entry.duration_s else ""
    return (entry.asset_id, entry.title, entry.show, length, _styled(entry.state), entry.reason)


def _styled(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))


def show_runs(*, limit: int, as_json: bool) -> None:
    """Print the newest runs of the flows and the newest snapshots of the store."""
    runs, snapshots = recent_runs(limit), commits(Store(), limit=limit)
    if as_json:
        print_json({"runs": [_plain(run) for run in runs], "snapshots": [_plain(commit) for commit in snapshots]})
        return
    out = console()
    if not runs and not snapshots:
        out.print("nothing ran yet; try `rushes demo`")
    if runs:
        columns = ("Run!", "Status!", "Started!", ">Took", "Outcome!", "User")
        out.print(table(columns, [_run_row(run) for run in runs], title="Runs"))
    if snapshots:
        rows = [_commit_row(commit) for commit in snapshots]
        out.print(table((">Snapshot", "Committed!", "By", ""), rows, title="Snapshots of the store"))


def _plain(row: FlowRun | Commit) -> dict[str, object]:
    return {
        name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
        for name, value in asdict(row).items()
    }


def _run_row(run: FlowRun) -> tuple[str | Text, ...]:
    took = clock(run.duration_s) if run.duration_s is not None else ""
    return (run.run, _styled(run.status), f"{run.started:%Y-%m-%d %H:%M:%S}", took, run.outcome, run.user)


def _commit_row(commit: Commit) -> tuple[str, ...]:
    when = f"{commit.committed:%Y-%m-%d %H:%M:%S}"
    return (str(commit.number), when, commit.run, "current" if commit.current else "")
