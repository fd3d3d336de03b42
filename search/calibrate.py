"""Scores that mean something: how likely a hit is more than the best of many rows that have nothing to do with a query.

A cosine of .3 may be the nearest there is or what everything has; it depends on the query and on the encoder. So each
query is judged against the scores that it gives to a background:

    z    = (score - median) / spread        spread: 1.4826 × the median absolute deviation, a standard deviation where
                                            the background is normal; a few related rows in it move neither
    edge = sqrt(2 ln (rows / CHANCE))       what the best of so many unrelated rows exceeds in CHANCE of queries
    p    = 1 / (1 + exp(edge - z))          .5 at the edge; each spread beyond it multiplies the odds by e

So .5 is where a search through all `rows` stops being luck, and a query whose best hit stays below it matches nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

CHANCE = 0.05
NORMAL = 1.4826  # standard deviations in a median absolute deviation
DOUBT = 4.0  # the spread seen in m scores is widened by DOUBT / m: few scores show too little of it
UNKNOWN = 0.5
Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the scores of one query are to be read."""

    centre: float
    spread: float
    edge: float  # in spreads above the centre

    @classmethod
    def of(cls, background_scores: ArrayLike, *, n: int) -> Calibration:
        """Judge by the scores of a background, for the best of `n` rows. Without a background nothing is known."""
        scores = np.asarray(background_scores, dtype=np.float64)
        edge = math.sqrt(2 * math.log(max(n, 1) / CHANCE))
        if not scores.size:
            return cls(0.0, math.inf, edge)
        centre = float(np.median(scores))
        away = np.abs(scores - centre)
        spread = NORMAL * float(np.median(away)) or float(away.mean())  # half of the scores may be one value
        return cls(centre, spread * (1 + DOUBT / scores.size), edge)

    def probabilities(self, scores: ArrayLike) -> Probabilities:
        """The probability of each score to be more than luck, in [0, 1]."""
        values = np.asarray(scores, dtype=np.float64)
        if math.isinf(self.spread):
            return np.full(values.shape, UNKNOWN)
        if not self.spread:
            return np.where(values > self.centre, 1.0, 0.0)
        z = (values - self.centre) / self.spread
        return np.asarray(0.5 * (1 + np.tanh((z - self.edge) / 2)))  # the logistic function, which never overflows so


def calibrated(scores: ArrayLike, background_scores: ArrayLike, *, n: int) -> Probabilities:
    """Probabilities of the scores of one query, given its scores against a background; `n` rows were searched."""
    return Calibration.of(background_scores, n=n).probabilities(scores)
