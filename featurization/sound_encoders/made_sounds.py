"""Sounds of nothing in particular: tones, chords, noises, beats and babble, always the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurization.pcm import PCM_RATE_HZ, Samples

SECONDS = 2.0
_EACH = 5  # sounds of each kind
_Wave = NDArray[np.float64]


def made_sounds() -> tuple[Samples, ...]:
    """Thirty sounds of two seconds at 16 kHz, at the levels of speech."""
    rng = np.random.default_rng(0)
    makers = (_noise, _chord, _melody, _beats, _babble, _hum)
    return tuple(_levelled(maker(rng), rng) for maker in makers for _ in range(_EACH))


def _levelled(wave: _Wave, rng: np.random.Generator) -> Samples:
    loudest = float(np.sqrt(np.mean(wave**2))) or 1.0
    level = 10 ** (rng.uniform(-40, -14) / 20)
    return np.clip(wave * level / loudest, -1, 1).astype(np.float32)


def _time() -> _Wave:
    return np.arange(round(SECONDS * PCM_RATE_HZ)) / PCM_RATE_HZ


def _noise(rng: np.random.Generator) -> _Wave:
    """Noise from white to brown."""
    spectrum = np.fft.rfft(rng.normal(size=len(_time())))
    slope = np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0, 1.2)
    return np.fft.irfft(spectrum * slope, n=len(_time()))


def _chord(rng: np.random.Generator) -> _Wave:
    """Sustained notes with overtones."""
    root = rng.uniform(110, 440)
    return np.sum([_note(root * ratio, rng) for ratio in (1, rng.choice([1.2, 1.25]), 1.5)], axis=0)


def _note(hz: float, rng: np.random.Generator) -> _Wave:
    falloff = rng.uniform(0.8, 2.0)
    return np.sum([np.sin(2 * np.pi * hz * k * _time()) / k**falloff for k in range(1, 8)], axis=0)


def _melody(rng: np.random.Generator) -> _Wave:
    """Plucked notes, some a second."""
    wave, length = np.zeros(len(_time())), round(rng.uniform(0.15, 0.5) * PCM_RATE_HZ)
    decay = np.exp(-np.arange(length) / (0.3 * length))
    for at in range(0, len(wave) - length, length):
        wave[at : at + length] = decay * _note(220 * 2 ** (rng.integers(0, 24) / 12), rng)[:length]
    return wave


def _beats(rng: np.random.Generator) -> _Wave:
    """Short bursts in a steady beat."""
    phase = (_time() * rng.uniform(1.5, 4)) % 1.0
    return np.exp(-phase * rng.uniform(8, 30)) * rng.normal(size=len(phase))


def _babble(rng: np.random.Generator) -> _Wave:
    """A buzz whose pitch and formants wander as those of a voice do, in syllables."""
    time = _time()
    pitch = rng.uniform(90, 250) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.3, 1) * time))
    buzz = np.sum([np.sin(k * 2 * np.pi * np.cumsum(pitch) / PCM_RATE_HZ) / k for k in range(1, 20)], axis=0)
    formant = np.sin(2 * np.pi * rng.uniform(500, 2500) * time + 3 * np.sin(2 * np.pi * 2 * time))
    syllables = np.maximum(0, np.sin(2 * np.pi * rng.uniform(2.5, 5) * time)) ** 0.5
    return syllables * buzz * (1 + formant)


def _hum(rng: np.random.Generator) -> _Wave:
    """A machine: a low tone with noise, slowly changing."""
    low = np.sin(2 * np.pi * rng.uniform(40, 120) * _time())
    return low * (1 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 2) * _time())) + 0.2 * _noise(rng)
