"""What another choice of clips would have earned, from the log of the clips that were shown.

A log tells most of the clips that were shown most. Each row is therefore weighted by how much more often the new choice
would have shown its clip than the old one did (inverse propensities). Large weights are clipped, for a little bias
against much variance (Ionides, "Truncated importance sampling", JCGS 17(2), 2008). The estimate is divided by the sum
of the weights (Swaminathan and Joachims, "The self-normalized estimator for counterfactual learning", NeurIPS 2015), so
that it stays a share and does not swing with the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class OffPolicyOptions:
    """How far a log is trusted."""

    clip: float = 20.0  # largest weight of a row: no choice counts for more than this many others
    level: float = 0.95
    prior_views: float = 20.0  # a clip's rate is drawn towards that of its episode as by this many views

    def __post_init__(self) -> None:
        if self.clip < 1 or not 0 < self.level < 1 or self.prior_views < 0:
            raise ValueError("clip must be 1 or more, level between 0 and 1, and prior_views 0 or more")


@dataclass(frozen=True, slots=True)
class Log:
    """What was shown and what came of it: arrays (rows,)."""

    propensity: Floats  # with which the clip was shown; above 0, at most 1
    reward: Floats  # 0 to 1: 1 if the episode was streamed

    def __post_init__(self) -> None:
        if len(self.propensity) != len(self.reward):
            raise ValueError(f"{len(self.propensity)} propensities for {len(self.reward)} rewards")
        if not usable(self.propensity).all():
            raise ValueError("every row needs a propensity above 0 and at most 1; leave out the others and count them")
        if not ((self.reward >= 0) & (self.reward <= 1)).all():
            raise ValueError("rewards must lie from 0 to 1")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean reward of a choice that was not made, with its interval."""

    value: float
    low: float
    high: float
    level: float
    rows: int
    effective: float  # rows of equal weight that would tell as much (Kish)
    clipped_share: float  # of the weight; the estimate is biased by no more than this

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def usable(propensity: Floats) -> NDArray[np.bool_]:
    """Which rows can be weighted: those whose propensity is known, above 0 and at most 1."""
    return np.asarray((propensity > 0) & (propensity <= 1))  # not a number is neither


def value_of(log: Log, target: Floats, *, clusters: Ints | None = None, options: OffPolicyOptions) -> Estimate:
    """The mean reward if clips were shown with probability `target` (rows,) instead.

    Rows of one cluster, a listener say, are taken to go together. The interval is widened by what clipping may hide.
    Raises ValueError if the new choice was never shown.
    """
    if len(target) != len(log.reward) or not ((target >= 0) & (target <= 1)).all():
        raise ValueError("target needs a probability from 0 to 1 for each row")
    whole = target / log.propensity
    weight = np.minimum(whole, options.clip)
    if not weight.sum():
        raise ValueError("the log holds no view of the new choice, so nothing can be said of it; show it to somebody")
    value = float(np.average(log.reward, weights=weight))
    clipped = float(1 - weight.sum() / whole.sum())
    half = NormalDist().inv_cdf((1 + options.level) / 2) * _deviation(weight, log.reward, value, clusters)
    return Estimate(
        value=value,
        low=max(0.0, value - half - clipped * value),  # what was clipped away may have earned nothing
        high=min(1.0, value + half + clipped * (1 - value)),  # or everything
        level=options.level,
        rows=len(weight),
        effective=float(weight.sum() ** 2 / (weight**2).sum()),
        clipped_share=clipped,
    )


@dataclass(frozen=True, slots=True)
class ClipValues:
    """What each clip is worth: arrays (clips,)."""

    rate: Floats  # streams per view, drawn towards the episode's rate where views are few
    views: Ints
    weighted_views: Floats  # as if every clip had been shown as often as chance would
    weighted_streams: Floats
    trust: Floats  # 0 to 1: the weight of the clip as a training example; n / (n + prior_views)


def clip_values(log: Log, clip: Ints, episode: Ints, *, options: OffPolicyOptions) -> ClipValues:
    """What the clips of a log earned, each for itself; `clip` (rows,) and `episode` (clips,) are indices from 0.

    A clip that the ranker likes is shown more and so streamed more; weighted by inverse propensity, that drops out.
    """
    clips = len(episode)
    weight = np.minimum(1 / log.propensity, options.clip)
    views = np.bincount(clip, minlength=clips).astype(np.int64)
    seen, streamed, squares = (_sums(clip, w, clips) for w in (weight, weight * log.reward, weight**2))
    usual = _episode_rates(seen, streamed, episode)
    own = np.divide(streamed, seen, out=usual.copy(), where=seen > 0)
    effective = np.divide(seen**2, squares, out=np.zeros(clips), where=seen > 0)
    trust = effective / np.maximum(effective + options.prior_views, np.finfo(float).tiny)
    return ClipValues(usual + trust * (own - usual), views, seen, streamed, trust)


def _episode_rates(seen: Floats, streamed: Floats, episode: Ints) -> Floats:
    """The rate of each clip's episode (clips,), each view weighted; 0 where nothing was seen."""
    count = int(episode.max(initial=-1)) + 1
    views, streams = _sums(episode, seen, count), _sums(episode, streamed, count)
    rates = np.divide(streams, views, out=np.zeros_like(views), where=views > 0)
    return np.asarray(rates[episode])


def _deviation(weight: Floats, reward: Floats, value: float, clusters: Ints | None) -> float:
    """Standard error of the weighted mean `value`, by the delta method; what one cluster adds is added up first.

    It is taken as if one more average row had its reward and one had none: a log without a stream is not certain of 0.
    """
    pulled = weight * (reward - value)
    if clusters is not None:
        pulled = _sums(clusters, pulled, int(clusters.max()) + 1)
    doubt = float((weight**2).mean()) * ((1 - value) ** 2 + value**2)
    return float(np.sqrt((pulled**2).sum() + doubt) / weight.sum())


def _sums(index: Ints, weights: Floats, count: int) -> Floats:
    return np.bincount(index, weights=weights, minlength=count).astype(np.float64)
