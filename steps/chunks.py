"""Which assets a run works on, and how they are handed out: in chunks that take about equally long."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from featurization.errors import ConfigError
from featurization.media import Asset


@dataclass(frozen=True)
class FanoutOptions:
    """How much work one task gets."""

    media_hours: float = 4.0  # media hours per task
    max_tasks: int = 90  # Metaflow refuses more than 100 splits by default; chunks grow instead


def chosen(which: str, assets: Mapping[str, Asset], *, done: Container[str], refusal: tuple[str, str]) -> list[Asset]:
    """`new` (those not `done`), `all`, or the assets whose ids `which` lists with commas between.

    Raises ConfigError if an id is not among `assets`; `refusal` is what to say before and after it.
    """
    if which == "all":
        return list(assets.values())
    if which == "new":
        return [asset for asset_id, asset in assets.items() if asset_id not in done]
    wanted = [part.strip() for part in which.split(",") if part.strip()]
    if unknown := [asset_id for asset_id in wanted if asset_id not in assets]:
        before, after = refusal
        raise ConfigError(f"{before} {', '.join(unknown)} {after}")
    return [assets[asset_id] for asset_id in wanted]


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
