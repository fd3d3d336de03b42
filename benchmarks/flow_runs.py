"""The flows, run as a user runs them, in a store and a Metaflow datastore of their own."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import Cost, run_measured
from steps.store import ROOT, Store

EXIT_PARTIAL = 3  # a flow that quarantined something, flows/project_flow.py


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A finished run of one flow, and what it took."""

    flow: str
    run_id: str
    cost: Cost


@dataclass(frozen=True)
class FlowRunner:
    """Runs flows with everything they keep in `folder`. One task runs at a time, so that seconds add up."""

    folder: Path
    config: Path

    @property
    def store(self) -> Store:
        return Store(str(self.folder / "store"))

    @property
    def environment(self) -> dict[str, str]:
        """The caller's, without what would send runs or features elsewhere."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "RUSHES_OUT"))}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "RUSHES_STORE": self.store.url,
            "METAFLOW_USER": "benchmark",
            "METAFLOW_RUN_MAX_WORKERS": "1",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(self.folder),
        }

    def run(self, flow: str, *arguments: str) -> FlowRun:
        """Run `flows/FLOW.py run ARGUMENTS` to its end. Raises ProgramFailedError if it fails."""
        (self.folder / ".metaflow").mkdir(exist_ok=True)
        run_id = self.folder / "run_id"
        cost, _ = run_measured(
            [*self._command(flow), "run", "--run-id-file", str(run_id), *arguments],
            folder=self.folder,
            environment=self.environment,
            accepted=(0, EXIT_PARTIAL),
        )
        return FlowRun(flow, run_id.read_text().strip(), cost)

    def summary(self, run: FlowRun) -> Any:
        """The `summary` artifact of a run, as its flow's own command line gives it."""
        dumped = self.folder / "summary.pickle"
        arguments = ["dump", f"{run.run_id}/end", "--include", "summary", "--file", str(dumped)]
        run_measured([*self._command(run.flow), *arguments], folder=self.folder, environment=self.environment)
        tasks: dict[str, dict[str, Any]] = pickle.loads(dumped.read_bytes())
        return next(iter(tasks.values()))["summary"]

    def _command(self, flow: str) -> list[str]:
        return [str(ROOT / "flows" / f"{flow}.py"), "--config", "config", str(self.config.resolve())]
