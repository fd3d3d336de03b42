"""How much a sound holds its notes: continuous frequency activation (Seyerlehner, Pohle, Schedl & Widmer 2007).

Music keeps a partial in one place for a good part of a second; the partials of a voice glide, and noise has none. In
a spectrogram of which only the local peaks are kept, music therefore draws horizontal lines, also under speech.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.pcm import Samples

HOP_S = 0.2  # between two values of the track
WINDOW_S = 2.6  # in which a line must last

_FRAME, _STEP, _STEPS = 1536, 400, 8  # samples per spectrum, between spectra; spectra per hop
_HOP = _STEP * _STEPS
_UNIT = 128 * _HOP  # samples computed at once: always as many, so that block sizes cannot change a rounding
_MARGIN = (_FRAME - _STEP) // 2
_AROUND = round((WINDOW_S / HOP_S - 1) / 2)  # hops on each side
_BINS = slice(50, 480)  # 520 Hz to 5 kHz; lower, a voice glides less than a bin
_NEIGHBOURS = 21  # bins that a partial has to stand out from
_EMPHASIS_DB = 3.0
_AUDIBLE_DB = -75.0  # dBFS of a partial; below is hum and hiss
_VALLEY = 5  # bins in which a line is measured against the lowest
_LINES = 20  # strongest lines that count; music has as many, a beep or a hum has not
_TAPER = np.hanning(_FRAME).astype(np.float32)

Counts = NDArray[np.uint8]


class TonalityMeter:
    """Push 16 kHz samples in, take tonality out: one value in 0..1 per hop, the mean strength of the best lines."""

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(_MARGIN, dtype=np.float32)  # from a margin before the next unit on
        self._counts: Counts = np.zeros((0, _BINS.stop - _BINS.start), dtype=np.uint8)
        self._behind = 0  # hops in `_counts` that are only context
        self._strengths: list[NDArray[np.float32]] = []

    def feed(self, block: Samples) -> None:
        """Take in samples of any number."""
        self._samples = np.concatenate([self._samples, block])
        while len(self._samples) >= _UNIT + 2 * _MARGIN:
            self._take(_activity(self._samples[: _UNIT + 2 * _MARGIN]))
            self._samples = self._samples[_UNIT:]

    def finish(self) -> NDArray[np.float32]:
        """The whole track, (hop,); nothing may be fed afterwards."""
        left = len(self._samples) - _MARGIN
        padded = max(0, -(-left // _HOP)) * _HOP + 2 * _MARGIN
        if left > 0:
            self._take(_activity(np.pad(self._samples, (0, max(0, padded - len(self._samples))))[:padded]))
        self._emit(len(self._counts))
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._strengths])

    def _take(self, counts: Counts) -> None:
        self._counts = np.concatenate([self._counts, counts])
        self._emit(len(self._counts) - _AROUND)

    def _emit(self, end: int) -> None:
        """Values of the hops up to `end`, then forget what no later window needs."""
        if end <= self._behind:
            return
        self._strengths.append(_strengths(self._counts, self._behind, end))
        keep = max(0, end - _AROUND)
        self._counts, self._behind = self._counts[keep:], end - keep


def _activity(samples: Samples) -> Counts:
    """In how many of its spectra each bin of a hop stands out, (hop, bin), 0 to 8."""
    from scipy.ndimage import uniform_filter1d  # slow to import, and only needed here

    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_STEP]
    spectra: NDArray[Any] = np.fft.rfft(frames * _TAPER, axis=1)[:, _BINS]
    decibels = 20 * np.log10(np.abs(spectra) * np.float32(2 / _TAPER.sum()) + np.float32(1e-7))
    around = uniform_filter1d(decibels, _NEIGHBOURS, axis=1, mode="nearest")
    active = (decibels > around + _EMPHASIS_DB) & (decibels > _AUDIBLE_DB)
    return np.asarray(active.reshape(-1, _STEPS, active.shape[1]).sum(axis=1, dtype=np.uint8))


def _strengths(counts: Counts, start: int, end: int) -> NDArray[np.float32]:
    """Mean height of the strongest lines in the window around each hop from `start` to `end`."""
    from scipy.ndimage import minimum_filter1d

    sums = np.cumsum(np.pad(counts, ((1, 0), (0, 0))), axis=0, dtype=np.int32)
    hops = np.arange(start, end)
    first, last = np.maximum(hops - _AROUND, 0), np.minimum(hops + _AROUND + 1, len(counts))
    activation = ((sums[last] - sums[first]) / (_STEPS * (last - first)[:, None])).astype(np.float32)
    inner = activation[:, 1:-1]
    peaks = (inner > activation[:, :-2]) & (inner >= activation[:, 2:])
    heights = np.where(peaks, inner - minimum_filter1d(activation, _VALLEY, axis=1)[:, 1:-1], 0)
    return np.asarray(np.partition(heights, -_LINES, axis=1)[:, -_LINES:].mean(axis=1), dtype=np.float32)
