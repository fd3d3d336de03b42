"""How loud each moment is: a track of short-term levels, and where in a window it is quietest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment
from featurization.pcm import PCM_RATE_HZ, Samples

FLOOR_DB = -96.0  # of digital silence, about one step of 16 bits


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """RMS level in dBFS of consecutive hops of `hop_s` seconds, float32 (time,); `FLOOR_DB` for silence."""

    decibels: NDArray[np.float32]
    hop_s: float

    @property
    def duration_s(self) -> float:
        return len(self.decibels) * self.hop_s

    def within(self, segment: Segment) -> NDArray[np.float32]:
        """The levels of the hops that `segment` touches; at least one if there is any sound at all."""
        first = min(int(segment.start / self.hop_s + 1e-6), max(0, len(self.decibels) - 1))
        last = max(first + 1, int(np.ceil(segment.end / self.hop_s - 1e-6)))
        return self.decibels[first:last]

    def mean(self, segment: Segment) -> float:
        """Level in dBFS of the mean power over `segment`; `FLOOR_DB` outside the sound."""
        levels = self.within(segment)
        return float(10 * np.log10(np.mean(10 ** (levels.astype(np.float64) / 10)))) if len(levels) else FLOOR_DB

    def percentile(self, share: float, segment: Segment | None = None) -> float:
        """The level in dBFS that `share` (0..1) of the hops stay below: .1 is the noise floor, .9 the loud parts."""
        levels = self.decibels if segment is None else self.within(segment)
        return float(np.quantile(levels, share)) if len(levels) else FLOOR_DB

    def quietest(self, window: Segment) -> float:
        """Time of the middle of the quietest hop in `window`; of equals the one nearest the window's middle."""
        levels = self.within(window)
        if not len(levels):
            return window.middle
        first = min(int(window.start / self.hop_s + 1e-6), len(self.decibels) - 1)
        times = (first + np.arange(len(levels)) + 0.5) * self.hop_s
        lowest = times[levels <= levels.min() + 1e-3]
        return float(np.clip(lowest[np.argmin(np.abs(lowest - window.middle))], window.start, window.end))


def measure_levels(blocks: Iterable[Samples], *, hop_s: float = 0.1) -> Levels:
    """Levels of 16 kHz sound that comes in blocks of any size; a rest shorter than a hop counts as one."""
    hop, rest, parts = max(1, round(hop_s * PCM_RATE_HZ)), np.zeros(0, dtype=np.float32), []
    for block in blocks:
        joined = np.concatenate([rest, block])
        whole = len(joined) // hop * hop
        parts.append(_decibels(joined[:whole].reshape(-1, hop)))
        rest = joined[whole:]
    if len(rest):
        parts.append(_decibels(rest.reshape(1, -1)))
    return Levels(np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32), hop / PCM_RATE_HZ)


def _decibels(hops: Samples) -> NDArray[np.float32]:
    power = np.einsum("hs,hs->h", hops, hops, dtype=np.float64) / hops.shape[1]
    return np.asarray(np.maximum(10 * np.log10(np.maximum(power, 1e-12)), FLOOR_DB), dtype=np.float32)
