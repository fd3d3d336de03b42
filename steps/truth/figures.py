"""Counts as the figures that people read: one place for the flows and for `python -m benchmarks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eval.detection_metrics import DetectionMetrics
from eval.diarization_errors import DiarizationErrors
from eval.shot_metrics import Frames, ShotMetrics
from eval.sound_metrics import LABELS
from featurization.media import SoundLabel

COLLAR_S = 0.25
TOLERANCES: tuple[Frames, ...] = (2, 0)
Ratios = dict[str, float]
SoundMetrics = Mapping[SoundLabel, DetectionMetrics]
_HEADLINE: tuple[SoundLabel, ...] = ("speech", "music")


def detection_figures(metrics: DetectionMetrics) -> Ratios:
    """Precision, recall and F1."""
    return {"precision": metrics.precision, "recall": metrics.recall, "f1": metrics.f1}


def speaker_figures(exact: DiarizationErrors, forgiving: DiarizationErrors) -> Ratios:
    """Diarization error rates without and with a collar, and the parts of the first."""
    spoken_s = exact.spoken_s or 1.0
    return {
        "der": exact.rate,
        "der_collar": forgiving.rate,
        "missed": exact.missed_s / spoken_s,
        "false_alarm": exact.false_alarm_s / spoken_s,
        "confused": exact.confused_s / spoken_s,
    }


def pooled_sounds(judged: Iterable[SoundMetrics]) -> dict[SoundLabel, DetectionMetrics]:
    """Metrics of each label over recordings."""
    recordings = list(judged)
    return {label: sum((one[label] for one in recordings), DetectionMetrics()) for label in LABELS}


def sound_figures(pooled: SoundMetrics) -> dict[str, Ratios]:
    """Figures of speech and music, and of what else the truth names."""
    asked = [label for label, m in pooled.items() if label in _HEADLINE or m.matched + m.false_negatives]
    return {label: detection_figures(pooled[label]) for label in asked}


def shot_figures(metrics: ShotMetrics) -> dict[str, Ratios]:
    """Figures of all transitions, of cuts, and of gradual ones."""
    kinds = {"all": metrics.pooled, "cuts": metrics.cuts, "gradual": metrics.gradual}
    return {name: detection_figures(own) for name, own in kinds.items()}
