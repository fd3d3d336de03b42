"""Sound in which nobody speaks, computed: a recogniser that finds a word in it has made the word up."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
_BEAT_S = 0.5
_CHORDS = ((0, 4, 7, 11), (-3, 0, 4, 7), (-7, -3, 0, 4), (-5, -1, 2, 5))  # semitones: I vi IV V, with sevenths
_SCALE = (0, 2, 4, 7, 9, 12, 14, 16)
_ROOT_HZ = 196.0

Sound = NDArray[np.float64]


def make_silence(path: Path, seconds: float) -> Path:
    """Write digital silence as a WAV file."""
    return _write(path, np.zeros(round(seconds * RATE_HZ)))


def make_music(path: Path, seconds: float) -> Path:
    """Write a tune over chords with a drum as a WAV file; every call makes the same one."""
    drawn, mix = np.random.default_rng(7), np.zeros(round((seconds + 4) * RATE_HZ))
    for beat in range(int(seconds / _BEAT_S)):
        at = round(beat * _BEAT_S * RATE_HZ)
        if beat % 4 == 0:
            for semitone in _CHORDS[beat // 4 % 4]:
                _add(mix, at, 0.25 * _note(semitone, 2.0, fading=0.8))
        _add(mix, at, 0.5 * _note(12 + int(drawn.choice(_SCALE)), 0.6, fading=5.0))
        _add(mix, at, 0.8 * _note(-24, 0.2, fading=25.0))
    return _write(path, 0.5 * mix[: round(seconds * RATE_HZ)] / np.abs(mix).max())


def _note(semitone: int, seconds: float, *, fading: float) -> Sound:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    hz = _ROOT_HZ * 2 ** (semitone / 12)
    partials = [np.sin(2 * np.pi * hz * k * time) / k**1.5 for k in range(1, 6)]
    attack, release = np.minimum(1, time / 0.01), np.minimum(1, (seconds - time) / 0.05)
    return np.asarray(np.sum(partials, axis=0) * np.exp(-fading * time) * attack * release)


def _add(mix: Sound, at: int, sound: Sound) -> None:
    mix[at : at + len(sound)] += sound


def _write(path: Path, sound: Sound) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((sound * 32767).round().astype("<i2").tobytes())
    return path
