"""What work took: wall, processor and accelerator seconds, by whatever the work is called."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from steps.traces import span


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that a piece of work took; processor seconds are those of all threads of the process."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    gpu_s: float = 0.0  # wall seconds in which an accelerator was held for it

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, self.gpu_s + other.gpu_s)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s, self.gpu_s - other.gpu_s)


NOTHING = Spent()


class Meter:
    """Counts what each kind of work takes alone: what it makes others do counts for them."""

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = {}

    @contextmanager
    def timed(self, name: str, *, gpu: bool = False) -> Iterator[None]:
        """Count the body for `name`, and trace it; `gpu` says that an accelerator is held meanwhile."""
        before, begun = total(self.spent), _clocks(gpu)
        with span(name):
            yield
        inside = total(self.spent) - before
        self.spent[name] = self.spent.get(name, NOTHING) + (_clocks(gpu) - begun) - inside


def _clocks(gpu: bool) -> Spent:
    wall = time.perf_counter()
    return Spent(wall, time.process_time(), wall if gpu else 0.0)


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
