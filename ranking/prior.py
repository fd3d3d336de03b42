"""The prior: what makes a good preview before anybody has marked one.

A weighted sum of features, each standardised within the episode: (value - median) / spread, cut at ±3. A weight is
therefore "points per usual deviation of this episode", and a feature in which all clips agree decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ranking.features import FEATURE_NAMES, FEATURES_VERSION
from ranking.ranker import Scores
from ranking.spans import Floats

_FARTHEST = 3.0
_IQR_OF_NORMAL = 1.349  # interquartile range of a normal distribution with standard deviation 1

WEIGHTS: dict[str, float] = {
    # It must stand alone: a clip that leans on what was said before loses the listener in its first second.
    "complete": 1.0,
    "dangling_start": -1.0,
    "unresolved": -0.6,
    "orphan_answer": -0.6,
    # It must open well: the first sentences decide whether anybody stays.
    "opening_curiosity": 0.8,
    "opening_question": 0.5,
    "opening_address": 0.3,
    "closing_question": 0.2,
    # It should stand for the episode, and be concrete.
    "keyword_coverage": 0.8,
    "centrality": 0.5,
    "curiosity": 0.5,
    "names": 0.3,
    "numbers": 0.2,
    "questions": 0.2,
    "vocabulary": 0.2,
    "novelty": 0.2,
    # It should be lively and easy to understand.
    "clarity": 0.4,
    "energy": 0.3,
    "energy_variation": 0.3,
    "energy_opening": 0.2,
    "speech_rate": 0.1,
    "pause_share": -0.3,
    "turns": 0.2,
    "speakers": 0.1,
    "balance": 0.1,
    # It should be one thought of the wanted length, told early enough to leave something to hear.
    "length_deviation": -0.4,
    "topic_changes": -0.5,
    "topic_distance": -0.3,
    "position": -0.3,
    # What the gates let through may still smell.
    "music_share": -1.0,
    "ad_share": -2.0,
    "spoiler_risk": -0.8,
    "greeting": -1.0,
    "outro": -1.0,
    "housekeeping": -0.8,
    # A film should be lively to look at, cut where the film is cut, and look like itself: no titles, no credits.
    "starts_on_shot": 0.5,
    "ends_on_shot": 0.3,
    "motion": 0.3,
    "shot_rate": 0.2,
    "longest_shot": -0.2,
    "brightness": 0.2,
    "contrast": 0.2,
    "picture_distance": -0.3,
    "black_share": -1.0,
}


@dataclass(frozen=True, slots=True)
class PriorOptions:
    """Weights that differ from the documented ones, by feature name."""

    weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := self.weights.keys() - set(FEATURE_NAMES):
            raise ValueError(f"no feature is called {', '.join(sorted(unknown))}; known: {', '.join(FEATURE_NAMES)}")


@dataclass(frozen=True)
class Prior:
    """A Ranker that needs no training."""

    options: PriorOptions = field(default_factory=PriorOptions)
    name: str = "prior"

    @cached_property
    def weights(self) -> Floats:
        """One weight per feature, in the order of FEATURES; a feature without a stated weight has 0."""
        stated = WEIGHTS | self.options.weights
        return np.array([stated.get(name, 0.0) for name in FEATURE_NAMES], dtype=np.float64)

    @property
    def identity(self) -> str:
        stated = json.dumps([FEATURES_VERSION, *zip(FEATURE_NAMES, self.weights.tolist(), strict=True)])
        return f"{self.name}@{hashlib.sha256(stated.encode()).hexdigest()[:12]}"

    def score(self, matrix: Floats) -> Scores:
        return Scores(standardise(matrix) * self.weights)


def standardise(matrix: Floats) -> Floats:
    """Columns as robust deviations from their median, within ±3; a constant column becomes 0.

    The spread is the interquartile range; for rare features, where that is 0, the standard deviation.
    """
    if not len(matrix):
        return matrix
    low, middle, high = np.percentile(matrix, [25, 50, 75], axis=0)
    spread = np.where(high > low, (high - low) / _IQR_OF_NORMAL, matrix.std(axis=0))
    constant = spread <= np.finfo(np.float64).eps * np.abs(matrix).max(axis=0)
    return np.where(constant, 0.0, np.clip((matrix - middle) / np.where(constant, 1.0, spread), -_FARTHEST, _FARTHEST))
