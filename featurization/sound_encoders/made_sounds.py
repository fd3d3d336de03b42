"""Sounds of many kinds, made by arithmetic: what vectors of sounds are measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurization.pcm import PCM_RATE_HZ, Samples

LENGTH_S = 2.0
_TIME = np.arange(round(LENGTH_S * PCM_RATE_HZ)) / PCM_RATE_HZ
Signal = NDArray[np.float64]


def made_sounds() -> tuple[Samples, ...]:
    """Noises, tones, chords, sweeps, blows, and buzzes shaped as vowels are; always the same."""
    generator = np.random.default_rng(0)
    sounds: list[Signal] = [np.zeros_like(_TIME)]
    for slope in (0.0, 0.5, 1.0, 1.5):  # white to rumbling
        noise = _noise(generator, slope)
        sounds += [noise, 0.1 * noise, noise * _pulsing(2.0), noise * _blows(generator)]
    for hz in (60.0, 150.0, 320.0, 700.0, 1500.0, 3300.0):
        tone = np.sin(2 * np.pi * hz * _TIME)
        sounds += [tone, _chord(hz), tone * _blows(generator), _sweep(hz, 2 * hz)]
    for pitch_hz in (95.0, 140.0, 210.0, 280.0):
        voice = _voice(pitch_hz, generator)
        sounds += [voice * _pulsing(4.0), 0.7 * voice * _pulsing(4.0) + 0.3 * _noise(generator, 0.8)]
    return tuple(_levelled(sound, generator) for sound in sounds)


def _noise(generator: np.random.Generator, slope: float) -> Signal:
    """Noise whose amplitude falls with frequency to the power of `slope`."""
    frequencies = np.maximum(np.fft.rfftfreq(len(_TIME), 1 / PCM_RATE_HZ), 20.0)
    spectrum = np.fft.rfft(generator.normal(size=len(_TIME))) / frequencies**slope
    return np.asarray(np.fft.irfft(spectrum, n=len(_TIME)))


def _pulsing(hz: float) -> Signal:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * hz * _TIME))


def _blows(generator: np.random.Generator) -> Signal:
    """Sudden beginnings that die away, a few in a second."""
    starts = np.sort(generator.uniform(0, LENGTH_S, 6))
    ages = _TIME[None, :] - starts[:, None]
    return np.asarray(np.where(ages >= 0, np.exp(-ages / 0.08), 0).sum(axis=0))


def _chord(hz: float) -> Signal:
    partials = [np.sin(2 * np.pi * hz * ratio * n * _TIME) / n for ratio in (1, 1.25, 1.5) for n in (1, 2, 3)]
    return np.asarray(np.sum(partials, axis=0))


def _sweep(low_hz: float, high_hz: float) -> Signal:
    return np.asarray(np.sin(2 * np.pi * (low_hz * _TIME + (high_hz - low_hz) * _TIME**2 / (2 * LENGTH_S))))


def _voice(pitch_hz: float, generator: np.random.Generator) -> Signal:
    """Harmonics of a wavering pitch, strongest near three formants."""
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + 0.04 * np.sin(2 * np.pi * 1.3 * _TIME))) / PCM_RATE_HZ
    numbers = np.arange(1, int(4000 / pitch_hz))
    formants = generator.uniform((300, 900, 2200), (800, 2000, 3000))
    strengths = [np.exp(-0.5 * ((n * pitch_hz - formants) / 120) ** 2).sum() + 0.02 / n for n in numbers]
    return np.asarray(sum(s * np.sin(n * phase) for s, n in zip(strengths, numbers, strict=True)))


def _levelled(sound: Signal, generator: np.random.Generator) -> Samples:
    """At a level between -35 and -12 dBFS."""
    rms = np.sqrt(np.mean(sound**2))
    level = 10 ** (generator.uniform(-35, -12) / 20)
    return np.clip(sound * level / rms if rms else sound, -1, 1).astype(np.float32)
