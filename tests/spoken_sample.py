"""The first minute of the bundled episodes: music, then sentences whose text and place are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Said(Segment):
    """A sentence as the truth file has it."""

    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of an episode, cut in the pause after a sentence."""

    samples: NDArray[np.float32]
    sentences: tuple[Said, ...]
    music: tuple[Segment, ...]


@cache
def excerpt(episode: int = 0, seconds: float = 60.0) -> Excerpt:
    """The first `seconds` of an episode, or a little less, as float32 mono at 16 kHz."""
    name, truth = list(json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8")).items())[episode]
    said = tuple(Said(s["start"], s["end"], s["text"]) for s in truth["sentences"] if s["end"] < seconds)
    end = said[-1].end + 0.2
    music = tuple(Segment(m["start"], m["end"]) for m in truth["music"] if m["end"] < end)
    return Excerpt(episode_samples(SAMPLES / "episodes" / name)[: round(end * RATE_HZ)], said, music)


def episode_samples(path: Path, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """A whole episode, (time,), mono."""
    resampler = av.AudioResampler("flt", "mono", rate_hz)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)
