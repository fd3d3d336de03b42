"""Recordings that take next to nothing to hear, so that what is left is the work around the models."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE_HZ = 16_000
SECONDS = 2


def make_recordings(folder: Path, count: int) -> Path:
    """A folder of `count` WAV files of two seconds of quiet noise, no two alike."""
    folder.mkdir()
    for number in range(count):
        noise = np.random.default_rng(number).normal(0.0, 100.0, RATE_HZ * SECONDS).astype(np.int16)
        with wave.open(str(folder / f"{number:06d}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(noise.tobytes())
    return folder
