"""How well turns say who speaks when: the diarization error rate of NIST (md-eval), exact on the edges of turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from featurization.media import Turn

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DiarizationErrors:
    """Seconds over recordings. `a + b` pools them; `DiarizationErrors()` is the empty pool."""

    spoken_s: float = 0.0  # of the reference; two who talk at once count twice
    missed_s: float = 0.0
    false_alarm_s: float = 0.0
    confused_s: float = 0.0  # given to the wrong speaker

    def __add__(self, other: DiarizationErrors) -> DiarizationErrors:
        return DiarizationErrors(
            self.spoken_s + other.spoken_s,
            self.missed_s + other.missed_s,
            self.false_alarm_s + other.false_alarm_s,
            self.confused_s + other.confused_s,
        )

    @property
    def rate(self) -> float:
        """Diarization error rate; may exceed 1. Without a reference 0 or infinite."""
        wrong_s = self.missed_s + self.false_alarm_s + self.confused_s
        if self.spoken_s:
            return wrong_s / self.spoken_s
        return float("inf") if wrong_s else 0.0


def diarization_errors(reference: Sequence[Turn], found: Sequence[Turn], *, collar_s: float = 0.0) -> DiarizationErrors:
    """Errors of one recording under the one-to-one mapping of speakers that shares most time.

    Overlapped speech is scored. `collar_s` seconds on each side of every edge of the reference are left out.
    """
    edges = _edges(reference, found, collar_s)
    weights = np.diff(edges) * ~_in_collar(edges, reference, collar_s)
    true, said = _active(reference, edges), _active(found, edges)
    shared_s = (true * weights) @ said.T
    correct_s = float(shared_s[linear_sum_assignment(shared_s, maximize=True)].sum())
    talking, heard = true.sum(axis=0), said.sum(axis=0)
    return DiarizationErrors(
        spoken_s=float(weights @ talking),
        missed_s=float(weights @ np.maximum(talking - heard, 0)),
        false_alarm_s=float(weights @ np.maximum(heard - talking, 0)),
        confused_s=max(0.0, float(weights @ np.minimum(talking, heard)) - correct_s),
    )


def _edges(reference: Sequence[Turn], found: Sequence[Turn], collar_s: float) -> Times:
    """Every time at which anything changes."""
    times = [time for turn in (*reference, *found) for time in (turn.start, turn.end)]
    collars = [
        time for turn in reference for edge in (turn.start, turn.end) for time in (edge - collar_s, edge + collar_s)
    ]
    return np.unique(np.array([*times, *collars], dtype=np.float64))


def _in_collar(edges: Times, reference: Sequence[Turn], collar_s: float) -> NDArray[np.bool_]:
    """Which spans between `edges` are too near an edge of the reference to be scored."""
    inside = np.zeros(max(0, len(edges) - 1), dtype=bool)
    for edge in {time for turn in reference for time in (turn.start, turn.end)}:
        inside[slice(*np.searchsorted(edges, (edge - collar_s, edge + collar_s)))] = True
    return inside if collar_s > 0 else np.zeros_like(inside)


def _active(turns: Sequence[Turn], edges: Times) -> Times:
    """1 where a speaker talks between two edges, else 0: (speaker, span)."""
    speakers = sorted({turn.speaker for turn in turns})
    active = np.zeros((len(speakers), max(0, len(edges) - 1)))
    for turn in turns:
        active[speakers.index(turn.speaker), slice(*np.searchsorted(edges, (turn.start, turn.end)))] = 1.0
    return active
