"""Decoded sound as it waits on disk: 16 kHz samples of which only a window is ever in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment

Samples = NDArray[np.float32]

PCM_RATE_HZ = 16_000
_SAMPLE = np.dtype("<i2")


@dataclass(frozen=True, slots=True)
class Pcm:
    """Decoded sound in a scratch file: int16 at 16 kHz, one channel or two interleaved. Times are media time."""

    path: Path
    stored_channels: Literal[1, 2]
    length: int  # samples per channel
    channels: Literal["mono", "split"] = "mono"  # "split": the two channels carry different speakers
    inverted: bool = False  # the right channel is the left one upside down, so that their mean would be silence
    loudness_lufs: float = -70.0  # EBU R128 integrated, of the original signal; -70 for silence
    loudness_range_lu: float = 0.0
    damaged_packets: int = 0  # left out because they did not decode
    inserted_s: float = 0.0  # silence put in where the timestamps leave a gap

    @property
    def duration_s(self) -> float:
        return self.length / PCM_RATE_HZ

    @property
    def span(self) -> Segment:
        return Segment(0.0, self.duration_s)

    def read(self, segment: Segment, channel: int | None = None) -> Samples:
        """Samples of `segment` in [-1, 1], (time,): the mixdown, or channel 0 or 1. Clipped to what there is."""
        start = min(round(segment.start * PCM_RATE_HZ), self.length)
        end = min(round(segment.end * PCM_RATE_HZ), self.length)
        return self._window(start, end - start, channel)

    def blocks(self, block_s: float = 60.0, channel: int | None = None) -> Iterator[Samples]:
        """The whole sound from its start in consecutive blocks, each (time,); the last one may be shorter."""
        step = max(1, round(block_s * PCM_RATE_HZ))
        for start in range(0, self.length, step):
            yield self._window(start, min(step, self.length - start), channel)

    def _window(self, start: int, count: int, channel: int | None) -> Samples:
        if channel is not None and not 0 <= channel < self.stored_channels:
            raise ValueError(f"channel must be below {self.stored_channels}, got {channel}")
        width = self.stored_channels
        with self.path.open("rb") as file:
            file.seek(start * width * _SAMPLE.itemsize)
            stored = np.fromfile(file, dtype=_SAMPLE, count=count * width).reshape(-1, width)
        if channel is None and width == 2 and not self.inverted:
            return np.asarray(stored.sum(axis=1, dtype=np.float32) * np.float32(0.5 / 32768))
        return stored[:, channel or 0].astype(np.float32) * np.float32(1 / 32768)


class ChannelStatistics:
    """Running evidence on whether two channels carry different speakers.

    Two people recorded on a channel each take turns: now one channel is loud alone, now the other. A stereo mix, a
    panned room or music hardly ever is.
    """

    FRAME = PCM_RATE_HZ // 10  # 100 ms, shorter than a syllable's pause
    ACTIVE = 1e-5  # mean square, -50 dBFS
    ALONE = 10**1.2  # 12 dB above the other channel: more than a voice leaks between two microphones in a call
    MIN_ALONE = 0.5  # of the active time
    MIN_EACH = 0.08  # of the active time; the quieter of two speakers talks at least so much

    def __init__(self) -> None:
        self._active = 0
        self._alone = np.zeros(2, dtype=np.int64)
        self._products = np.zeros(3)  # sums of LL, RR and LR

    def add(self, block: NDArray[np.int16]) -> None:
        """Take in a block of (time, 2); a rest shorter than 100 ms at its end is left out."""
        whole = len(block) // self.FRAME * self.FRAME
        left, right = (block[:whole, side].reshape(-1, self.FRAME).astype(np.float32) / 32768 for side in (0, 1))
        powers = np.stack([(left**2).mean(axis=1), (right**2).mean(axis=1)])
        self._products += [powers[0].sum(), powers[1].sum(), (left * right).mean(axis=1).sum()]
        self._active += int((powers.max(axis=0) > self.ACTIVE).sum())
        loud, quiet = powers, powers[::-1]
        self._alone += ((loud > self.ACTIVE) & (loud > self.ALONE * quiet)).sum(axis=1)

    @property
    def split(self) -> bool:
        """Whether each channel is often loud alone."""
        enough = max(1.0, self.MIN_EACH * self._active)
        return bool(self._alone.min() >= enough and self._alone.sum() >= self.MIN_ALONE * self._active)

    @property
    def inverted(self) -> bool:
        """Whether one channel is, near enough, the other upside down."""
        left, right, both = self._products
        return bool(both < -0.9 * np.sqrt(left * right)) if left * right > 0 else False
