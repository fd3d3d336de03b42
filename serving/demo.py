"""The main job on the bundled samples, a feed and a film: four flows, one after another, as a user would run them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from featurization.errors import RushesError
from featurization.media import Asset
from serving.terminal import console, counted, plain, safe
from steps.store import ROOT, Store
from steps.tables import ASSETS

STORE = ROOT / ".rushes-demo"
FEED = "samples/feed.xml"
FILM = "samples/film/manifest.csv"
_LAST_LINES = 12
_PARTIAL = 3  # exit status of a flow that quarantined something: flows/project_flow.py
_PATIENCE_S = 5  # what an interrupted flow gets to end its tasks
_TASK_LINE = re.compile(r"^\S+ \S+ \[\d+/(?P<step>\w+)/\d+ \(pid \d+\)\] (?P<text>.*)$")
_ROUTINE = ("Task is starting.", "Task finished successfully.")


class DemoError(RushesError):
    """A flow of the demo failed; `last` is the end of its output."""

    reason = "demo"

    def __init__(self, message: str, last: Sequence[str]) -> None:
        super().__init__(message)
        self.last = last


@dataclass(frozen=True, slots=True)
class Stage:
    """One flow of the demo and its arguments."""

    name: str
    what: str
    flow: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What the demo worked on, and whether all of it came through."""

    asset_ids: tuple[str, ...]
    complete: bool
    seconds: float


def run_demo() -> int:
    """Run the demo and show what came out; returns the exit status."""
    from serving.catalog import read_catalog
    from serving.demo_summary import show_results, show_where

    store = Store(os.environ.get("RUSHES_STORE") or str(STORE))
    out, log = console(), log_path(store)
    what = "three short episodes and a film become previews and teach a ranker"
    out.print(f"[bold]rushes demo[/]: {what}, in {safe(absolute(store))}")
    out.print("[dim]two to four minutes the first time, on two cores[/]\n")
    try:
        done = demonstrate(store, log, out=out)
    except DemoError as failure:
        for line in failure.last:
            console(stderr=True).print(f"  [dim]│[/] {safe(line)}", soft_wrap=True)
        raise
    catalog = read_catalog(store)
    published = show_results(done, catalog, console=out)
    show_where(published, store, log=log, console=out)
    out.print(f"\n{counted(len(published), 'preview')} in {done.seconds:.0f} s")
    return 1 if not published else 0 if done.complete else _PARTIAL


def demonstrate(store: Store, log: Path, *, out: Console) -> Demonstrated:
    """Take the sample feed and film to previews, and train a ranker; the flows' output goes to `log`.

    What is done already is not done again. Raises DemoError if a flow fails.
    """
    started = time.monotonic()
    log.write_text("", encoding="utf-8")
    stages = Stages(out, store, log)
    complete = stages.run(Stage("Ingest", "read the feed, fetch and check", "ingest_media", ("--source", FEED)))
    complete &= stages.run(Stage("Ingest", "read the film", "ingest_media", ("--source", FILM)))
    asset_ids = tuple(asset_id for asset_id, (asset,) in store.read(ASSETS).items() if _is_sample(asset))
    mine = ("--assets", ",".join(asset_ids))
    complete &= stages.run(Stage("Analyse", "words, speakers, topics, ads, shots; index", "featurize_media", mine))
    complete &= stages.run(Stage("Publish", "rank, gate, cut and master", "publish_previews", mine))
    complete &= stages.run(Stage("Train", "a ranker, from the publisher's soundbites", "train_ranker", ()))
    return Demonstrated(asset_ids, complete, time.monotonic() - started)


def _is_sample(asset: Asset) -> bool:
    return asset.feed == FEED or Path(asset.source).parent == (ROOT / FILM).parent


def absolute(store: Store) -> str:
    """The store's address, as good from every folder."""
    return store.files.root if store.files.local else store.url


def log_path(store: Store) -> Path:
    """Where the flows' output goes: into the store, or beside other temporary files if the store is remote."""
    folder = Path(store.files.root) if store.files.local else Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "rushes-demo.log"


@dataclass(frozen=True, slots=True)
class Stages:
    """Runs flows in one store, one line on the console for each."""

    out: Console
    store: Store
    log: Path

    def run(self, stage: Stage) -> bool:
        """Run one flow to its end; False if it had to quarantine something. Raises DemoError."""
        started = time.monotonic()
        if not self.out.is_terminal:
            self.out.print(f"  {stage.name:<8} {stage.what} …")
        code, said = self._follow(stage)
        if code not in (0, _PARTIAL):
            last = self.log.read_text(encoding="utf-8").splitlines()[-_LAST_LINES:]
            raise DemoError(f"{stage.flow} failed with exit status {code}; its whole output is in {self.log}", last)
        mark = "[yellow]![/]" if code else "[green]✓[/]"
        took = f"{time.monotonic() - started:4.0f} s"
        self.out.print(f"{mark} [bold]{stage.name:<8}[/] {stage.what:<40} {took}   [dim]{safe(said)}[/]")
        return code == 0

    def _follow(self, stage: Stage) -> tuple[int, str]:
        """Exit status of the flow, and the first line that its last step said."""
        said = ""
        with self._progress() as progress, self.log.open("a", encoding="utf-8") as log, self._started(stage) as flow:
            shown = progress.add_task(stage.what, total=None, stage=stage.name, step="")
            for line in flow.stdout or ():
                log.write(line)
                if task := _TASK_LINE.match(line):
                    progress.update(shown, step=f"step {task['step']}")
                    if task["step"] == "end" and task["text"] not in _ROUTINE:
                        said = said or plain(task["text"])
        return flow.returncode, said

    def _progress(self) -> Progress:
        """A spinner, the stage and its seconds, gone when the stage is over; nothing where nobody looks."""
        stage = TextColumn("[bold]{task.fields[stage]:<8}[/] {task.description:<40}")
        columns = (SpinnerColumn(), stage, TimeElapsedColumn(), TextColumn("[dim]{task.fields[step]}[/]"))
        return Progress(*columns, console=self.out, transient=True, disable=not self.out.is_terminal)

    @contextmanager
    def _started(self, stage: Stage) -> Iterator[subprocess.Popen[str]]:
        """The flow as a process that ends with us, however we end."""
        command = [sys.executable, f"flows/{stage.flow}.py", "run", *stage.arguments]
        environment = {**os.environ, "RUSHES_STORE": absolute(self.store), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            encoding="utf-8",
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
            process.wait()
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Let an interrupted flow stop its tasks: a terminal told it already, otherwise we do."""
    for nudge in (None, signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            break
        if nudge:
            process.send_signal(nudge)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
    if process.stdout:
        process.stdout.close()
