"""Loudness by EBU R128 (ITU-R BS.1770-4) and a limiter that holds the true peak, over whole short clips."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_BLOCK_S, _HOP_S = 0.4, 0.1
_TRUE_PEAK_RATE_HZ = 352_800  # twice what BS.1770 asks for: at 4 x, noise still hides 0.2 dB between samples


@dataclass(frozen=True, slots=True)
class MasterOptions:
    """Where a preview ends up on the meters."""

    target_lufs: float = -16.0  # integrated loudness; -16 LUFS is what podcast apps ask for
    tolerance_lu: float = 0.2  # how near the finished file must come, inside the promised 0.5 LU
    true_peak_dbtp: float = -1.0  # never exceeded in the decoded file
    lookahead_s: float = 0.008  # how early the limiter begins to turn down, and how late it lets go
    rounds: int = 20  # encode-and-measure rounds before giving up; 1 or 2 are usual

    def __post_init__(self) -> None:
        if not _ABSOLUTE_GATE_LUFS < self.target_lufs < 0 or self.true_peak_dbtp > 0:
            raise ValueError("target_lufs must lie in (-70, 0) and true_peak_dbtp must not be above 0")
        if self.tolerance_lu <= 0 or self.lookahead_s <= 0 or self.rounds < 1:
            raise ValueError("tolerance_lu and lookahead_s must be positive and rounds at least 1")


def loudness_lufs(samples: Samples, rate_hz: int) -> float:
    """Integrated loudness of (channels, time) with both gates; -inf if nothing passes the absolute gate."""
    block, hop = round(_BLOCK_S * rate_hz), round(_HOP_S * rate_hz)
    weighted = _k_weighted(_padded(samples, block), rate_hz)
    total = np.concatenate([[0.0], np.cumsum(np.square(weighted).sum(axis=0))])
    starts = np.arange(0, weighted.shape[1] - block + 1, hop)
    power = (total[starts + block] - total[starts]) / block
    loud = power[power > _power(_ABSOLUTE_GATE_LUFS)]
    if loud.size == 0:
        return -math.inf
    gated = loud[loud > _power(_lufs(float(loud.mean())) + _RELATIVE_GATE_LU)]
    return _lufs(float(gated.mean()))


def true_peak_dbtp(samples: Samples, rate_hz: int) -> float:
    """Highest inter-sample peak of (channels, time) in dB of full scale; -inf for digital silence."""
    peak = max((float(np.abs(_oversampled(channel, rate_hz)).max(initial=0.0)) for channel in samples), default=0.0)
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def limit(samples: Samples, rate_hz: int, *, ceiling_db: float, lookahead_s: float) -> Samples:
    """Turn down only around peaks above `ceiling_db`, all channels alike, so that no true peak passes it."""
    gain = limiting_gain(samples, rate_hz, ceiling_db=ceiling_db, lookahead_s=lookahead_s)
    return np.asarray(samples * gain, dtype=np.float32)


def limiting_gain(samples: Samples, rate_hz: int, *, ceiling_db: float, lookahead_s: float) -> Samples:
    """The gain per sample that holds `ceiling_db`: 1 wherever nothing needs to be turned down.

    It is the sliding minimum of what each moment needs, smoothed by a Hann window of the same length: it arrives
    before the peak does and never undercuts what the peak needs.
    """
    factor = _factor(rate_hz)
    peaks = np.max([_peak_envelope(channel, rate_hz, factor) for channel in samples], axis=0)
    needed = np.minimum(1.0, 10 ** (ceiling_db / 20) / np.maximum(peaks, 1e-9))
    if needed.min(initial=1.0) >= 1.0:
        return np.ones(samples.shape[1], dtype=np.float32)
    reach = max(1, round(lookahead_s * rate_hz))
    from scipy.ndimage import minimum_filter1d

    window = np.hanning(2 * reach + 1)
    held = minimum_filter1d(np.pad(needed, reach, mode="edge"), 2 * reach + 1, mode="nearest")
    return np.asarray(np.convolve(held, window / window.sum(), mode="valid"), dtype=np.float32)


def _k_weighted(samples: Samples, rate_hz: int) -> NDArray[np.float64]:
    """BS.1770 pre-filter: a high shelf for the head, then a high pass, designed for any rate."""
    from scipy.signal import lfilter  # half a second to import, and only needed here

    out = samples.astype(np.float64)
    for b, a in (_head_shelf(rate_hz), _high_pass(rate_hz)):
        out = np.asarray(lfilter(b, a, out, axis=-1))
    return out


def _head_shelf(rate_hz: int) -> tuple[list[float], list[float]]:
    """The shelf whose coefficients at 48 kHz are those of the standard's table 1."""
    k, q = math.tan(math.pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    b = [(high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0]
    return b, [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]


def _high_pass(rate_hz: int) -> tuple[list[float], list[float]]:
    k, q = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]


def _padded(samples: Samples, length: int) -> Samples:
    """Clips shorter than one block are measured as one block, as if silence followed."""
    short = length - samples.shape[1]
    return np.pad(samples, ((0, 0), (0, short))) if short > 0 else samples


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _factor(rate_hz: int) -> int:
    return max(1, math.ceil(_TRUE_PEAK_RATE_HZ / rate_hz))


def _oversampled(channel: Samples, rate_hz: int) -> Samples:
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(channel.astype(np.float32), _factor(rate_hz), 1))


def _peak_envelope(channel: Samples, rate_hz: int, factor: int) -> Samples:
    """Per sample, the highest true peak between its neighbours."""
    peaks = np.abs(_oversampled(channel, rate_hz)).reshape(-1, factor).max(axis=1)
    return np.asarray(np.maximum(peaks, np.concatenate([[0.0], peaks[:-1]])))
