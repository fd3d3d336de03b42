"""How much a run may take on, and what goes first: bounded by media hours or by cost, for backfills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

from featurization.errors import ConfigError
from steps.chunks import Admitted, Order, Waiting, admit
from steps.costs import affordable_hours
from steps.event_log import read_log
from steps.settings import Settings
from steps.store import Store


@dataclass(frozen=True)
class Bounds:
    """What a run may take: 0 is no bound; of two bounds the narrower holds."""

    media_hours: float = 0.0
    cost: float = 0.0  # in the currency of the price table
    order: Order = "newest"

    def __post_init__(self) -> None:
        if self.media_hours < 0 or self.cost < 0:
            raise ConfigError("the bounds of a run, --max-hours and --max-cost, must not be negative")
        if self.order not in get_args(Order):
            raise ConfigError(f"--order must be one of {', '.join(get_args(Order))}, got {self.order!r}")


def admitted(assets: Sequence[Waiting], bounds: Bounds, *, settings: Settings, store: Store) -> Admitted:
    """The assets that the run takes, the first first; the rest waits for the next run."""
    hours = [bounds.media_hours] if bounds.media_hours else []
    if bounds.cost:
        hours.append(affordable_hours(bounds.cost, store, settings.prices))
    listened = plays(store, days=settings.fanout.listened_days) if bounds.order == "most-listened" else {}
    return admit(assets, max_hours=min(hours, default=0.0), listened=listened)


def plays(store: Store, *, days: int) -> Mapping[str, int]:
    """How often each asset was streamed in the last days, by the event log."""
    since = datetime.now(UTC) - timedelta(days=days)
    log = read_log(store, ["asset_id"], [("kind", "==", "stream")], since=since)
    return Counter(log["asset_id"].to_pylist())
