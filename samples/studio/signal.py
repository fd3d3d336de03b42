"""Small signal tools on mono float arrays: resampling, loudness, limiting, alignment."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float64]


def resample(audio: Audio, source: int, target: int) -> Audio:
    """Change the sample rate by resizing the spectrum."""
    if source == target:
        return audio
    common = gcd(source, target)
    down, up = source // common, target // common
    blocks = -(-len(audio) // down)
    padded = np.zeros(blocks * down)
    padded[: len(audio)] = audio
    spectrum = np.fft.rfft(padded)
    size = blocks * up
    bins = np.zeros(size // 2 + 1, dtype=complex)
    kept = min(len(bins), len(spectrum))
    bins[:kept] = spectrum[:kept]
    return np.fft.irfft(bins, size) * (up / down)


def fade(audio: Audio, rate: int, fade_in: float, fade_out: float) -> Audio:
    """Raise the start and lower the end along half cosines."""
    shaped = audio.copy()
    for seconds, view in ((fade_in, shaped), (fade_out, shaped[::-1])):
        size = min(len(view), int(seconds * rate))
        view[:size] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, size))
    return shaped


def trim(audio: Audio, rate: int, floor_db: float = -40.0) -> Audio:
    """Cut silence from both ends: 5 ms frames below ``floor_db`` of the loudest one."""
    size = int(0.005 * rate)
    frames = audio[: len(audio) // size * size].reshape(-1, size)
    level = np.sqrt(np.mean(frames**2, axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (floor_db / 20))
    return audio[loud[0] * size : (loud[-1] + 1) * size]


def loudness(audio: Audio, rate: int) -> float:
    """Gated loudness in LUFS as in ITU-R BS.1770."""
    power = np.cumsum(np.concatenate([[0.0], _k_weighted(audio, rate) ** 2]))
    size, step = int(0.4 * rate), int(0.1 * rate)
    starts = np.arange(0, len(audio) - size + 1, step)
    blocks = (power[starts + size] - power[starts]) / size
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    blocks = blocks[blocks > blocks.mean() / 10]
    return float(-0.691 + 10 * np.log10(blocks.mean()))


def _k_weighted(audio: Audio, rate: int) -> Audio:
    """Apply the two K-weighting filters in the frequency domain."""
    spectrum = np.fft.rfft(audio)
    z = np.exp(-1j * np.linspace(0, np.pi, len(spectrum)))
    k, q = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    mid = high**0.4996667741545416
    shelf = (high + mid * k / q + k * k) + 2 * (k * k - high) * z
    shelf = shelf + (high - mid * k / q + k * k) * z**2
    shelf /= (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    passed = 1 - 2 * z + z**2
    passed /= 1 + 2 * (k * k - 1) / norm * z + (1 - k / q + k * k) / norm * z**2
    return np.fft.irfft(spectrum * shelf * passed, len(audio))


def at_loudness(audio: Audio, rate: int, target: float) -> Audio:
    """Scale ``audio`` to ``target`` LUFS."""
    return audio * 10 ** ((target - loudness(audio, rate)) / 20)


def limit(audio: Audio, knee: float = 0.6) -> Audio:
    """Bend peaks above ``knee`` smoothly so that nothing passes full scale."""
    size = np.abs(audio)
    room = 0.92 - knee
    bent = knee + room * np.tanh((size - knee) / room)
    return np.where(size > knee, np.sign(audio) * bent, audio)


def delay(reference: Audio, heard: Audio) -> int:
    """Samples by which ``heard`` lags behind ``reference``."""
    size = 1 << (len(reference) + len(heard)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(reference, size))
    lag = int(np.argmax(np.fft.irfft(product, size)))
    return lag if lag < size // 2 else lag - size
