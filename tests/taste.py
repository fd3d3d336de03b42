"""Made-up episodes whose editors have a known taste."""

import numpy as np

from ranking.features import FEATURE_NAMES
from ranking.groups import RankingGroup

LIKED, DISLIKED = FEATURE_NAMES.index("numbers"), FEATURE_NAMES.index("keyword_coverage")
ENERGY, POSITION = FEATURE_NAMES.index("energy"), FEATURE_NAMES.index("position")


def episode(number, *, taste, clips=40, shows=10, seed=0):
    """An episode of normal noise: its best clips by taste(matrix) have grades 4, 3, 2, 1 (two each), the rest 0."""
    rng = np.random.default_rng([seed, number])
    matrix = rng.normal(size=(clips, len(FEATURE_NAMES)))
    place = np.argsort(np.argsort(-taste(matrix)))
    grades = np.maximum(0, 4 - place // 2)
    return RankingGroup(f"episode-{number:04}", matrix, grades.astype(np.int64), show=f"show-{number % shows}")


def plain(matrix):
    """Against the prior: numbers are good, and what the episode is about is bad."""
    return 2 * matrix[:, LIKED] - 2 * matrix[:, DISLIKED]


def entangled(matrix):
    """Energy is good early and bad late: no weighted sum of features says that."""
    return -matrix[:, ENERGY] * matrix[:, POSITION]


def accidental(matrix):
    """No taste at all: another order for the same clips, decided by digits that no ranker can see."""
    return np.sin(1e6 * matrix[:, LIKED])
