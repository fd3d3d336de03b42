"""How far a run is, while it runs: its tasks note what they have done, and anybody may read when it will end.

```
progress/FLOW/ID/plan.json     what the run has to do
progress/FLOW/ID/00007.json    how far the task of chunk 7 is; written at most every ten seconds
```
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Self

from steps.chunks import FanoutOptions, Waiting
from steps.store import Store

log = logging.getLogger(__name__)
FOLDER = "progress"
NOTED_S = 10.0  # between two notes of a task
TOLD_S = 60.0  # between two looks at the whole run, by the task that tells of it
SLOWEST = 3  # tasks that are named
_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Load:
    """Some work: of one asset, of a task, or of a run."""

    assets: int = 0
    media_s: float = 0.0
    work_s: float = 0.0  # that it is expected to take one task

    def __add__(self, other: Load) -> Load:
        return Load(self.assets + other.assets, self.media_s + other.media_s, self.work_s + other.work_s)


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far one task is."""

    chunk: int
    planned: Load
    done: Load
    begun: float  # seconds since 1970, as the next two
    noted: float

    @property
    def ended(self) -> bool:
        return self.done.assets >= self.planned.assets

    @property
    def ends(self) -> float | None:
        """When it will about end, by its own rate; None as long as nothing is done."""
        if self.ended:
            return self.noted
        if self.done.work_s <= 0:
            return None
        return self.begun + (self.noted - self.begun) * self.planned.work_s / self.done.work_s


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is."""

    run: str
    planned: Load
    done: Load
    tasks_planned: int
    tasks: tuple[TaskProgress, ...]  # that have begun
    ends: float | None  # seconds since 1970; None as long as nothing is done

    @property
    def share(self) -> float:
        """Of the expected work, that is done: 0 to 1."""
        return min(1.0, self.done.work_s / self.planned.work_s) if self.planned.work_s else 1.0

    @property
    def slowest(self) -> tuple[TaskProgress, ...]:
        """The tasks at work that will end last, the last first; those of which nothing is known before all others."""
        at_work = [task for task in self.tasks if not task.ended]
        return tuple(sorted(at_work, key=lambda task: (task.ends is not None, -(task.ends or 0.0)))[:SLOWEST])

    def describe(self) -> str:
        """One line for the terminal."""
        hours, of_hours = self.done.media_s / 3600, self.planned.media_s / 3600
        ended = sum(task.ended for task in self.tasks)
        when = f"; about done {_clock(self.ends)}" if self.ends and self.share < 1 else ""
        return (
            f"{self.run}: {self.done.assets:,} of {self.planned.assets:,} assets, {hours:.1f} of {of_hours:.1f} h, "
            f"{ended} of {self.tasks_planned} tasks ended{when}"
        )

    def as_markdown(self) -> str:
        """The same for a card, with the tasks that will end last."""
        rows = [
            f"| {task.chunk} | {task.done.assets} of {task.planned.assets} | {_clock(task.ends)} |"
            for task in self.slowest
        ]
        told = [
            f"{self.describe()}. As of {time.strftime('%H:%M:%S')}; `rushes runs {self.run}` says how far it is now."
        ]
        head = ["", "| Slowest tasks | Assets | About done |", "|---|---|---|"] if rows else []
        return "\n".join([*told, *head, *rows])


def _clock(at: float | None) -> str:
    return time.strftime("%a %H:%M", time.localtime(at)) if at else "not known yet"


Show = Callable[[RunProgress], None]


def show_nobody(_: RunProgress) -> None:
    """Show a run's progress nowhere."""


def load(asset: Waiting, options: FanoutOptions) -> Load:
    """What hearing an asset is expected to take."""
    return Load(1, asset.duration_s, options.work_s(asset))


class Progress:
    """What the task of a chunk says of itself: a context in which the work of each asset is done within `of`.

    The first task also logs how far the whole run is, and calls `show` with it, now and then.
    """

    def __init__(
        self,
        store: Store,
        run: str,
        chunk: int,
        planned: Mapping[str, Load],
        *,
        show: Show = show_nobody,
    ) -> None:
        self._store, self._run, self._chunk, self._planned, self._show = store, run, chunk, planned, show
        self._left = dict(planned)
        self._begun = time.time()
        self._noted = self._told = 0.0  # of the monotonic clock

    def __enter__(self) -> Self:
        if before := self._store.files.read_if_there(self._key):  # of an attempt that died
            self._begun = float(json.loads(before)["begun"])
        self._note()
        if self._chunk == 0:
            self._tell()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._left.clear()
            self._note()
            self._tell()

    @contextmanager
    def of(self, asset_id: str) -> Iterator[None]:
        """Work on an asset inside; it is done then, well or badly."""
        yield
        self._left.pop(asset_id, None)
        now = time.monotonic()
        if now - self._noted >= NOTED_S:
            self._note()
        if self._chunk == 0 and self._left and now - self._told >= TOLD_S:
            self._tell()

    def _note(self) -> None:
        self._noted = time.monotonic()
        finished = (load for asset_id, load in self._planned.items() if asset_id not in self._left)
        task = TaskProgress(
            self._chunk, _together(self._planned.values()), _together(finished), self._begun, time.time()
        )
        self._store.files.write(self._key, json.dumps(asdict(task)).encode())

    @property
    def _key(self) -> str:
        return f"{FOLDER}/{self._run}/{self._chunk:05d}.json"

    def _tell(self) -> None:
        """Tell of the whole run."""
        self._told = time.monotonic()
        if progress := read_progress(self._store, self._run):
            if progress.done.assets:
                log.info("%s", progress.describe())
            self._show(progress)


def announce(store: Store, run: str, chunks: Iterable[Mapping[str, Load]]) -> None:
    """Note what a run has to do before its tasks begin: the load of each asset, by chunk."""
    loads = [_together(chunk.values()) for chunk in chunks]
    plan = {"tasks": len(loads), "planned": asdict(_together(loads))}
    store.files.write(f"{FOLDER}/{run}/{_PLAN}", json.dumps(plan).encode())


def read_progress(store: Store, run: str) -> RunProgress | None:
    """How far a run, "FLOW/ID", is; None if it did not say, or is committed already."""
    names = store.files.list(f"{FOLDER}/{run}")
    if not names:
        return None
    noted = {name: data for name in names if (data := store.files.read_if_there(f"{FOLDER}/{run}/{name}"))}
    plan = json.loads(noted.pop(_PLAN, b"{}"))
    tasks = tuple(_task(json.loads(data)) for _, data in sorted(noted.items()))
    planned = Load(**plan["planned"]) if plan else _together(task.planned for task in tasks)
    done = _together(task.done for task in tasks)
    return RunProgress(run, planned, done, plan.get("tasks", len(tasks)), tasks, _ends(planned, done, tasks))


def forget_progress(store: Store, run: str) -> None:
    """Remove the notes of a run that is committed."""
    store.files.clear(f"{FOLDER}/{run}")


def _ends(planned: Load, done: Load, tasks: Iterable[TaskProgress]) -> float | None:
    """By the rate of all tasks together, but not before any of them will end by its own."""
    known = list(tasks)
    if done.work_s <= 0:
        return None
    begun, now = min(task.begun for task in known), max(task.noted for task in known)
    together = begun + (now - begun) * max(1.0, planned.work_s / done.work_s)
    return max(together, *(task.ends or 0.0 for task in known))


def _task(said: Mapping[str, object]) -> TaskProgress:
    loads = {name: Load(**said[name]) for name in ("planned", "done")}  # type: ignore[arg-type]
    return TaskProgress(**{**said, **loads})  # type: ignore[arg-type]


def _together(loads: Iterable[Load]) -> Load:
    return sum(loads, Load())
