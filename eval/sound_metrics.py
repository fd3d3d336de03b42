"""How well speech, music, noise and silence were told apart: frame by frame, each label for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np

from eval.detection_metrics import DetectionMetrics, Flags, judge_flags
from featurization.media import Segment, SoundLabel, SoundSpan

LABELS: tuple[SoundLabel, ...] = get_args(SoundLabel)
FRAME_S = 0.01


def judge_sounds(
    truth: Sequence[SoundSpan], found: Sequence[SoundSpan], *, duration_s: float
) -> dict[SoundLabel, DetectionMetrics]:
    """Metrics of one recording in frames of 10 ms for each label; spans may overlap, a frame may carry several."""
    count = round(duration_s / FRAME_S)
    return {
        label: judge_flags(*(covered_frames([s for s in spans if s.label == label], count) for spans in (truth, found)))
        for label in LABELS
    }


def covered_frames(spans: Sequence[Segment], count: int) -> Flags:
    """Which of `count` frames of 10 ms have their middle in one of `spans`."""
    covered = np.zeros(count, dtype=bool)
    for span in spans:
        first, last = (max(0, int(np.ceil(time / FRAME_S - 0.5 - 1e-6))) for time in (span.start, span.end))
        covered[first:last] = True
    return covered
