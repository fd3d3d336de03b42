"""Work is handed out in chunks of assets that take about equally long, never one task per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from featurization.media import Asset


@dataclass(frozen=True)
class FanoutOptions:
    """How much work one task gets."""

    media_hours: float = 4.0  # media hours per task
    max_tasks: int = 90  # Metaflow refuses more than 100 splits by default; chunks grow instead


def plan_chunks(assets: Sequence[Asset], options: FanoutOptions) -> list[list[str]]:
    """Asset ids in chunks of about `media_hours`, longest first; always at least one chunk, which may be empty."""
    total_hours = sum(asset.duration_s for asset in assets) / 3600
    count = min(options.max_tasks, max(1, round(total_hours / options.media_hours)), max(1, len(assets)))
    chunks: list[list[str]] = [[] for _ in range(count)]
    load = [0.0] * count
    for asset in sorted(assets, key=lambda a: (-a.duration_s, a.asset_id)):
        lightest = load.index(min(load))
        chunks[lightest].append(asset.asset_id)
        load[lightest] += asset.duration_s
    return chunks
