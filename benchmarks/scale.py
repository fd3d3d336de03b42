"""How time and memory grow with the catalogue: made assets, the real store, and the real flows on short recordings.

`python -m benchmarks scale --assets 10 100 1000 10000`. Each size is a process of its own. The peer is what one would
write first: a Parquet file per table, read and written whole by every run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.flow_runs import FlowRunner
from benchmarks.job import Job, say
from benchmarks.processes import run_measured
from benchmarks.report import Measured
from benchmarks.scale_model import Catalogue, Measurements, estimate
from benchmarks.short_recordings import make_recordings
from steps.store import ROOT

MINUTES = 6.0  # of each made asset: a tenth of an hour, so that ten thousand fit into minutes and onto a disk
FLOWS = ("ingest_media", "featurize_media", "publish_previews")
MOST_RECORDINGS = 100  # more say nothing new of Metaflow, and take long


def measure(job: Job) -> Measured:
    """Figures by size, and what five million episodes would take by them."""
    sizes = {str(count): _of_size(count, job.scratch / str(count)) for count in job.assets}
    flows = {
        str(count): _flows(count, job.scratch / f"flows-{count}", job.config)
        for count in job.assets
        if count <= MOST_RECORDINGS
    }
    model = estimate(Catalogue(), Measurements(), job.settings.prices)
    return Measured(
        metrics={"by_assets": sizes, "flows_s_per_asset": flows, "five_million": model},
        counts={"assets": list(job.assets), "minutes_each": MINUTES},
        peers={"one file a table": {"by_assets": {size: _peer(found) for size, found in sizes.items()}}},
        details={"catalogue": asdict(Catalogue()), "measured_terms": asdict(Measurements())},
        notes=(
            f"Made assets have the rows of {MINUTES:g} minutes of speech; only models and media are left out.",
            "more_*: a run of 100 assets on top of a store of that size. peak_mb only grows within a process.",
            "five_million is arithmetic (benchmarks/scale_model.py), not a measurement.",
        ),
    )


def _of_size(count: int, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    say(f"{count} made assets …")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = ["-m", "benchmarks.scale_store", str(folder), str(count), str(MINUTES)]
    _, said = run_measured(arguments, folder=folder, environment=environment)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def _peer(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the peer took where it has a figure of the same meaning."""
    return {
        "more_per_asset_ms": {"commit": found["peer_more_per_asset_ms"]},
        "more_written_bytes_per_asset": found["peer_more_written_bytes_per_asset"],
    }


def _flows(count: int, folder: Path, config: Path) -> dict[str, float]:
    """Wall seconds per asset of the real flows, over recordings of two seconds in which nobody speaks."""
    folder.mkdir()
    say(f"{count} short recordings through the flows …")
    media = make_recordings(folder / "media", count)
    runner = FlowRunner(folder, config)
    arguments: Mapping[str, Sequence[str]] = {"ingest_media": ("--source", str(media))}
    return {flow: runner.run(flow, *arguments.get(flow, ())).cost.wall_s / count for flow in FLOWS}
