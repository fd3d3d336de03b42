"""What the detector of speech and music hears: log-mel bands every 16 ms."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from featurization.pcm import PCM_RATE_HZ, Samples

Features = NDArray[np.float32]

HOP = 256  # samples between two rows; half of what voice activity hears at a time
BANDS = 64
_WINDOW = 1024  # samples: harmonics of a chord are told apart from 40 Hz on
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 7800.0
_FLOOR = 1e-10  # power that counts as none: -100 dB
_CHUNK = 4096  # rows at a time, so that memory does not grow
LEAD = (_WINDOW - HOP) // 2  # samples that a row hears before its own


def log_mels(samples: Samples) -> Features:
    """Log-mel rows in tens of dB around -50 dBFS, float32 (rows, 64).

    `samples` are 16 kHz and carry LEAD samples of context before the first row and after the last.
    """
    if len(samples) < _WINDOW:
        return np.zeros((0, BANDS), dtype=np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::HOP]
    parts = [_log_mels(frames[start : start + _CHUNK]) for start in range(0, len(frames), _CHUNK)]
    return np.concatenate(parts)


def _log_mels(frames: NDArray[np.float32]) -> Features:
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32) * np.float32(2 / _WINDOW)
    spectrum = np.fft.rfft(frames * window, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(np.log10(power.astype(np.float32) @ _filters() + _FLOOR) + 5, dtype=np.float32)


@cache
def _filters() -> NDArray[np.float32]:
    """Triangles that are equally wide on the mel scale, (bins, bands)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.arange(_WINDOW // 2 + 1) * PCM_RATE_HZ / _WINDOW
    rising = (bins[:, None] - edges[None, :-2]) / np.diff(edges)[None, :-1]
    falling = (edges[None, 2:] - bins[:, None]) / np.diff(edges)[None, 1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    nearest = np.abs(bins[:, None] - edges[None, 1:-1]).argmin(axis=0)
    triangles[nearest, np.arange(BANDS)] = np.maximum(triangles[nearest, np.arange(BANDS)], 0.5)  # low bands are narrow
    return triangles.astype(np.float32)
