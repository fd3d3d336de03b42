"""A catalogue that is larger than a run: hear and publish it in bounded runs, the newest or most listened first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from featurization.errors import ConfigError
from serving.commands.stages import PARTIAL, Stage, Stages, log_path
from serving.commands.terminal import console, counted
from steps.chunks import Order, media_hours
from steps.featurize import choose_assets
from steps.store import Store


@dataclass(frozen=True, slots=True)
class Backfill:
    """What each run of a backfill may take, and how many runs there may be (0: until everything is heard)."""

    max_hours: float
    max_cost: float
    order: Order
    runs: int
    config: Path | None = None
    profile: Path | None = None

    def __post_init__(self) -> None:
        if not (self.max_hours or self.max_cost):
            raise ConfigError("a backfill needs a bound for each of its runs: give --max-hours or --max-cost")

    def stages(self) -> tuple[Stage, Stage]:
        """The two flows of one round."""
        given = {"config": self.config, "profile": self.profile}
        options = tuple(word for name, path in given.items() if path for word in ("--config", name, str(path)))
        bounds = ("--max-hours", str(self.max_hours), "--max-cost", str(self.max_cost), "--order", self.order)
        return (
            Stage("Analyse", "the next assets", "featurize_media", bounds, options),
            Stage("Publish", "their previews", "publish_previews", (), options),
        )


def run_backfill(backfill: Backfill) -> int:
    """Run until nothing new is left, or as many rounds as allowed; returns the exit status."""
    store, out = Store(), console()
    log = log_path(store, "rushes-backfill.log")
    log.write_text("", encoding="utf-8")
    begun_s, hours, complete, rounds = time.monotonic(), _hours_left(store), True, 0
    first_hours = hours
    out.print(f"[bold]rushes backfill[/]: {hours:.1f} h of media are new; output goes to {log}")
    while hours and (rounds < backfill.runs or not backfill.runs):
        for stage in backfill.stages():
            complete &= Stages(out, store, log).run(stage)
        before, hours, rounds = hours, _hours_left(store), rounds + 1
        if hours >= before:
            raise ConfigError(f"the last run took nothing of the {hours:.1f} h that are new; {log} says why")
        _show(out, hours, first_hours - hours, time.monotonic() - begun_s)
    out.print(f"{counted(rounds, 'run')}; {hours:.1f} h are left")
    return 0 if complete else PARTIAL


def _hours_left(store: Store) -> float:
    """Hours of media that no run has tried yet."""
    return media_hours([asset for asset in choose_assets("new", store=store) if not asset.tried])


def _show(out: Console, left_hours: float, done_hours: float, took_s: float) -> None:
    ends = time.localtime(time.time() + took_s * left_hours / done_hours)
    when = f"; about done {time.strftime('%a %H:%M', ends)}" if left_hours else ""
    out.print(f"  {done_hours:.1f} h done, {left_hours:.1f} h to go{when}")
