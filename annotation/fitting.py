"""The fit of a head: pulled to its words, calibrated on what was held out, over a sample of the corpus."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from annotation.examples import Examples, Flags, Floats, HeadOptions, Statistics
from annotation.logistic import fitted, platt
from featurization.errors import AnnotationError

By = Literal["title", "shot", "none"]
_SEED = 7
_FOR_A_ROUND = 6  # judgements of each kind
_MOST_ROUNDS = 10
_UNSEEN = 0.5  # how far above the background another example scores, of what the only example scores itself


class Fit:
    """Judged rows and background in as many dimensions as they span."""

    def __init__(self, examples: Examples, statistics: Statistics, options: HeadOptions) -> None:
        """AnnotationError if examples and corpus are of different widths."""
        _check(examples, statistics)
        self.holds, self.options = examples.holds, options
        self.groups = np.unique(np.asarray(examples.titles), return_inverse=True)[1]
        features = np.concatenate([examples.features, statistics.sample]).astype(np.float64)
        self.basis, upper = np.linalg.qr(((features - statistics.mean) / statistics.scale).T)
        around = np.zeros(len(statistics.sample)) if examples.around is None else examples.around
        self.rows = np.column_stack([upper.T, np.concatenate([examples.likeness, around])])

    def fit(self, kept: Flags) -> Floats:
        """Coefficients from the judged rows in `kept` (m,) and the background."""
        options, count = self.options, len(self.rows) - len(kept)
        used = np.append(np.flatnonzero(kept), np.arange(len(kept), len(self.rows)))
        weight = np.append(np.ones(kept.sum()), np.full(count, options.background_weight / count))
        columns = self.rows.shape[1] - 1
        return fitted(
            self.rows[used],
            np.append(self.holds[kept], np.zeros(count)).astype(np.float64),
            weight,
            prior=np.append(np.zeros(columns), options.trust),
            pull=np.append(np.full(columns, options.ridge), options.trust_pull),
        )

    @cached_property
    def whole(self) -> Floats:
        """Coefficients from all that was judged."""
        return self.fit(np.ones(len(self.holds), dtype=np.bool_))

    @cached_property
    def scores(self) -> Floats:
        """Of all rows, judged ones and background, by the head that saw all."""
        return np.asarray(self.rows @ self.whole[:-1] + self.whole[-1])

    @property
    def by(self) -> By:
        """What can be held out so that something that shows it is left."""
        if len(np.unique(self.groups[self.holds])) > 1:
            return "title"
        return "shot" if self.holds.sum() > 1 else "none"

    @cached_property
    def held_scores(self) -> Floats:
        """Of judged rows, by heads that did not see them, (m,)."""
        scores = self.scores[: len(self.holds)].copy()
        if self.by == "none":
            middle = np.median(self.scores[len(self.holds) :])
            scores[self.holds] = middle + _UNSEEN * (scores[self.holds] - middle)
            return scores
        units = self.groups if self.by == "title" else np.arange(len(self.holds))
        for out in _folds(units, self.holds, self.options.folds):
            coefficients = self.fit(~out)
            scores[out] = (self.rows[: len(out)] @ coefficients[:-1] + coefficients[-1])[out]
        return scores

    @cached_property
    def calibration(self) -> tuple[float, float]:
        """Slope and offset, from scores of rows that were held out and from the background, which is mostly not it."""
        around, options = self.scores[len(self.holds) :], self.options
        scores = np.append(self.held_scores, around)
        truth = np.append(self.holds, np.zeros(len(around))).astype(np.float64)
        each = options.rarity * self.holds.sum() / len(around)
        weight = np.append(np.ones(len(self.holds)), np.full(len(around), each))
        for _ in range(self._rounds):
            slope, offset = platt(scores, truth, weight, pull=options.slope_pull)
            truth[len(self.holds) :] = expit(slope * around + offset)  # some of the background shows it, too
        return platt(scores, truth, weight, pull=options.slope_pull)

    @property
    def _rounds(self) -> int:
        """How often the background is asked again: with few judgements it would soon be believed to show it all."""
        fewer = min(int(self.holds.sum()), int((~self.holds).sum()))
        return min(_MOST_ROUNDS, 1 + fewer // _FOR_A_ROUND)


def _folds(units: NDArray[np.int64], holds: Flags, most: int) -> Iterator[Flags]:
    """Flags (m,) of each fold: whole units, those with positives dealt first so that each fold leaves some."""
    shown = np.unique(units[holds])
    draw = np.random.default_rng(_SEED)
    others = np.setdiff1d(units, shown)
    dealt = np.concatenate([draw.permutation(shown), draw.permutation(others)])
    count = min(most, len(shown))
    for fold in range(count):
        yield np.isin(units, dealt[fold::count])


def _check(examples: Examples, statistics: Statistics) -> None:
    width, known = examples.features.shape[1], len(statistics.mean)
    if width != known:
        raise AnnotationError(
            f"judged vectors have {width} numbers, the corpus's {known}; take both from one run of featurize_media"
        )
    if examples.around is not None and len(examples.around) != len(statistics.rows):
        raise ValueError(f"{len(examples.around)} likenesses for {len(statistics.rows)} rows of the corpus")
