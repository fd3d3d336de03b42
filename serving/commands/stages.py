"""Flows run one after another as a user would run them, one line on the console for each."""

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
from serving.commands.terminal import plain, safe
from steps.store import ROOT, Store

PARTIAL = 3  # exit status of a flow that quarantined something: flows/project_flow.py
_LAST_LINES = 12
_PATIENCE_S = 5  # what an interrupted flow gets to end its tasks
_TASK_LINE = re.compile(r"^\S+ \S+ \[\d+/(?P<step>\w+)/\d+ \(pid \d+\)\] (?P<text>.*)$")
_ROUTINE = ("Task is starting.", "Task finished successfully.")


class StageError(RushesError):
    """A flow failed; `last` is the end of its output."""

    reason = "flow"

    def __init__(self, message: str, last: Sequence[str]) -> None:
        super().__init__(message)
        self.last = last


@dataclass(frozen=True, slots=True)
class Stage:
    """One flow and its arguments: `options` stand before the command `run`, `arguments` behind it."""

    name: str
    what: str
    flow: str
    arguments: tuple[str, ...]
    options: tuple[str, ...] = ()


def absolute(store: Store) -> str:
    """The store's address, as good from every folder."""
    return store.files.root if store.files.local else store.url


def log_path(store: Store, name: str) -> Path:
    """Where the flows' output goes: into the store, or beside other temporary files if the store is remote."""
    folder = Path(store.files.root) if store.files.local else Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


@dataclass(frozen=True, slots=True)
class Stages:
    """Runs flows in one store, one line on the console for each."""

    out: Console
    store: Store
    log: Path

    def run(self, stage: Stage) -> bool:
        """Run one flow to its end; False if it had to quarantine something. Raises StageError."""
        started = time.monotonic()
        if not self.out.is_terminal:
            self.out.print(f"  {stage.name:<8} {stage.what} …")
        code, said = self._follow(stage)
        if code not in (0, PARTIAL):
            last = self.log.read_text(encoding="utf-8").splitlines()[-_LAST_LINES:]
            raise StageError(f"{stage.flow} failed with exit status {code}; its whole output is in {self.log}", last)
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
        command = [sys.executable, f"flows/{stage.flow}.py", *stage.options, "run", *stage.arguments]
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
