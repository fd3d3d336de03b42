"""What a head is taught on: judged shots, and the corpus that they are from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.errors import AnnotationError

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Titles = Sequence[str] | NDArray[Any]
_SEED = 7
_MOST_FOR_MEAN = 20_000


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
class Examples:
    """Judged shots. Raises AnnotationError if none of them shows it, or a vector is not of numbers."""

    features: Rows  # (m, d)
    likeness: Floats  # (m,), to the label's words (annotation/likeness.py); zeros if it has none
    holds: Flags  # (m,)
    titles: Titles  # (m,), what is held out together
    around: Floats | None = None  # (k,), likeness of `Statistics.rows`; without it they count as average

    def __post_init__(self) -> None:
        sizes = {len(self.features), len(self.likeness), len(self.holds), len(self.titles)}
        if len(sizes) > 1:
            raise ValueError(f"columns must be of one length, got {sorted(sizes)}")
        if not self.holds.any():
            raise AnnotationError("nothing was judged to show it; mark at least one shot that shows it")
        around = 0.0 if self.around is None else self.around.sum()
        if not np.isfinite(self.features.sum(dtype=np.float64) + self.likeness.sum() + around):
            raise AnnotationError("a judged shot's vector is not of numbers; featurize its film again")
