"""PySceneDetect's detectors, fed with the small frames instead of decoding again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.readings import Small

if TYPE_CHECKING:
    from featurization.shots import ShotOptions

_CHUNK = 1000  # frames read together


def make_detector(options: ShotOptions) -> Any:
    """The detector with every parameter given: PySceneDetect's defaults change between versions."""
    from scenedetect import detectors

    if options.detector == "adaptive":
        return detectors.AdaptiveDetector(
            adaptive_threshold=options.adaptive_threshold,
            min_content_val=options.adaptive_min_change,
            min_scene_len=options.min_shot_s,
            window_width=2,
        )
    if options.detector == "content":
        return detectors.ContentDetector(threshold=options.content_threshold, min_scene_len=options.min_shot_s)
    return detectors.HistogramDetector(
        threshold=options.histogram_threshold, min_scene_len=options.min_shot_s, bins=128
    )


def find_by_scene_detect(
    window: Callable[[int, int], Small], length: int, frame_rate: float, detector: Any
) -> tuple[Boundary, ...]:
    """The cuts that `detector` reports, in order."""
    from scenedetect.common import FrameTimecode

    cuts: list[Any] = []
    place = FrameTimecode(0, frame_rate)
    for first in range(0, length, _CHUNK):
        for index, frame in enumerate(window(first, min(first + _CHUNK, length)), start=first):
            place = FrameTimecode(index, frame_rate)
            cuts += detector.process_frame(place, np.ascontiguousarray(frame[:, :, ::-1]))
    cuts += detector.post_process(place)
    return tuple(Boundary(at, at) for at in sorted({cut.frame_num for cut in cuts}) if at > 0)
