"""How well tags agree with what people say of the same stretches: precision, recall, and average precision.

A row is one stretch that somebody judged for one label, with the confidence of the tag that it has; 0 without one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import RESAMPLES, Interval, bootstrap
from eval.detection_metrics import DetectionMetrics, Flags, judge_flags

Floats = NDArray[np.float64]
DECIDED = 0.5  # confidence from which a tag is shown
_CELLS = 1_000_000  # of replicates by rows, held at once
_SEED = 7
_Z = 1.959964  # of a normal distribution, at 95 % on both sides


@dataclass(frozen=True, eq=False)
class TagRows:
    """Judged stretches, row by row."""

    labels: tuple[str, ...]
    assets: tuple[str, ...]
    confidence: Floats  # (rows,)
    holds: Flags  # (rows,)

    def __post_init__(self) -> None:
        sizes = {len(self.labels), len(self.assets), len(self.confidence), len(self.holds)}
        if len(sizes) > 1 or not np.isfinite(self.confidence).all():
            raise ValueError(f"columns must be of one length and confidences numbers, got lengths {sorted(sizes)}")

    def of(self, label: str) -> TagRows:
        """The rows of one label."""
        kept = [row for row, name in enumerate(self.labels) if name == label]
        assets = tuple(self.assets[row] for row in kept)
        return TagRows((label,) * len(kept), assets, self.confidence[kept], self.holds[kept])

    @property
    def shown(self) -> Flags:
        """Which rows have a tag that is shown, (rows,)."""
        return np.asarray(self.confidence >= DECIDED)


@dataclass(frozen=True, slots=True)
class TagMetrics:
    """Figures of one label, or of all together. A figure is None where nothing could show it."""

    counts: DetectionMetrics
    precision: Interval | None  # None if no judged stretch has a tag that is shown
    recall: Interval | None  # None if nothing holds
    average_precision: Interval | None  # None if nothing holds


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """Counts of shown tags. `a + b` pools them; `SpotCheck()` is the empty pool."""

    shown: int = 0
    checked: int = 0  # of those, how many somebody judged
    held: int = 0  # of those, how many hold

    def __add__(self, other: SpotCheck) -> SpotCheck:
        return SpotCheck(self.shown + other.shown, self.checked + other.checked, self.held + other.held)

    @property
    def precision(self) -> float:
        return self.held / self.checked if self.checked else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the precision lies, at 95 %: the score interval of Wilson (JASA 22, 1927), honest of small samples."""
        if not self.checked:
            return 0.0, 1.0
        n, share, z = self.checked, self.precision, _Z
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def judge_tags(rows: TagRows, *, level: float = 0.95) -> TagMetrics:
    """Metrics over all rows, whatever their label, with intervals over assets."""
    shown, holds = rows.shown, rows.holds
    return TagMetrics(
        counts=judge_flags(holds, shown),
        precision=_share(holds, rows.assets, among=shown, level=level),
        recall=_share(shown, rows.assets, among=holds, level=level),
        average_precision=_interval(rows, _average_precisions, level) if holds.any() else None,
    )


def mean_average_precision(rows: TagRows, *, level: float = 0.95) -> Interval | None:
    """Average precision of each label that holds somewhere, each counting once; None without such a label."""
    known = [label for label in sorted(set(rows.labels)) if rows.of(label).holds.any()]
    if not known:
        return None
    parts = [(rows.of(label), np.array([name == label for name in rows.labels])) for label in known]

    def means(_: TagRows, weights: Floats) -> Floats:
        # A replicate in which a label holds nowhere says nothing of that label.
        found = np.ma.masked_invalid(np.stack([_average_precisions(part, weights[:, own]) for part, own in parts]))
        return np.asarray(found.mean(axis=0).filled(np.nan))

    return _interval(rows, means, level)


def average_precision(confidence: Floats, holds: Flags) -> float:
    """Mean precision at the ranks of what holds, by confidence; both (rows,).

    Tied rows enter at once, so a constant confidence is worth the base rate, however its rows are sorted. Raises
    ValueError if nothing holds: there is nothing to find.
    """
    if not holds.any():
        raise ValueError("where no row holds, there is no average precision")
    rows = TagRows(("",) * len(holds), ("",) * len(holds), confidence, holds)
    return float(_average_precisions(rows, np.ones((1, len(holds))))[0])


def average_precision_gain(rows: TagRows, ours: Floats, theirs: Floats, *, level: float = 0.95) -> Interval | None:
    """How much better `ours` (rows,) orders rows than `theirs`, with its interval over assets; None if none holds."""
    if not rows.holds.any():
        return None

    def gain(_: TagRows, weights: Floats) -> Floats:
        first, second = (TagRows(rows.labels, rows.assets, sure, rows.holds) for sure in (ours, theirs))
        return np.asarray(_average_precisions(first, weights) - _average_precisions(second, weights))

    return _interval(rows, gain, level)


def _average_precisions(rows: TagRows, weights: Floats) -> Floats:
    """Average precision where each row counts `weights` (replicates, rows) times; nan where nothing holds."""
    order = np.argsort(-rows.confidence, kind="stable")
    last = np.flatnonzero(np.append(np.diff(rows.confidence[order]) != 0, True))  # of each tied run
    counted = weights[:, order]
    found, seen = np.cumsum(counted * rows.holds[order], axis=1)[:, last], np.cumsum(counted, axis=1)[:, last]
    precision = found / np.maximum(seen, 1)
    gained = np.diff(found, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray((gained * precision).sum(axis=1) / found[:, -1])


def _share(flags: Flags, assets: Sequence[str], *, among: Flags, level: float) -> Interval | None:
    """The share of `flags` among some rows."""
    if not among.any():
        return None
    owners = [asset for asset, kept in zip(assets, among, strict=True) if kept]
    return bootstrap(flags[among].astype(np.float64), owners, level=level)


def _interval(rows: TagRows, figure: Callable[[TagRows, Floats], Floats], level: float) -> Interval:
    """A figure that is no mean over rows, with its percentile interval over assets; of one asset alone, over rows."""
    replicates = np.concatenate([figure(rows, weights) for weights in _drawn(rows.assets)])
    low, high = np.nanquantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    whole = float(figure(rows, np.ones((1, len(rows.assets))))[0])
    return Interval(whole, float(low), float(high), level, len(set(rows.assets)), len(rows.assets))


def _drawn(assets: Sequence[str]) -> Iterator[Floats]:
    """How often each row is drawn when assets are drawn with replacement, in parts of (replicates, rows)."""
    names, owner = np.unique(np.array(assets), return_inverse=True)
    if len(names) == 1:
        owner = np.arange(len(assets))
    count, generator = int(owner.max()) + 1, np.random.default_rng(_SEED)
    at_once = max(1, _CELLS // len(assets))
    for first in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - first)
        yield generator.multinomial(count, np.full(count, 1 / count), size=size)[:, owner].astype(np.float64)
