"""What rankers learn from: the clips of one episode, and how good each of them is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from featurization.errors import ModelError
from ranking.context import Ints
from ranking.features import FEATURE_NAMES
from ranking.prior import standardise
from ranking.spans import Floats

log = logging.getLogger(__name__)

MOST_CLIPS = 10_000  # of one episode that are trained on; LightGBM aborts above it
_LEAST_SHARE = 10  # every grade that occurs keeps at least a tenth of them, or all it has


@dataclass(frozen=True, eq=False)
class RankingGroup:
    """The clips of one episode: features (clips, features) and integer grades 0 to 4 (clips,)."""

    asset_id: str
    matrix: Floats
    grades: Ints
    show: str = ""  # groups of one show are never parted by a split
    weight: float = 1.0  # how much its editors are trusted

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.grades), len(FEATURE_NAMES)):
            raise ValueError(
                f"{self.asset_id}: {self.matrix.shape} features for {len(self.grades)} grades of {len(FEATURE_NAMES)}"
            )
        if not np.issubdtype(self.grades.dtype, np.integer):
            raise ValueError(f"{self.asset_id}: grades must be integers, got {self.grades.dtype}")
        if not np.isfinite(self.weight) or self.weight <= 0:
            raise ValueError(f"{self.asset_id}: the weight must be a positive number, got {self.weight}")

    @property
    def teaches(self) -> bool:
        """Whether any clip is better than another."""
        return len(np.unique(self.grades)) > 1


def lessons(groups: Iterable[RankingGroup], *, what: str = "training") -> tuple[RankingGroup, ...]:
    """The episodes that teach anything, in the order of their ids, their features checked.

    An episode in which no clip is better than another is left out: LightGBM would count it as a perfect order.
    Raises ModelError if none is left, or if a feature is not a number.
    """
    given = tuple(groups)
    graded = tuple(sorted((group for group in given if group.teaches), key=lambda group: group.asset_id))
    if not graded:
        raise ModelError(
            f"none of {len(given)} {what} episodes has clips of different grades; mark golden clips in them"
        )
    for group in graded:
        _refuse_what_is_no_number(group)
    return graded


def thinned(group: RankingGroup, most: int = MOST_CLIPS) -> RankingGroup:
    """The episode with at most `most` clips: the better a grade, the more of it is kept, evenly over the episode."""
    if len(group.grades) <= most:
        return group
    rows = _kept(group.grades, most)
    log.warning("%s: %d candidates, trained on %d of them", group.asset_id, len(group.grades), len(rows))
    return replace(group, matrix=group.matrix[rows], grades=group.grades[rows])


def standardised(group: RankingGroup) -> RankingGroup:
    """The episode with its features as the prior sees them: deviations from the episode's median."""
    return replace(group, matrix=standardise(group.matrix))


def refuse_indifference(score: Callable[[Floats], Floats], groups: Sequence[RankingGroup]) -> None:
    """Raise ModelError if a model gives all clips of each episode one score: it would choose by accident."""
    if not any(np.ptp(score(group.matrix)) > 0 for group in groups):
        raise ModelError(
            f"the ranker learned nothing from {len(groups)} episodes: it scores all clips of an episode alike; "
            "do their features differ at all?"
        )


def _refuse_what_is_no_number(group: RankingGroup) -> None:
    bad = np.flatnonzero(~np.isfinite(group.matrix).all(axis=0))
    if len(bad):
        names = ", ".join(FEATURE_NAMES[column] for column in bad)
        raise ModelError(f"{group.asset_id}: {names} is not a number in every clip; featurize the episode again")


def _kept(grades: Ints, most: int) -> Ints:
    """Rows to keep, ascending."""
    room, kept = most, []
    levels = np.unique(grades)[::-1]
    for below, grade in zip(range(len(levels) - 1, -1, -1), levels, strict=True):
        rows = np.flatnonzero(grades == grade)
        share = min(len(rows), room - below * (most // _LEAST_SHARE))
        kept.append(rows[np.linspace(0, len(rows) - 1, share).round().astype(np.int64)])
        room -= share
    return np.sort(np.concatenate(kept))
