"""Intervals that hold at every look, so that an experiment may be watched and stopped at any time.

Waudby-Smith et al., "Time-uniform central limit theory and asymptotic confidence sequences", arXiv:2103.06476,
Theorem 2.2: Robbins' normal mixture around a running mean. The running mean is here the difference of two arms' rates:
with known shares it is the mean of one term per unit, whose variance is that of the difference times the number of
units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST = 10  # of each outcome in each arm, below which nothing is said: the theory is one of large numbers


def rate_difference(
    ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats], *, alpha: float, planned: float
) -> tuple[Floats, Floats]:
    """How much higher our rate is than theirs, and the half-width of its interval; arrays of any one shape.

    Each side is (successes, units). The interval covers the truth at all looks together with probability 1 - `alpha`,
    and is tightest when both arms have `planned` units together. It is infinitely wide while an arm of that size is
    too small for either outcome to be expected LEAST times.
    """
    (our_rate, our_variance), (their_rate, their_variance) = _mean(*ours), _mean(*theirs)
    units = np.maximum(ours[1] + theirs[1], 1)
    common, _ = _mean(ours[0] + theirs[0], units)
    width = np.sqrt((our_variance + their_variance) * units) * margin(units, alpha=alpha, planned=planned)
    enough = np.minimum(ours[1], theirs[1]) * np.minimum(common, 1 - common) >= LEAST
    return np.asarray(our_rate - their_rate), np.where(enough, width, np.inf)


def margin(units: Floats, *, alpha: float, planned: float) -> Floats:
    """Half-width of the interval around a mean of `units` terms of variance 1."""
    mixed = units * _mixture(alpha, planned) + 1
    return np.asarray(np.sqrt(2 * mixed * np.log(np.sqrt(mixed) / alpha) / (units * (mixed - 1))))


def _mixture(alpha: float, planned: float) -> float:
    """rho squared of the paper's appendix B.2: the mixture that is tightest at `planned` units."""
    surprise = -2 * np.log(alpha)
    return float((surprise + np.log(surprise + 1)) / planned)


def _mean(successes: Floats, units: Floats) -> tuple[Floats, Floats]:
    """A rate and its variance; the variance as if one more unit had succeeded and one had failed.

    Otherwise an arm in which nothing happened yet would look perfectly known.
    """
    rate = (successes + 1) / (units + 2)
    return np.asarray(successes / np.maximum(units, 1)), np.asarray(rate * (1 - rate) / np.maximum(units, 1))
