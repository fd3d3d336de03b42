"""The main job on the bundled sample: three flows, one after another, as a user would run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from featurization.errors import RushesError
from serving.terminal import plain
from steps.store import ROOT, Store
from steps.tables import ASSETS

STORE = ROOT / ".rushes-demo"
SOURCE = "samples/feed.xml"
LAST_LINES = 12
_PARTIAL = 3  # exit status of a flow that quarantined something: flows/project_flow.py
_TASK = re.compile(r"^\S+ \S+ \[\d+/(?P<step>\w+)/\d+ \(pid \d+\)\] (?P<text>.*)$")
_STARTING, _ENDING = "Task is starting.", "Task finished successfully."


class DemoFailed(RushesError):
    """A flow of the demo failed; the message carries the end of its output."""

    reason = "demo"


@dataclass(frozen=True, slots=True)
class Stage:
    """One flow of the demo."""

    name: str
    what: str
    flow: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Stages:
    """Runs stages in one store, with their whole output in one log."""

    console: Console
    store: Store
    log: Path

    def run(self, stage: Stage) -> bool:
        """Run one flow to its end; False if it had to quarantine something. Raises DemoFailed."""
        started = time.monotonic()
        label = f"{stage.name:<8} {stage.what}"
        if not self.console.is_terminal:
            self.console.print(f"  {label} …")
        with self.console.status(label) as status:
            code, summary = self._follow(stage, label, status, started)
        if code not in (0, _PARTIAL):
            raise DemoFailed(self._complaint(stage, code))
        mark = "[green]✓[/]" if code == 0 else "[yellow]![/]"
        took = f"{time.monotonic() - started:.0f} s"
        self.console.print(f"{mark} [bold]{stage.name:<8}[/] {stage.what:<50} {took:>6}   [dim]{escape(summary)}[/]")
        return code == 0

    def _follow(self, stage: Stage, label: str, status: Status, started: float) -> tuple[int, str]:
        """Exit status of the flow, and the first line that its last step said."""
        command = [sys.executable, f"flows/{stage.flow}.py", "run", *stage.arguments]
        environment = {**os.environ, "RUSHES_STORE": self.store.url, "PYTHONUNBUFFERED": "1"}
        summary = ""
        with (
            self.log.open("a", encoding="utf-8") as log,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                if task := _TASK.match(line):
                    status.update(f"{label} [dim]· {task['step']} · {time.monotonic() - started:.0f} s[/]")
                    if task["step"] == "end" and task["text"] not in (_STARTING, _ENDING):
                        summary = summary or plain(task["text"])
        return process.returncode, summary

    def _complaint(self, stage: Stage, code: int) -> str:
        last = self.log.read_text(encoding="utf-8").splitlines()[-LAST_LINES:]
        self.console.print("\n".join(f"  [dim]│[/] {escape(plain(line))}" for line in last))
        return f"demo: {stage.flow} failed with exit status {code}; its whole output is in {self.log}"
