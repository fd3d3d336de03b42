"""Speech, music, noise and silence, in frames of 10 ms, beside detectors that one could install instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.job import Job, csv_text, say
from benchmarks.listening import Listener
from benchmarks.report import Measured
from benchmarks.sound_peers import NOTES as PEER_NOTES
from benchmarks.sound_peers import Peer, peers
from eval.detection_metrics import DetectionMetrics
from eval.sound_metrics import judge_sounds
from featurization.media import SoundSpan
from featurization.sounds import MODEL
from steps.models import SPEECH_MODEL
from steps.truth.figures import SoundMetrics, detection_figures, pooled_sounds, sound_figures
from steps.truth.formats import SOUND_COLUMNS, SOUNDS, read_sounds

_RESAMPLES = 1000
NOTES = (
    "precision, recall and f1 of each label over frames of 10 ms, pooled over files; spans may overlap, so a frame may "
    "be speech and music (eval/sound_metrics.py); noise and silence only if the truth names them",
    "f1_low, f1_high: 95 % by bootstrap over files; real_time_factor: wall seconds over seconds of sound, rushes with "
    "decoding and voice activity, peers without decoding",
)


@dataclass
class Tally:
    """What one detector has found so far, and how long it took."""

    judged: list[SoundMetrics] = field(default_factory=list)
    seconds: float = 0.0

    def hear(self, find: Callable[[], Iterable[SoundSpan]]) -> list[SoundSpan]:
        """What `find` gives, on the clock."""
        started = time.perf_counter()
        found = list(find())
        self.seconds += time.perf_counter() - started
        return found

    def judge(self, truth: Sequence[SoundSpan], found: Sequence[SoundSpan], duration_s: float) -> SoundMetrics:
        """Metrics of one recording, which are also added to the pool."""
        self.judged.append(judge_sounds(truth, found, duration_s=duration_s))
        return self.judged[-1]

    def figures(self, audio_s: float) -> dict[str, Any]:
        """Figures of all recordings, those of speech and music with intervals."""
        figures: dict[str, Any] = {**sound_figures(pooled_sounds(self.judged))}
        for label in ("speech", "music"):
            low, high = _interval([judged[label] for judged in self.judged])
            figures[label] = {**figures[label], "f1_low": low, "f1_high": high}
        return {**figures, "real_time_factor": self.seconds / audio_s}


def measure(job: Job) -> Measured:
    """Frames over all NAME.sounds.csv. Predictions: NAME.sounds.csv for each."""
    listener, (others, left_out) = Listener(job.scratch, job.settings), peers()
    ours, theirs = Tally(), {name: Tally() for name in others}
    _warm(others)
    files, audio_s = [], 0.0
    for name, path in job.truths(SOUNDS):
        truth = read_sounds(path)
        with listener.recording(job.sound(name)) as recording:
            found = ours.hear(lambda: recording.sounds)
            pcm = recording.pcm
            samples = pcm.read(pcm.span)
        duration_s = max(pcm.duration_s, *(span.end for span in truth), 0.0)
        audio_s += duration_s
        judged = ours.judge(truth, found, duration_s)
        for peer, find in others.items():
            heard = theirs[peer].hear(lambda: find(samples))  # noqa: B023 - called at once
            theirs[peer].judge(truth, heard, duration_s)
        job.predict(f"{name}{SOUNDS}", csv_text(SOUND_COLUMNS, map(_row, found)))
        files.append(_file(name, duration_s, judged))
        say(f"{name}: f1 of speech {judged['speech'].f1:.3f}, of music {judged['music'].f1:.3f}")
    for line in left_out:
        say(line)
    return Measured(
        metrics=ours.figures(audio_s),
        peers={name: tally.figures(audio_s) for name, tally in theirs.items()},
        counts={"files": len(files), "audio_s": audio_s, **_frames(pooled_sounds(ours.judged))},
        files=tuple(files),
        models=(MODEL, SPEECH_MODEL),
        notes=(*NOTES, *PEER_NOTES, *left_out),
    )


def _warm(others: dict[str, Peer]) -> None:
    """Load every peer's weights before its clock runs."""
    for find in others.values():
        find(np.zeros(16_000, dtype=np.float32))


def _file(name: str, duration_s: float, judged: SoundMetrics) -> dict[str, Any]:
    return {"file": name, "duration_s": duration_s, **{label: detection_figures(m) for label, m in judged.items()}}


def _row(span: SoundSpan) -> dict[str, object]:
    return {"start": f"{span.start:.3f}", "end": f"{span.end:.3f}", "label": span.label}


def _frames(judged: SoundMetrics) -> dict[str, int]:
    """How many frames really carry each label."""
    return {f"{label}_frames": m.matched + m.false_negatives for label, m in judged.items()}


def _interval(judged: Sequence[DetectionMetrics]) -> tuple[float, float]:
    """Limits of the pooled F1 when the same number of recordings is drawn again and again."""
    drawn = np.random.default_rng(7).integers(len(judged), size=(_RESAMPLES, len(judged)))
    hits, errors = (np.array([of(m) for m in judged]) for of in (_hits, _errors))
    found, wrong = hits[drawn].sum(axis=1), errors[drawn].sum(axis=1)
    low, high = np.quantile(2 * found / np.maximum(1, 2 * found + wrong), [0.025, 0.975])
    return float(low), float(high)


def _hits(metrics: DetectionMetrics) -> int:
    return metrics.matched


def _errors(metrics: DetectionMetrics) -> int:
    return metrics.false_positives + metrics.false_negatives
