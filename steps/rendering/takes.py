"""Mastering by rounds: encode, measure what a listener's decoder makes of it, correct, until it is on target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.errors import EmptyMedia, UnreadableMedia
from steps.rendering.mastering import MasterOptions, limit, limiting_gain, loudness_lufs, true_peak_dbtp
from steps.rendering.mp3 import decode_clip

Samples = NDArray[np.float32]

_MARGIN_DB = 0.1  # how much further an overshoot is turned down with each round


@dataclass(frozen=True, slots=True)
class Take:
    """Encoded sound, as measured on its decoded bytes."""

    data: bytes
    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float  # what was added to the original; peaks may have been held lower
    source_lufs: float  # integrated loudness before mastering


def mastered(
    samples: Samples, rate_hz: int, *, encode: Callable[[Samples], bytes], options: MasterOptions, name: str
) -> Take:
    """Gain and limit (channels, time) until what `encode` makes of it, decoded, is on target.

    Coding moves peaks, so the finished bytes are what counts: where they pass the ceiling, that place alone is turned
    down before the next round. Raises EmptyMedia if nothing is audible, UnreadableMedia if the target is out of reach.
    """
    source_lufs = loudness_lufs(samples, rate_hz)
    if not math.isfinite(source_lufs):
        raise EmptyMedia(f"{name}: nothing audible; choose another moment")
    gain_db, guard = options.target_lufs - source_lufs, np.ones(samples.shape[1], dtype=np.float32)
    for attempt in range(options.rounds):
        loud = (samples * guard * 10 ** (gain_db / 20)).astype(np.float32)
        held = limit(loud, rate_hz, ceiling_db=options.true_peak_dbtp, lookahead_s=options.lookahead_s)
        take = _measured(encode(held), gain_db, source_lufs)
        short_lu = options.target_lufs - take.loudness_lufs
        if abs(short_lu) <= options.tolerance_lu and take.true_peak_dbtp <= options.true_peak_dbtp:
            return take
        gain_db += short_lu if abs(short_lu) > options.tolerance_lu / 2 else 0.0
        guard *= _overshoot_gain(take, guard.size, rate_hz, options, margin_db=_MARGIN_DB * (attempt + 1))
    raise UnreadableMedia(
        f"{name}: cannot reach {options.target_lufs:g} LUFS under {options.true_peak_dbtp:g} dBTP; "
        "choose another moment"
    )


def _overshoot_gain(take: Take, length: int, rate_hz: int, options: MasterOptions, *, margin_db: float) -> Samples:
    """Per sample, what keeps the decoded peaks of a take under the ceiling; 1 where they are."""
    if take.true_peak_dbtp <= options.true_peak_dbtp:
        return np.ones(length, dtype=np.float32)
    decoded = decode_clip(take.data).samples[:, :length]
    ceiling_db = options.true_peak_dbtp - margin_db
    gain = limiting_gain(decoded, rate_hz, ceiling_db=ceiling_db, lookahead_s=options.lookahead_s)
    return np.pad(gain, (0, length - gain.size), constant_values=1.0)


def _measured(data: bytes, gain_db: float, source_lufs: float) -> Take:
    pcm = decode_clip(data)
    loudness, peak = loudness_lufs(pcm.samples, pcm.rate_hz), true_peak_dbtp(pcm.samples, pcm.rate_hz)
    return Take(data, loudness, peak, gain_db, source_lufs)
