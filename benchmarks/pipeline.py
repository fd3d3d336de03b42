"""Feed to preview, timed: ingest, featurize and publish a folder of media by the flows, twice, beside bare tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.flow_runs import FlowRun, FlowRunner
from benchmarks.job import Job, say
from benchmarks.long_file import repeated
from benchmarks.processes import run_peer
from benchmarks.report import Measured
from featurization.errors import SourceError
from featurization.models import load_registry
from steps.ingest import list_source
from steps.models import SPEECH_MODEL, TEXT_MODEL
from steps.tables import ASSETS

STAGES = ("ingest", "featurize", "publish")
RECOGNISER, NORMALISER = "faster-whisper alone", "ffmpeg loudnorm alone"
NOTES = (
    "real_time_factor: wall seconds of the three flows (of the peers: of the process) over seconds of media; starting "
    "Python and loading models included",
    "recognition: seconds of the recogniser alone over seconds of media; the peer's without loading its model",
    "orchestration_s: wall seconds of the flows less those of the extractors and of rendering; probing in ingest and "
    "choosing in publish count as orchestration, so it is an upper bound",
    "second_run: wall seconds of the same three flows on the same input again, all assets, over those of the first run",
    "peak_mb: largest resident set of any single process in the tree, in 10^6 bytes, as the kernel kept it (wait4)",
    "one task at a time (METAFLOW_RUN_MAX_WORKERS=1); a fresh temporary store and Metaflow datastore",
    f"{RECOGNISER}: as in the asr task, no decoding to disk, no speakers, topics, ads or loudness",
    f"{NORMALISER}: decoding and the measuring pass of the loudnorm filter, by PyAV",
)


@dataclass(frozen=True)
class Pass:
    """One run of each flow, in their order."""

    runs: tuple[FlowRun, ...]

    @property
    def wall_s(self) -> float:
        return sum(run.cost.wall_s for run in self.runs)

    @property
    def peak_mb(self) -> float:
        return max(run.cost.peak_mb for run in self.runs)

    def stages(self, media_s: float) -> dict[str, dict[str, float]]:
        """Cost of each stage, and its wall seconds for each hour of media."""
        costs = dict(zip(STAGES, (run.cost for run in self.runs), strict=True))
        return {
            stage: {**cost.figures(), "s_per_media_hour": 3600 * cost.wall_s / media_s} for stage, cost in costs.items()
        }


def measure(job: Job) -> Measured:
    """Cost of the flows on the media of the folder, or on one long file made of it. No predictions."""
    source = _source(job)
    runner = FlowRunner(job.scratch, job.config)
    first = _pass(runner, source, "first run")
    media = {asset.source: asset.duration_s for (asset,) in runner.store.read(ASSETS).values()}
    if not media:
        raise SourceError(f"{source}: nothing in it could be ingested")
    second = _pass(runner, source, "second run")
    peers = _peers(job, sorted(media), runner)
    media_s = sum(media.values())
    published = runner.summary(first.runs[2])
    spent = {**runner.summary(first.runs[1]).spent, **published.spent}
    timings = {name: one.wall_s for name, one in spent.items()}
    return Measured(
        metrics=_metrics(first, second, timings, media_s),
        peers={name: _peer_metrics(figures, media_s) for name, figures in peers.items()},
        counts={
            "assets": len(media),
            "media_s": media_s,
            "published": len(published.published),
            "refused": len(published.refused),
            "quarantined": len(runner.summary(first.runs[0]).problems) + len(published.problems),
        },
        models=(job.settings.transcribe.model, SPEECH_MODEL, *job.settings.speakers.models, TEXT_MODEL),
        notes=NOTES,
        details={
            "stages": first.stages(media_s),
            "second_run_stages": second.stages(media_s),
            "extractors_s_per_media_hour": {name: 3600 * s / media_s for name, s in sorted(timings.items())},
            "peer_details": peers,
        },
    )


def _source(job: Job) -> Path:
    """The folder itself, or a folder with the one long file made of it. Raises SourceError if it holds no media."""
    listing = list_source(str(job.data), limit=0, settings=job.settings)
    if not listing.items:
        raise SourceError(f"{job.data}: no media in it")
    if not job.repeat_to_h:
        return job.data.resolve()
    folder = job.scratch / "long"
    folder.mkdir()
    say(f"making {job.repeat_to_h:g} hours of {len(listing.items)} files")
    repeated([Path(item.location) for item in listing.items], folder / "long.mp3", hours=job.repeat_to_h)
    return folder


def _pass(runner: FlowRunner, source: Path, name: str) -> Pass:
    """Each flow once, on all of the source."""
    flows = (
        ("ingest_media", ("--source", str(source))),
        ("featurize_media", ("--assets", "all")),
        ("publish_previews", ("--assets", "all")),
    )
    runs = []
    for flow, arguments in flows:
        runs.append(runner.run(flow, *arguments))
        say(f"{name}: {flow} {runs[-1].cost.wall_s:.1f} s, {runs[-1].cost.peak_mb:.0f} MB")
    return Pass(tuple(runs))


def _peers(job: Job, files: Sequence[str], runner: FlowRunner) -> dict[str, dict[str, Any]]:
    """What the bare tools take for the same files."""
    weights = str(load_registry().locate(job.settings.transcribe.model))
    place: dict[str, Any] = {"folder": runner.folder, "environment": runner.environment}
    peers = {}
    for name, module, arguments in (
        (RECOGNISER, "bare_whisper", (weights, *files)),
        (NORMALISER, "bare_loudnorm", tuple(files)),
    ):
        peers[name] = run_peer(module, *arguments, **place)
        say(f"{name}: " + (peers[name].get("failed") or f"{peers[name]['wall_s']:.1f} s"))
    return peers


def _metrics(first: Pass, second: Pass, timings: Mapping[str, float], media_s: float) -> dict[str, float]:
    orchestration_s = first.wall_s - sum(timings.values())
    return {
        "real_time_factor": first.wall_s / media_s,
        "recognition": timings.get("words", 0.0) / media_s,
        "wall_s": first.wall_s,
        "peak_mb": first.peak_mb,
        "orchestration_s": orchestration_s,
        "orchestration_share": orchestration_s / first.wall_s,
        "second_run": second.wall_s / first.wall_s,
        "second_run_s": second.wall_s,
    }


def _peer_metrics(figures: Mapping[str, Any], media_s: float) -> dict[str, Any]:
    if "failed" in figures:
        return {"failed": "yes"}
    metrics = {"real_time_factor": figures["wall_s"] / media_s, "wall_s": figures["wall_s"]}
    recognised = {"recognition": figures["seconds"] / media_s} if "words" in figures else {}
    return {**metrics, **recognised, "peak_mb": figures["peak_mb"]}
