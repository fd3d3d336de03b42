"""What work took: seconds of wall, processors and accelerators, memory, and bytes, by whatever the work is called."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from steps.traces import span

if TYPE_CHECKING:
    from steps.files import Files


@dataclass(frozen=True, slots=True)
class Spent:
    """What a piece of work took; processor seconds are those of all threads of the process."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    gpu_s: float = 0.0  # wall seconds in which an accelerator was held for it
    read_bytes: int = 0  # from the store
    written_bytes: int = 0  # to it

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.wall_s + other.wall_s,
            self.cpu_s + other.cpu_s,
            self.gpu_s + other.gpu_s,
            self.read_bytes + other.read_bytes,
            self.written_bytes + other.written_bytes,
        )

    def __sub__(self, other: Spent) -> Spent:
        return self + Spent(-other.wall_s, -other.cpu_s, -other.gpu_s, -other.read_bytes, -other.written_bytes)


NOTHING = Spent()
_STATUS = Path("/proc/self/status")
_RSS_PER_MB = 2**20 if sys.platform == "darwin" else 2**10
_GPU = Path("/dev/nvidia0")  # a container has it only if it was given one


@dataclass(frozen=True, slots=True)
class TaskUse:
    """What one task of a run took, from the start of its process to the end of the step's body."""

    step: str
    task: str  # its id
    begun: float  # seconds since 1970
    spent: Spent
    peak_mb: float

    @property
    def ended(self) -> float:
        return self.begun + self.spent.wall_s


@dataclass(frozen=True, slots=True)
class StepUse:
    """What all tasks of a step took."""

    step: str
    tasks: int
    spent: Spent
    longest_s: float
    peak_mb: float  # of the task that held most


class Meter:
    """Counts what each kind of work takes alone: what it makes others do counts for them.

    `files`, if given, are those whose bytes are counted; no other thread may use them meanwhile.
    """

    def __init__(self, files: Files | None = None) -> None:
        self.spent: dict[str, Spent] = {}
        self._files = files

    @contextmanager
    def timed(self, name: str, *, gpu: bool = False) -> Iterator[None]:
        """Count the body for `name`, and trace it; `gpu` says that an accelerator is held meanwhile."""
        before, begun = total(self.spent), self._now()
        with span(name):
            yield
        alone = self._now() - begun - (total(self.spent) - before)
        self._add(name, replace(alone, gpu_s=alone.wall_s if gpu else 0.0))

    @contextmanager
    def moving(self, name: str) -> Iterator[None]:
        """Count for `name` only the bytes that the body moves: what is read is not work."""
        begun = self._moved()
        yield
        self._add(name, self._moved() - begun)

    def _add(self, name: str, spent: Spent) -> None:
        self.spent[name] = self.spent.get(name, NOTHING) + spent

    def _now(self) -> Spent:
        return Spent(time.perf_counter(), time.process_time()) + self._moved()

    def _moved(self) -> Spent:
        if self._files is None:
            return NOTHING
        return Spent(read_bytes=self._files.read_bytes, written_bytes=self._files.written_bytes)


def task_use(step: str, task: str, *, begun: float, files: Files) -> TaskUse:
    """What this process has taken until now as a task of a run; an accelerator counts as held if one is here."""
    wall_s = time.time() - begun
    gpu_s = wall_s if _GPU.exists() else 0.0
    spent = Spent(wall_s, time.process_time(), gpu_s, files.read_bytes, files.written_bytes)
    return TaskUse(step, task, begun, spent, peak_mb())


def peak_mb() -> float:
    """The most memory that this process, or a process that it started and waited for, ever held, in MB."""
    return max(_own_peak_mb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _RSS_PER_MB)


def _own_peak_mb() -> float:
    """What the kernel says of this program; `getrusage` would count what its parent held when it started it."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_PER_MB


def by_step(uses: Iterable[TaskUse]) -> tuple[StepUse, ...]:
    """What the steps of a run took, in the order in which they began."""
    steps: dict[str, list[TaskUse]] = {}
    for use in sorted(uses, key=lambda use: use.begun):
        steps.setdefault(use.step, []).append(use)
    return tuple(_step_use(name, its) for name, its in steps.items())


def _step_use(name: str, uses: Sequence[TaskUse]) -> StepUse:
    spent = reduce(Spent.__add__, (use.spent for use in uses))
    longest_s = max(use.spent.wall_s for use in uses)
    return StepUse(name, len(uses), spent, longest_s, max(use.peak_mb for use in uses))


def idle_s(uses: Iterable[TaskUse]) -> float:
    """Seconds between the first and the last task of a run in which none was at work: what orchestration takes."""
    idle, busy_until = 0.0, None
    for use in sorted(uses, key=lambda use: use.begun):
        if busy_until is not None:
            idle += max(0.0, use.begun - busy_until)
        busy_until = max(busy_until or use.ended, use.ended)
    return idle


def total(spent: Mapping[str, Spent]) -> Spent:
    """All kinds of work together."""
    return reduce(Spent.__add__, spent.values(), NOTHING)


def pooled(many: Iterable[Mapping[str, Spent]]) -> dict[str, Spent]:
    """What several pieces of work took, kind by kind."""
    pool: dict[str, Spent] = {}
    for spent in many:
        for name, one in spent.items():
            pool[name] = pool.get(name, NOTHING) + one
    return pool
