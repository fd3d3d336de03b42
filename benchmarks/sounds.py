"""Speech, music, noise and silence, in frames of 10 ms, beside what is left over from voice activity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.job import Job, csv_text, read_csv, say
from benchmarks.listening import Listener
from benchmarks.naive_hearing import naive_sounds
from benchmarks.report import Measured
from eval.detection_metrics import DetectionMetrics
from eval.sound_metrics import LABELS, judge_sounds
from featurization.errors import SourceError
from featurization.media import SoundLabel, SoundSpan
from steps.models import SPEECH_MODEL

SUFFIX = ".sounds.csv"
COLUMNS = ("start", "end", "label")
HEADLINE: tuple[SoundLabel, ...] = ("speech", "music")
PEER = "VAD and its complement"
NOTES = (
    "precision, recall and f1 of each label over frames of 10 ms, pooled over files; spans may overlap, so a frame may "
    "be speech and music (eval/sound_metrics.py); noise and silence only if the truth names them",
    f"{PEER}: Silero VAD with faster-whisper's defaults is speech; the rest is music above -45 dBFS and else silence; "
    "a naive baseline, no packaged detector of music being installed",
)
Judged = Mapping[SoundLabel, DetectionMetrics]


def measure(job: Job) -> Measured:
    """Frames over all NAME.sounds.csv. Predictions: NAME.sounds.csv for each."""
    listener = Listener(job.scratch, job.settings)
    files, audio_s = [], 0.0
    ours: dict[SoundLabel, DetectionMetrics] = {label: DetectionMetrics() for label in LABELS}
    naive = dict(ours)
    for name, path in job.truths(SUFFIX):
        truth = read_sounds(path)
        with listener.recording(job.sound(name)) as recording:
            found, pcm = recording.sounds, recording.pcm
            peer = naive_sounds(pcm.read(pcm.span))
        duration_s = max(pcm.duration_s, *(span.end for span in truth), 0.0)
        audio_s += duration_s
        judged = judge_sounds(truth, found, duration_s=duration_s)
        _add(ours, judged)
        _add(naive, judge_sounds(truth, peer, duration_s=duration_s))
        job.predict(f"{name}{SUFFIX}", csv_text(COLUMNS, map(_row, found)))
        files.append({"file": name, "duration_s": duration_s, **_figures(judged)})
        say(f"{name}: f1 of speech {judged['speech'].f1:.3f}, of music {judged['music'].f1:.3f}")
    asked = [label for label, metrics in ours.items() if label in HEADLINE or metrics.matched + metrics.false_negatives]
    return Measured(
        metrics=_figures({label: ours[label] for label in asked}),
        peers={PEER: _figures({label: naive[label] for label in asked})},
        counts={"files": len(files), "audio_s": audio_s, **_frames(ours)},
        files=tuple(files),
        models=(SPEECH_MODEL,),
        notes=NOTES,
    )


def read_sounds(path: Path) -> tuple[SoundSpan, ...]:
    """The spans of a NAME.sounds.csv. Raises SourceError for what is no span or no known label."""
    return tuple(_span(row, f"{path}, row {n}") for n, row in enumerate(read_csv(path, *COLUMNS), start=1))


def _span(row: Mapping[str, str], place: str) -> SoundSpan:
    label = next((label for label in LABELS if label == row["label"].strip()), None)
    if label is None:
        raise SourceError(f"{place}: unknown label {row['label']!r}; known labels: {', '.join(LABELS)}")
    try:
        return SoundSpan(float(row["start"]), float(row["end"]), label=label)
    except ValueError as error:
        raise SourceError(f"{place}: {error}") from error


def _row(span: SoundSpan) -> dict[str, object]:
    return {"start": f"{span.start:.3f}", "end": f"{span.end:.3f}", "label": span.label}


def _add(pool: dict[SoundLabel, DetectionMetrics], judged: Judged) -> None:
    for label, metrics in judged.items():
        pool[label] += metrics


def _figures(judged: Judged) -> dict[str, Any]:
    return {label: {"precision": m.precision, "recall": m.recall, "f1": m.f1} for label, m in judged.items()}


def _frames(judged: Judged) -> dict[str, int]:
    """How many frames really carry each label."""
    return {f"{label}_frames": m.matched + m.false_negatives for label, m in judged.items()}
