"""A label's head: few judgements on frozen vectors, pulled to what the label's words say, with calibrated scores.

A logistic regression over [features, likeness]. Before anything is judged the likeness alone decides, with the weight
`trust`; each judgement moves it away from that, as far as the ridge lets it. A sample of the corpus counts together as
`background_weight` negatives, so that one example is enough. The prior is that of Tip-Adapter (Zhang et al., 2022) in
a linear form; rows of the corpus as negatives are from exemplar-LDA (Hariharan et al., 2012), without its covariance.
What a probability means: docs/models/heads.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from annotation.logistic import fitted, platt
from featurization.errors import AnnotationError

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Titles = Sequence[str] | NDArray[Any]
By = Literal["title", "shot", "none"]
_SEED = 7
_FOR_A_ROUND = 6  # judgements of each kind
_MOST_ROUNDS = 10
_MOST_FOR_MEAN = 20_000
_UNSEEN = 0.5  # how far above the background another example scores, of what the only example scores itself


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """How far a head trusts words, judgements and the corpus."""

    ridge: float = 0.03  # pull of the features' weights to zero
    trust: float = 0.7  # weight of one spread of likeness before anything is judged, in log odds
    trust_pull: float = 4.0  # how firmly it stays there
    background: int = 512  # rows of the corpus that stand for all of it
    background_weight: float = 2.0  # negatives that they count as together, in the fit
    rarity: float = 10.0  # negatives that they count as for each positive, in the calibration
    slope_pull: float = 0.2  # how firmly the slope of the calibration stays at 1
    folds: int = 5

    def __post_init__(self) -> None:
        positive = ("ridge", "trust_pull", "background", "background_weight", "rarity", "slope_pull")
        if wrong := [name for name in positive if not getattr(self, name) > 0]:
            raise ValueError(f"{', '.join(wrong)} must be above 0")
        if self.folds < 2 or self.trust < 0:
            raise ValueError(f"folds must be at least 2 and trust at least 0, got {self.folds} and {self.trust:g}")


@dataclass(frozen=True, eq=False)
class Statistics:
    """What a corpus looks like, whatever the label."""

    mean: Rows  # (d,)
    scale: float  # root mean square distance from the mean
    rows: NDArray[np.int64]  # (k,) which rows of the corpus stand for it
    sample: Rows  # (k, d) those rows


def statistics_of(features: Rows, options: HeadOptions) -> Statistics:
    """Mean, spread and a sample of `features` (n, d); of a large corpus from some of its rows. Deterministic."""
    if features.ndim != 2 or not len(features):
        raise AnnotationError("there are no shots to learn from; ingest and featurize a film first")
    draw = np.random.default_rng(_SEED).permutation(len(features))
    some = features[np.sort(draw[:_MOST_FOR_MEAN])]
    mean = some.mean(axis=0, dtype=np.float64)
    scale = float(np.sqrt(np.mean(np.sum((some - mean) ** 2, axis=1)))) or 1.0
    rows = np.sort(draw[: options.background])
    return Statistics(mean.astype(np.float32), scale, rows, np.asarray(features[rows], dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Head:
    """A trained head; it scores vectors of the space that it was trained in, and of no other."""

    weights: Rows  # (d,)
    bias: float
    trust: float  # of likeness
    slope: float  # of the calibration
    offset: float
    positives: int
    negatives: int

    def probabilities(self, features: Rows, likeness: Floats) -> Floats:
        """How likely each shot shows it, (n,), of `features` (n, d) and `likeness` (n,)."""
        if features.ndim != 2 or features.shape[1] != len(self.weights):
            raise AnnotationError(
                f"the head was trained on vectors of {len(self.weights)} numbers, these have "
                f"{features.shape[-1]}; train the label again"
            )
        scores = (features @ self.weights).astype(np.float64) + self.trust * likeness + self.bias
        return np.asarray(expit(self.slope * scores + self.offset))

    def as_dict(self) -> dict[str, Any]:
        """Numbers and one list of numbers, for a table's row."""
        return {**asdict(self), "weights": self.weights.tolist()}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Head:
        """The head that `as_dict` wrote."""
        return cls(**{**row, "weights": np.asarray(row["weights"], dtype=np.float32)})


@dataclass(frozen=True, eq=False)
class Held:
    """Probabilities of judged shots by heads that did not see them; nan where nothing could be held out."""

    probabilities: Floats  # (m,)
    by: By  # what was held out together: all shots of a title, single shots, or nothing: there is one positive


def fit_head(
    features: Rows,
    likeness: Floats,
    holds: Flags,
    groups: Titles,
    *,
    statistics: Statistics,
    options: HeadOptions,
    pool_likeness: Floats | None = None,
) -> Head:
    """The head of a label from `features` (m, d), `likeness` (m,), `holds` (m,) and the title of each judged shot.

    `pool_likeness` (k,) is the likeness of `statistics.rows`; without it they count as average.
    Raises AnnotationError if nothing was judged to show it.
    """
    task = _Task(features, likeness, holds, groups, statistics, options, pool_likeness)
    coefficients, (slope, offset) = task.whole, task.calibration
    direction = (task.basis @ coefficients[:-2]) / statistics.scale
    return Head(
        weights=direction.astype(np.float32),
        bias=float(coefficients[-1] - direction @ statistics.mean),
        trust=float(coefficients[-2]),
        slope=slope,
        offset=offset,
        positives=int(task.holds.sum()),
        negatives=int((~task.holds).sum()),
    )


def cross_fitted(
    features: Rows,
    likeness: Floats,
    holds: Flags,
    groups: Titles,
    *,
    statistics: Statistics,
    options: HeadOptions,
    pool_likeness: Floats | None = None,
) -> Held:
    """What heads that did not see a shot, nor its title where two titles show it, say of each judged shot.

    Only the two numbers of the calibration are fitted on all. Raises AnnotationError if nothing shows it.
    """
    task = _Task(features, likeness, holds, groups, statistics, options, pool_likeness)
    if task.by == "none":
        return Held(np.full(len(holds), np.nan), "none")
    slope, offset = task.calibration
    return Held(np.asarray(expit(slope * task.held_scores + offset)), task.by)


class _Task:
    """Judged rows and background in as many dimensions as they span."""

    def __init__(
        self,
        features: Rows,
        likeness: Floats,
        holds: Flags,
        groups: Titles,
        statistics: Statistics,
        options: HeadOptions,
        pool_likeness: Floats | None,
    ) -> None:
        self.holds, self.options = np.asarray(holds, dtype=np.bool_), options
        _check(features, likeness, self.holds, groups, statistics, pool_likeness)
        self.groups = np.unique(np.asarray(groups), return_inverse=True)[1]
        raw = (np.concatenate([features, statistics.sample]).astype(np.float64) - statistics.mean) / statistics.scale
        self.basis, upper = np.linalg.qr(raw.T)
        around = np.zeros(len(statistics.sample)) if pool_likeness is None else pool_likeness
        self.rows = np.column_stack([upper.T, np.concatenate([likeness, around])])

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


def _check(
    features: Rows,
    likeness: Floats,
    holds: Flags,
    groups: Titles,
    statistics: Statistics,
    pool_likeness: Floats | None,
) -> None:
    sizes = {len(features), len(likeness), len(holds), len(groups)}
    if len(sizes) > 1:
        raise ValueError(f"columns must be of one length, got {sorted(sizes)}")
    if not holds.any():
        raise AnnotationError("nothing was judged to show it; mark at least one shot that shows it")
    if features.shape[1] != len(statistics.mean):
        raise AnnotationError(
            f"judged vectors have {features.shape[1]} numbers, the corpus's {len(statistics.mean)}; "
            "take both from one run of featurize_media"
        )
    around = 0.0 if pool_likeness is None else pool_likeness.sum()
    if not np.isfinite(features.sum(dtype=np.float64) + likeness.sum() + around):
        raise AnnotationError("a judged shot's vector is not of numbers; featurize its film again")
    if pool_likeness is not None and len(pool_likeness) != len(statistics.rows):
        raise ValueError(f"{len(pool_likeness)} likenesses for {len(statistics.rows)} rows of the corpus")
