"""How much of many clips a set of spans covers, for all clips at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featurization.media import Segment, merge

Floats = NDArray[np.float64]


class Coverage:
    """The union of some spans, asked by time: a query costs the logarithm of the number of spans."""

    def __init__(self, spans: Iterable[Segment]) -> None:
        union = merge(spans)
        self.starts: Floats = np.array([span.start for span in union], dtype=np.float64)
        self._lengths: Floats = np.array([span.duration for span in union], dtype=np.float64)
        self._before: Floats = np.concatenate([[0.0], np.cumsum(self._lengths)])

    def within(self, start: ArrayLike, end: ArrayLike) -> Floats:
        """Seconds covered of each [start, end), shape of the inputs."""
        return np.maximum(0.0, self._until(end) - self._until(start))

    def _until(self, time: ArrayLike) -> Floats:
        """Seconds covered from 0 to each `time`."""
        moment = np.asarray(time, dtype=np.float64)
        if not self.starts.size:
            return np.zeros(moment.shape)
        index = np.searchsorted(self.starts, moment, side="right") - 1
        inside = np.clip(moment - self.starts[index], 0.0, self._lengths[index])
        return np.where(index < 0, 0.0, self._before[index] + inside)
