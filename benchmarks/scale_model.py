"""What a catalogue costs that nobody here has: time and money for five million episodes, from measured terms.

Every term is a figure of a benchmark or of the price table, as its comment says; the rest is arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steps.costs import PriceOptions


@dataclass(frozen=True)
class Measurements:
    """What one machine of two cores was measured to do (docs/benchmarks.md)."""

    hear_factor: float = 0.066  # wall seconds per second of media: `benchmarks pipeline`, without orchestration
    publish_s: float = 3.0  # to cut and master a preview
    task_start_s: float = 2.5  # what Metaflow takes to start a task and end it
    # `python -m benchmarks.scale_store FOLDER 150 45`, by one process:
    commit_s: float = 0.11  # per episode of 45 minutes, of what is heard and of the preview
    index_s: float = 0.041  # per episode of the whole index, each time it is built
    index_mb: float = 2.5  # and what is held in memory for it meanwhile


@dataclass(frozen=True)
class Catalogue:
    """What is to be done, and with how much."""

    episodes: int = 5_000_000
    hours_each: float = 0.75
    workers: int = 1_000  # tasks at a time, two cores each
    run_episodes: int = 50_000  # of one run: one commit and one index
    task_minutes: float = 20.0


def estimate(catalogue: Catalogue, measured: Measurements, prices: PriceOptions) -> Mapping[str, float]:
    """Days and money, and the terms that they are the sum of, by what a run of the flows does."""
    media_s = 3600 * catalogue.hours_each
    hear_s = media_s * measured.hear_factor
    tasks = catalogue.episodes * hear_s / (60 * catalogue.task_minutes)
    work_s = catalogue.episodes * (hear_s + measured.publish_s) + tasks * measured.task_start_s
    runs = catalogue.episodes / catalogue.run_episodes
    commits_s = catalogue.episodes * measured.commit_s
    index_s = catalogue.episodes * measured.index_s
    core_hours = 2 * (work_s + commits_s + index_s) / 3600
    return {
        "media_hours": catalogue.episodes * catalogue.hours_each,
        "tasks": tasks,
        "runs": runs,
        "hearing_days": catalogue.episodes * hear_s / catalogue.workers / 86_400,
        "publishing_days": catalogue.episodes * measured.publish_s / catalogue.workers / 86_400,
        "task_start_days": tasks * measured.task_start_s / catalogue.workers / 86_400,
        "commit_days": commits_s / 86_400,  # one process at a time, however many workers
        "index_days": index_s / 86_400,  # if it is built once, at the end
        "index_each_run_days": (runs + 1) / 2 * index_s / 86_400,  # the whole anew, half of it there on average
        "index_gb": catalogue.episodes * measured.index_mb / 1000,
        "core_hours": core_hours,
        "cost": core_hours * prices.cpu_hour,
        "cost_per_media_hour": core_hours * prices.cpu_hour / (catalogue.episodes * catalogue.hours_each),
    }
