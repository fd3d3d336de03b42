"""Programs run for their cost: wall seconds, CPU seconds, and the memory of the largest process among them.

Peak memory is what the kernel kept for the finished process tree (wait4): the largest resident set that any single
process of it ever had, not their sum. A process counts at least as much as the one that started it, so whoever
measures must stay small.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from featurization.errors import RushesError

LAST_LINES = 12


class ProgramFailedError(RushesError):
    """A measured program failed; the message carries the end of what it said."""

    reason = "benchmark"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program took, with all the processes that it started."""

    wall_s: float
    cpu_s: float
    peak_mb: float  # largest resident set of a single process, in 10^6 bytes

    def figures(self) -> dict[str, float]:
        """The same by name."""
        return {"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_mb": self.peak_mb}


def run_measured(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], accepted: Sequence[int] = (0,)
) -> tuple[Cost, str]:
    """Run this Python with `arguments` in `folder`; its cost and its standard output.

    Raises ProgramFailedError if its exit status is none of the `accepted`.
    """
    said, complained = folder / "stdout.txt", folder / "stderr.txt"
    started = time.perf_counter()
    with said.open("wb") as out, complained.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, stdout=out, stderr=err, stdin=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        ends = [text.read_text(errors="replace").splitlines()[-LAST_LINES:] for text in (said, complained)]
        last = "\n".join(line for end in ends for line in end)
        raise ProgramFailedError(f"{' '.join(arguments[:3])} failed with exit status {process.returncode}:\n{last}")
    unit = 1 if sys.platform == "darwin" else 1024
    cost = Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)
    return cost, said.read_text()


def run_peer(module: str, *arguments: str, folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run `python -m benchmarks.MODULE`: the figures that it prints, and its cost.

    `failed` says why instead, if it did: a peer that cannot do the job is a result.
    """
    try:
        cost, printed = run_measured(["-m", f"benchmarks.{module}", *arguments], folder=folder, environment=environment)
    except ProgramFailedError as error:
        return {"failed": str(error)}
    return {**json.loads(printed.splitlines()[-1]), **cost.figures()}
