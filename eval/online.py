"""Experiments on listeners: who is in which arm, and what may be said of the arms at any time.

The unit is the listener, or the session where no listener is known. A unit is shown one arm, always the same. Its
outcomes are whether it completed a preview at all, and whether it streamed an episode at all, within a set time after
it was first shown something. Rates are shares of units, so that one restless listener counts once.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.sequential import rate_difference

Floats = NDArray[np.float64]
Outcome = Literal["completion", "stream"]
Verdict = Literal["ahead", "behind", "too early", "broken"]
SUSPICIOUS = 0.001  # p-value below which the sizes of the arms do not fit their shares
_SCALE = 2.0**53  # whole numbers below it are exact floats


@dataclass(frozen=True)
class Experiment:
    """Arms that listeners are shared out to. The first arm is what the others are measured against."""

    name: str
    arms: tuple[str, ...] = ("control", "random", "ranked")
    shares: tuple[float, ...] = ()  # of each arm; none given: equal
    silent: tuple[str, ...] = ("control",)  # arms that show no preview, so that none can be completed
    exploring: tuple[str, ...] = ("random",)  # arms that show any clip that might be published, by chance
    salt: str = ""  # another one shares listeners out anew; the name, if none is given
    window_h: float = 24.0  # an outcome counts if it comes this soon after the first exposure
    planned: int = 10_000  # units at which the intervals shall be tightest
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 80 or "/" in self.name:
            raise ValueError(f"an experiment needs a name of at most 80 characters without a slash, got {self.name!r}")
        if len(self.arms) < 2 or len(set(self.arms)) != len(self.arms) or not all(self.arms):
            raise ValueError(f"{self.name}: arms must be two or more different names, got {self.arms}")
        if not self.shares:
            object.__setattr__(self, "shares", (1 / len(self.arms),) * len(self.arms))
        if len(self.shares) != len(self.arms) or min(self.shares) <= 0 or not math.isclose(sum(self.shares), 1):
            raise ValueError(f"{self.name}: shares must be one above 0 for each arm and add up to 1, got {self.shares}")
        if self.window_h <= 0 or self.planned <= 0 or not 0.5 <= self.level < 1:
            raise ValueError(f"{self.name}: window_h and planned must be above 0, and level from 0.5 to below 1")


@dataclass(frozen=True)
class ExperimentOptions:
    """The experiments that run, each a `[[experiments.running]]` of the config."""

    running: tuple[Experiment, ...] = ()

    def __post_init__(self) -> None:
        names = [one.name for one in self.running]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two experiments are named {', '.join(sorted(twice))}; give each its own name")


def assign(listener: str, experiment: Experiment) -> str:
    """The arm of a listener: always the same, and unrelated to the arms of other experiments."""
    edges = list(accumulate(experiment.shares))[:-1]
    return experiment.arms[bisect_right(edges, draw(experiment, listener))]


def draw(experiment: Experiment, *names: str) -> float:
    """A number from 0 to below 1 that is always the same for the same names, and otherwise as good as chance."""
    text = "\n".join((experiment.salt or experiment.name, *names))
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11) / _SCALE


@dataclass(frozen=True, slots=True)
class Units:
    """What became of the units of an experiment: arrays (units,), and the numbers of those that are left out."""

    arm: NDArray[np.int64]  # index into the experiment's arms
    completed: NDArray[np.bool_]
    streamed: NDArray[np.bool_]
    contaminated: int = 0  # seen in two arms
    pending: int = 0  # their time is not over yet
    unexposed: int = 0  # did something without having been shown anything
    nameless: int = 0  # events without listener and session, or whose listener was forgotten
    strange: int = 0  # events of an arm that the experiment does not have


@dataclass(frozen=True, slots=True)
class Arm:
    """Units of one arm, and how many of them completed a preview and streamed an episode."""

    name: str
    share: float
    units: int
    completed: int
    streamed: int
    silent: bool = False

    @property
    def completion_rate(self) -> float | None:
        """None where there was no preview to complete, or nobody."""
        return self.completed / self.units if self.units and not self.silent else None

    @property
    def stream_rate(self) -> float | None:
        """None where there was nobody."""
        return self.streamed / self.units if self.units else None


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much an arm's rate is above another's; the interval holds at every look."""

    outcome: Outcome
    arm: str
    against: str
    difference: float
    low: float  # -1 to 1: nothing is known yet
    high: float

    @property
    def settled(self) -> bool:
        """Whether one is ahead of the other beyond doubt."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What an experiment says so far. Each outcome's intervals hold together, at `level`."""

    experiment: str
    level: float
    arms: tuple[Arm, ...]
    differences: tuple[Difference, ...]
    sample_ratio_p: float
    contaminated: int = 0
    pending: int = 0
    unexposed: int = 0
    nameless: int = 0
    strange: int = 0

    @property
    def main(self) -> Difference:
        """What the experiment is about: streams of the last arm against the first."""
        last, first = self.arms[-1].name, self.arms[0].name
        return next(d for d in self.differences if (d.outcome, d.arm, d.against) == ("stream", last, first))

    @property
    def sizes_fit(self) -> bool:
        """Whether the sizes of the arms fit their shares."""
        return self.sample_ratio_p >= SUSPICIOUS

    @property
    def verdict(self) -> Verdict:
        """What may be concluded of the main difference."""
        if not self.sizes_fit:
            return "broken"
        if not self.main.settled:
            return "too early"
        return "ahead" if self.main.low > 0 else "behind"


def read(experiment: Experiment, units: Units) -> Reading:
    """What these units say of the experiment."""
    arms = tuple(_arm(experiment, index, units) for index in range(len(experiment.arms)))
    return Reading(
        experiment=experiment.name,
        level=experiment.level,
        arms=arms,
        differences=(*_differences("stream", arms, experiment), *_differences("completion", arms, experiment)),
        sample_ratio_p=sample_ratio_p([arm.units for arm in arms], experiment.shares),
        contaminated=units.contaminated,
        pending=units.pending,
        unexposed=units.unexposed,
        nameless=units.nameless,
        strange=units.strange,
    )


def sample_ratio_p(units: list[int], shares: tuple[float, ...]) -> float:
    """How likely sizes of arms are that differ from the shares at least as much (Pearson's chi-square); 1 without any.

    Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD 2019.
    """
    from scipy.special import chdtrc  # slow to import, and every command imports the options above

    expected = np.array(shares) * sum(units)
    distance = float(((np.array(units) - expected) ** 2 / expected).sum()) if sum(units) else 0.0
    return float(chdtrc(len(shares) - 1, distance))


def _arm(experiment: Experiment, index: int, units: Units) -> Arm:
    name, here = experiment.arms[index], units.arm == index
    completed, streamed = int((units.completed & here).sum()), int((units.streamed & here).sum())
    return Arm(name, experiment.shares[index], int(here.sum()), completed, streamed, name in experiment.silent)


def _differences(outcome: Outcome, arms: tuple[Arm, ...], experiment: Experiment) -> list[Difference]:
    """Every later arm against every earlier one; the error is shared out among them (Bonferroni)."""
    pairs = list(combinations([arm for arm in arms if outcome == "stream" or not arm.silent], 2))
    alpha = (1 - experiment.level) / max(len(pairs), 1)
    return [_difference(outcome, ours, theirs, alpha, experiment.planned) for theirs, ours in pairs]


def _difference(outcome: Outcome, ours: Arm, theirs: Arm, alpha: float, planned: int) -> Difference:
    sides = [(np.array(float(_successes(arm, outcome))), np.array(float(arm.units))) for arm in (ours, theirs)]
    middle, half = map(float, rate_difference(sides[0], sides[1], alpha=alpha, planned=planned))
    low, high = max(-1.0, middle - half), min(1.0, middle + half)
    return Difference(outcome, ours.name, theirs.name, middle, low, high)


def _successes(arm: Arm, outcome: Outcome) -> int:
    return arm.streamed if outcome == "stream" else arm.completed
