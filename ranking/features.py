"""The features of a candidate, declared once: the matrix, the documentation, the prior and the ranker read this list.

A new feature is one function and one row. A change in what a feature means raises FEATURES_VERSION, so that a model
trained on the old meaning refuses to load.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ranking.candidates import Candidate
from ranking.context import Clips, EpisodeContext, Feature
from ranking.picture_features import PICTURE_FEATURES
from ranking.place_features import PLACE_FEATURES, RISK_FEATURES
from ranking.sound_features import SOUND_FEATURES, SPEAKER_FEATURES
from ranking.spans import Floats
from ranking.word_features import WORD_FEATURES

FEATURES_VERSION = 2

FEATURES: tuple[Feature, ...] = (
    *WORD_FEATURES,
    *SOUND_FEATURES,
    *SPEAKER_FEATURES,
    *PLACE_FEATURES,
    *RISK_FEATURES,
    *PICTURE_FEATURES,
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


def feature_matrix(candidates: Sequence[Candidate], context: EpisodeContext) -> Floats:
    """Features of every candidate, (candidates, features), columns in the order of FEATURES."""
    if not candidates:
        return np.zeros((0, len(FEATURES)))
    clips = Clips.of(candidates)
    return np.column_stack([feature.compute(clips, context) for feature in FEATURES])


def feature_table() -> tuple[tuple[str, str, str], ...]:
    """Name, group and description of every feature, for the documentation and the card."""
    return tuple((feature.name, feature.group, feature.description) for feature in FEATURES)
