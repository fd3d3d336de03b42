"""What is on screen when: the shots of a film prepared for questions about many clips at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from featurization.media import Shot
from ranking.spans import Coverage, Floats

Measure = Literal["brightness", "contrast", "motion"]

_BLACK = 0.04  # a shot no brighter than this, of 1, shows nothing


class Screen:
    """Shots in order without gaps, and one vector per shot or none. Without shots every answer is 0."""

    def __init__(self, shots: Sequence[Shot], vectors: NDArray[np.float32]) -> None:
        self.shots, self.vectors = tuple(shots), vectors
        self.starts: Floats = np.array([shot.start for shot in shots], dtype=np.float64)
        self._edges: Floats = np.array([*self.starts, *(shot.end for shot in shots[-1:])], dtype=np.float64)

    def mean(self, measure: Measure, start: Floats, end: Floats) -> Floats:
        """Mean of a measure of the shots over each [start, end), by time on screen."""
        if not self.shots:
            return np.zeros(start.shape)
        values = np.array(list(map(attrgetter(measure), self.shots)), dtype=np.float64)[:, None]
        return self._means(values, start, end)[:, 0]

    def longest(self, start: Floats, end: Floats) -> Floats:
        """Seconds of each [start, end) that the shot which fills most of it is on screen."""
        if not self.shots:
            return np.zeros(start.shape)
        ends = self._edges[1:]
        first = np.searchsorted(ends, start, side="right")
        last = np.searchsorted(self.starts, end, side="left")
        return np.array(
            [
                (np.minimum(ends[i:j], b) - np.maximum(self.starts[i:j], a)).max(initial=0.0)
                for i, j, a, b in zip(first, last, start, end, strict=True)
            ],
            dtype=np.float64,
        )

    def distance(self, start: Floats, end: Floats) -> Floats:
        """1 - cosine of the mean vector of each [start, end) and that of the whole film; 0 where either is unknown."""
        if not len(self.vectors):
            return np.zeros(start.shape)
        clip = self._means(self.vectors.astype(np.float64), start, end)
        whole = self._means(self.vectors.astype(np.float64), self._edges[:1], self._edges[-1:])[0]
        norms = np.linalg.norm(clip, axis=1) * np.linalg.norm(whole)
        return np.where(norms > 0, 1.0 - clip @ whole / np.where(norms > 0, norms, 1.0), 0.0)

    def on_edge(self, time: Floats, *, within_s: float) -> Floats:
        """1 where the edge of a shot is this near."""
        if not self.shots:
            return np.zeros(time.shape)
        index = np.searchsorted(self._edges, time)
        before, after = self._edges[np.maximum(index - 1, 0)], self._edges[np.minimum(index, len(self._edges) - 1)]
        return np.asarray(np.minimum(abs(time - before), abs(time - after)) <= within_s, dtype=np.float64)

    @cached_property
    def black(self) -> Coverage:
        return Coverage(shot for shot in self.shots if shot.brightness <= _BLACK)

    def _means(self, values: Floats, start: Floats, end: Floats) -> Floats:
        """Means over time of what is constant in each shot: values (shots, k) to (clips, k)."""
        lengths = np.diff(self._edges)[:, None]
        total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values * lengths, axis=0)])
        seconds = np.minimum(end, self._edges[-1]) - np.maximum(start, self._edges[0])
        area = self._until(total, values, end) - self._until(total, values, start)
        return np.asarray(area / np.maximum(seconds, 1e-9)[:, None])

    def _until(self, total: Floats, values: Floats, time: Floats) -> Floats:
        moment = np.clip(time, self._edges[0], self._edges[-1])
        index = np.clip(np.searchsorted(self._edges, moment, side="right") - 1, 0, len(values) - 1)
        return np.asarray(total[index] + values[index] * (moment - self._edges[index])[:, None])
