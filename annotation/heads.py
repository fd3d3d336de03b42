"""A label's head: few judgements on frozen vectors, pulled to what the label's words say, with calibrated scores.

A logistic regression over [features, likeness]. Before anything is judged the likeness alone decides, with the weight
`trust`; each judgement moves it away from that, as far as the ridge lets it. A sample of the corpus counts together as
`background_weight` negatives, so that one example is enough. The prior is that of Tip-Adapter (Zhang et al., 2022) in
a linear form; rows of the corpus as negatives are from exemplar-LDA (Hariharan et al., 2012), without its covariance.
What a probability means: docs/models/heads.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from annotation.examples import Examples, Floats, HeadOptions, Rows, Statistics
from annotation.fitting import By, Fit
from featurization.errors import AnnotationError


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


def fit_head(examples: Examples, statistics: Statistics, options: HeadOptions) -> Head:
    """The head of a label. Raises AnnotationError if examples and corpus do not fit together."""
    return _head(Fit(examples, statistics, options), statistics)


def cross_fitted(examples: Examples, statistics: Statistics, options: HeadOptions) -> Held:
    """What heads that did not see a shot, nor its title where two titles show it, say of each judged shot.

    Only the two numbers of the calibration are fitted on all. Raises AnnotationError as `fit_head` does.
    """
    return _held(Fit(examples, statistics, options))


def taught(examples: Examples, statistics: Statistics, options: HeadOptions) -> tuple[Head, Held]:
    """`fit_head` and `cross_fitted` by one fit."""
    fit = Fit(examples, statistics, options)
    return _head(fit, statistics), _held(fit)


def _head(fit: Fit, statistics: Statistics) -> Head:
    slope, offset = fit.calibration
    direction = (fit.basis @ fit.whole[:-2]) / statistics.scale
    return Head(
        weights=direction.astype(np.float32),
        bias=float(fit.whole[-1] - direction @ statistics.mean),
        trust=float(fit.whole[-2]),
        slope=slope,
        offset=offset,
        positives=int(fit.holds.sum()),
        negatives=int((~fit.holds).sum()),
    )


def _held(fit: Fit) -> Held:
    if fit.by == "none":
        return Held(np.full(len(fit.holds), np.nan), "none")
    slope, offset = fit.calibration
    return Held(np.asarray(expit(slope * fit.held_scores + offset)), fit.by)
