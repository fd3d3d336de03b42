"""Which assets a run works on, in which order, and how they are handed out: in chunks that take about equally long."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from featurization.errors import ConfigError
from steps.quarantine import TASK_DIED
from steps.store import Store
from steps.tables import ASSETS

Order = Literal["newest", "most-listened"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the choice of a run's assets needs to know of each: not its title, not its description."""

    asset_id: str
    duration_s: float
    kind: Literal["audio", "video"] = "audio"
    published: str = ""  # ISO 8601
    tried: bool = False  # and is in quarantine


@dataclass(frozen=True)
class FanoutOptions:
    """How much work one task gets. Metaflow refuses more than 100 splits by default: chunks grow instead."""

    task_minutes: float = 20.0  # of expected work
    audio_factor: float = 0.08  # expected seconds of work per second of sound, as measured (docs/benchmarks.md)
    video_factor: float = 0.25  # and per second of film
    max_tasks: int = 90
    listened_days: int = 30  # of streams that count where the most listened go first

    def __post_init__(self) -> None:
        if min(self.task_minutes, self.audio_factor, self.video_factor) <= 0:
            raise ValueError("task_minutes, audio_factor and video_factor must be positive")
        if min(self.max_tasks, self.listened_days) < 1:
            raise ValueError("max_tasks and listened_days must be at least 1")

    def work_s(self, asset: Waiting) -> float:
        """Seconds that it will about take to hear and see an asset."""
        return asset.duration_s * (self.video_factor if asset.kind == "video" else self.audio_factor)


@dataclass(frozen=True)
class Admitted:
    """What a run takes, and what it leaves for the next."""

    assets: tuple[Waiting, ...]
    left: int = 0
    left_hours: float = 0.0


def waiting(store: Store) -> dict[str, Waiting]:
    """All assets of the store, by id."""
    columns = store.columns(ASSETS, ["duration_s", "kind", "published"])
    return {row["asset_id"]: Waiting(**row) for row in columns.to_pylist()}


def chosen(
    which: str,
    assets: Mapping[str, Waiting],
    *,
    done: Collection[str],
    failed: Mapping[str, str],
    refusal: tuple[str, str],
) -> list[Waiting]:
    """`new` (those not `done`), `all`, or the assets whose ids `which` lists with commas between.

    `failed` says why assets are in quarantine: they are new still, but for those at which tasks died. Raises
    ConfigError if an id is not among `assets`; `refusal` is what to say before and after it.
    """
    if which == "all":
        return list(assets.values())
    if which == "new":
        left = assets.keys() - set(done) - {asset_id for asset_id, reason in failed.items() if reason == TASK_DIED}
        return [replace(assets[asset_id], tried=asset_id in failed) for asset_id in sorted(left)]
    wanted = [part.strip() for part in which.split(",") if part.strip()]
    if unknown := [asset_id for asset_id in wanted if asset_id not in assets]:
        before, after = refusal
        raise ConfigError(f"{before} {', '.join(unknown)} {after}")
    return [assets[asset_id] for asset_id in wanted]


def admit(assets: Sequence[Waiting], *, max_hours: float, listened: Mapping[str, int] | None = None) -> Admitted:
    """The first assets that fit into `max_hours` of media (0: all), at least one: newest first.

    `listened`, how often each was played, puts the most listened first; equals are newest first. What was tried already
    comes last, so that what cannot be heard does not keep others waiting.
    """
    plays = listened or {}
    ordered = sorted(assets, key=lambda a: a.asset_id)
    ordered.sort(key=lambda a: (not a.tried, plays.get(a.asset_id, 0), a.published), reverse=True)
    if not max_hours:
        return Admitted(tuple(ordered))
    taken = _fitting(ordered, max_hours)
    return Admitted(tuple(ordered[:taken]), len(ordered) - taken, media_hours(ordered[taken:]))


def _fitting(assets: Sequence[Waiting], max_hours: float) -> int:
    hours = 0.0
    for n, asset in enumerate(assets):
        hours += asset.duration_s / 3600
        if hours > max_hours and n:
            return n
    return len(assets)


def media_hours(assets: Sequence[Waiting]) -> float:
    """Hours of media in some assets."""
    return sum(asset.duration_s for asset in assets) / 3600


def plan_chunks(
    assets: Sequence[Waiting], options: FanoutOptions, *, work_s: Callable[[Waiting], float] | None = None
) -> list[list[str]]:
    """Asset ids in chunks of about `task_minutes` of work, longest first; at least one chunk, which may be empty.

    Each asset goes to the chunk with the least work so far (longest processing time first; Graham 1969), so that no
    chunk takes more than 4/3 of the shortest possible time.
    """
    cost = {asset.asset_id: (work_s or options.work_s)(asset) for asset in assets}
    wanted = round(sum(cost.values()) / (60 * options.task_minutes))
    chunks: list[list[str]] = [[] for _ in range(min(options.max_tasks, max(1, wanted), max(1, len(cost))))]
    load = [(0.0, n) for n in range(len(chunks))]
    for asset_id in sorted(cost, key=lambda one: (-cost[one], one)):
        busy_s, n = load[0]
        chunks[n].append(asset_id)
        heapq.heapreplace(load, (busy_s + cost[asset_id], n))
    return chunks
