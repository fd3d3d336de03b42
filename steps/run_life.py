"""Whether a run that has not ended is still at work, as far as can be told from here."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

HEARTBEAT_S = 120.0  # without one for longer, a run that a Metaflow service watches is dead
QUIET_S = 900.0  # without any sign of life for longer, a run on another machine is taken for dead
BETWEEN_TASKS_S = 3.0  # in which a run on this machine has no process that names it
_PROCESSES = Path("/proc")


def at_work(run_id: str, *, heartbeat: float | None, seen: float, local: bool) -> bool:
    """By its heartbeat, if a service has one; by its processes, if it is `local`; else by its last sign of life.

    `heartbeat` and `seen` are seconds since 1970.
    """
    now = time.time()
    if heartbeat is not None:
        return now - heartbeat < HEARTBEAT_S
    if local and _PROCESSES.is_dir():
        return now - seen < BETWEEN_TASKS_S or has_a_process(run_id)
    return now - seen < QUIET_S


def has_a_process(run_id: str) -> bool:
    """Whether a process of this machine is a task of the run."""
    wanted = f"--run-id\0{run_id}\0".encode()
    for process in _PROCESSES.glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if wanted in process.read_bytes():
                return True
    return False
