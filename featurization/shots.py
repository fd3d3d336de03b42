"""Where a film changes from one shot to the next, and how: cut, fade or dissolve.

The default detector is the cascade: a fast pass over all frames, with TransNetV2 where that is in doubt. The others
are there to compare with, or for what they are made for (docs/models/shots.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

from featurization.frames import Footage
from featurization.media import Shot
from featurization.models import Registry
from featurization.shot_detection.boundaries import Boundary
from featurization.shot_detection.readings import Network

MODEL = "transnetv2"
Detector = Literal["cascade", "transnetv2", "adaptive", "content", "histogram"]


@dataclass(frozen=True, slots=True)
class ShotOptions:
    """Which detector looks for shots, and the parameters of PySceneDetect's."""

    detector: Detector = "cascade"
    adaptive_threshold: float = 3.0  # change of a cut, as a multiple of the change around
    adaptive_min_change: float = 15.0  # 0 to 255
    content_threshold: float = 27.0  # 0 to 255
    histogram_threshold: float = 0.2  # 0 to 1; it finds fades better than the others
    min_shot_s: float = 0.6  # PySceneDetect's report no shorter shots


class ShotDetector(Protocol):
    """Something that finds transitions."""

    def boundaries(self, footage: Footage) -> tuple[Boundary, ...]:
        """The transitions of a film in order; they do not overlap."""


def detect_shots(footage: Footage, options: ShotOptions, registry: Registry) -> tuple[Shot, ...]:
    """The shots of a film, in order and without gaps over [0, end); one shot if nothing is cut. Keyframes are empty.

    Raises ModelError if the detector needs a network whose weights are not there.
    """
    from featurization.shot_detection.assembly import assemble_shots

    return assemble_shots(footage, make_detector(options, registry).boundaries(footage))


def make_detector(options: ShotOptions, registry: Registry) -> ShotDetector:
    """The detector that the options name."""
    if options.detector in ("cascade", "transnetv2"):
        return _NetworkDetector(registry.locate(MODEL), everywhere=options.detector == "transnetv2")
    return _SceneDetectDetector(options)


@lru_cache(maxsize=1)
def _network(folder: Path) -> Network:
    from featurization.shot_detection.transnetv2 import load_transnetv2

    return load_transnetv2(folder)


@dataclass(frozen=True)
class _NetworkDetector:
    """The cascade, or TransNetV2 over all frames."""

    weights: Path
    everywhere: bool

    def boundaries(self, footage: Footage) -> tuple[Boundary, ...]:
        """Where shots end and begin in the footage, in order."""
        from featurization.shot_detection import cascade
        from featurization.shot_detection.gate import GateOptions

        film = cascade.Sampled(footage.small, len(footage.times), footage.frame_rate)
        network = _network(self.weights)
        if self.everywhere:
            found = cascade.find_by_network(film, network)
        else:
            found = cascade.find_by_cascade(film, network, GateOptions())
        return cascade.in_order([film.in_film(boundary) for boundary in found])


@dataclass(frozen=True)
class _SceneDetectDetector:
    """One of PySceneDetect's."""

    options: ShotOptions

    def boundaries(self, footage: Footage) -> tuple[Boundary, ...]:
        """Where shots end and begin in the footage, in order."""
        from featurization.shot_detection import scene_detect

        detector = scene_detect.make_detector(self.options)
        return scene_detect.find_by_scene_detect(footage.small, len(footage.times), footage.frame_rate, detector)
