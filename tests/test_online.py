"""Experiments: who is in which arm, what may be said at any look, and what must not be said."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from benchmarks.made_listeners import made_looks
from eval.exposures import Exposures, units_of
from eval.online import Experiment, ExperimentOptions, Units, assign, read, sample_ratio_p
from eval.sequential import LEAST, margin, rate_difference

EXPERIMENT = Experiment("autumn")
LISTENERS = [f"listener {n}" for n in range(30_000)]
RUNS, LOOKS, ALPHA = 1000, 200, 0.05


def units(*arms: tuple[int, int, int]) -> Units:
    """Units of arms given as (units, completed, streamed)."""
    arm = np.repeat(np.arange(len(arms)), [count for count, _, _ in arms])
    completed, streamed = (np.concatenate([np.arange(one[0]) < one[which] for one in arms]) for which in (1, 2))
    return Units(arm, completed, streamed)


# assignment ---------------------------------------------------------------------------------------------------------


def test_a_listener_stays_in_an_arm():
    assert [assign(name, EXPERIMENT) for name in LISTENERS[:50]] == [assign(n, EXPERIMENT) for n in LISTENERS[:50]]


@pytest.mark.parametrize("shares", [(), (0.1, 0.2, 0.7), (0.98, 0.01, 0.01)])
def test_arms_get_their_shares(shares: tuple[float, ...]):
    experiment = Experiment("shares", shares=shares)
    drawn = [assign(name, experiment) for name in LISTENERS]
    counts = [drawn.count(arm) for arm in experiment.arms]
    assert chisquare(counts, np.array(experiment.shares) * len(LISTENERS)).pvalue > 0.001
    assert sample_ratio_p(counts, experiment.shares) == pytest.approx(
        chisquare(counts, np.array(experiment.shares) * len(LISTENERS)).pvalue
    )


def test_experiments_share_listeners_out_independently():
    other = Experiment("winter")
    pairs = [(assign(name, EXPERIMENT), assign(name, other)) for name in LISTENERS]
    counts = [pairs.count((one, two)) for one in EXPERIMENT.arms for two in other.arms]
    assert chisquare(counts).pvalue > 0.001


def test_a_salt_shares_out_anew_and_a_name_does_not_if_there_is_one():
    salted, renamed = Experiment("a", salt="s"), Experiment("b", salt="s")
    assert [assign(n, salted) for n in LISTENERS[:99]] == [assign(n, renamed) for n in LISTENERS[:99]]
    assert [assign(n, salted) for n in LISTENERS[:99]] != [assign(n, Experiment("a")) for n in LISTENERS[:99]]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "a/b"}, "without a slash"),
        ({"arms": ("one",)}, "two or more"),
        ({"arms": ("one", "one")}, "different"),
        ({"shares": (0.5, 0.5)}, "one above 0 for each arm"),
        ({"shares": (0.5, 0.5, 0.5)}, "add up to 1"),
        ({"shares": (1.0, 0.5, -0.5)}, "above 0"),
        ({"window_h": 0.0}, "above 0"),
        ({"level": 1.0}, "below 1"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused(wrong: dict[str, object], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        replace(EXPERIMENT, **wrong)


def test_two_experiments_of_one_name_are_refused():
    with pytest.raises(ValueError, match="named autumn"):
        ExperimentOptions((EXPERIMENT, EXPERIMENT))


# what may be said at any look ---------------------------------------------------------------------------------------


def looked_at(rates: tuple[float, ...], shares: tuple[float, ...], seed: int, units_per_look: int = 100) -> np.ndarray:
    """Lower and upper ends (2, runs, looks) of the difference of the last arm and the first."""
    successes, counts = made_looks(
        np.array(rates), np.array(shares), runs=RUNS, looks=LOOKS, units_per_look=units_per_look, seed=seed
    )
    middle, half = rate_difference(
        (successes[..., -1], counts[..., -1]), (successes[..., 0], counts[..., 0]), alpha=ALPHA, planned=10_000
    )
    return np.array([middle - half, middle + half])


@pytest.mark.parametrize(
    ("rate", "shares"),
    [(0.3, (0.5, 0.5)), (0.02, (0.5, 0.5)), (0.3, (0.1, 0.9)), (0.9, (0.5, 0.5)), (0.02, (0.9, 0.1))],
)
def test_of_a_thousand_equal_pairs_watched_all_the_time_few_are_told_apart(rate: float, shares: tuple[float, float]):
    low, high = looked_at((rate, rate), shares, seed=1)
    wrong = ((low > 0) | (high < 0)).any(axis=1).sum()
    assert wrong <= RUNS * ALPHA


def test_looking_after_every_tenth_listener_makes_no_difference():
    low, high = looked_at((0.2, 0.2), (0.2, 0.8), seed=4, units_per_look=10)
    assert ((low > 0) | (high < 0)).any(axis=1).sum() <= RUNS * ALPHA


def test_a_fixed_interval_would_be_wrong_much_more_often():
    """What the sequence is for: the usual 1.96 standard errors, looked at as often."""
    successes, counts = made_looks(
        np.array([0.3, 0.3]), np.array([0.5, 0.5]), runs=RUNS, looks=LOOKS, units_per_look=100, seed=1
    )
    rate = successes / counts
    error = np.sqrt((rate * (1 - rate) / counts).sum(axis=2))
    assert (np.abs(rate[..., 1] - rate[..., 0]) > 1.96 * error).any(axis=1).sum() > 3 * RUNS * ALPHA


@pytest.mark.parametrize(("rates", "shares"), [((0.3, 0.33), (0.5, 0.5)), ((0.01, 0.02), (0.2, 0.8))])
def test_the_truth_is_inside_at_all_looks(rates: tuple[float, float], shares: tuple[float, float]):
    low, high = looked_at(rates, shares, seed=2)
    truth = rates[1] - rates[0]
    assert ((low > truth) | (high < truth)).any(axis=1).sum() <= RUNS * ALPHA


def test_a_planted_effect_is_found():
    low, _ = looked_at((0.30, 0.34), (0.5, 0.5), seed=3)
    assert (low > 0).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("successes", [LEAST - 1, 1000 - LEAST + 1])
def test_nothing_is_said_of_what_happened_a_handful_of_times(successes: int):
    side = np.array(float(successes)), np.array(1000.0)
    assert rate_difference(side, side, alpha=ALPHA, planned=1000)[1] == math.inf
    enough = np.array(float(LEAST)), np.array(1000.0)
    assert rate_difference(enough, enough, alpha=ALPHA, planned=1000)[1] < 0.1


def test_the_interval_is_tightest_where_it_was_planned():
    at = np.array(1000.0)
    assert margin(at, alpha=ALPHA, planned=1000) < margin(at, alpha=ALPHA, planned=100)
    assert margin(at, alpha=ALPHA, planned=1000) < margin(at, alpha=ALPHA, planned=10_000)


# readings -----------------------------------------------------------------------------------------------------------


def test_a_reading_keeps_the_counts_and_compares_every_pair():
    reading = read(EXPERIMENT, units((1000, 0, 100), (1000, 400, 120), (1000, 600, 300)))
    assert [(a.units, a.completed, a.streamed) for a in reading.arms] == [
        (1000, 0, 100),
        (1000, 400, 120),
        (1000, 600, 300),
    ]
    assert [a.completion_rate for a in reading.arms] == [None, 0.4, 0.6]
    assert [(d.outcome, d.arm, d.against) for d in reading.differences] == [
        ("stream", "random", "control"),
        ("stream", "ranked", "control"),
        ("stream", "ranked", "random"),
        ("completion", "ranked", "random"),
    ]
    assert reading.main.difference == pytest.approx(0.2)
    assert (reading.verdict, reading.sample_ratio_p) == ("ahead", 1.0)


def test_too_early_behind_and_broken():
    assert read(EXPERIMENT, units((200, 0, 20), (200, 0, 20), (200, 0, 30))).verdict == "too early"
    assert read(EXPERIMENT, units((1000, 0, 400), (1000, 0, 100), (1000, 0, 100))).verdict == "behind"
    broken = read(EXPERIMENT, units((1000, 0, 100), (1000, 0, 100), (800, 0, 400)))
    assert (broken.verdict, broken.sizes_fit) == ("broken", False)


def test_before_anybody_came_a_reading_says_nothing():
    reading = read(EXPERIMENT, units((0, 0, 0), (0, 0, 0), (0, 0, 0)))
    assert (reading.verdict, reading.sample_ratio_p, reading.arms[0].stream_rate) == ("too early", 1.0, None)
    assert (reading.main.low, reading.main.high) == (-1, 1)


@pytest.mark.parametrize(("lost", "found"), [(0.0, False), (0.05, True)])
def test_an_arm_whose_log_is_lossy_is_noticed(lost: float, found: bool):
    drawn = np.random.default_rng(5).multinomial(60_000, EXPERIMENT.shares)
    drawn[2] = round(drawn[2] * (1 - lost))
    assert (sample_ratio_p(drawn.tolist(), EXPERIMENT.shares) < 0.001) == found


# from rows to units -------------------------------------------------------------------------------------------------

HOUR_S = 3600.0


def rows(*given: tuple[int, int, float, str]) -> Exposures:
    """Rows of (unit, arm, hour, kind)."""
    unit, arm, when, kind = (np.array(column) for column in zip(*given, strict=True))
    return Exposures(unit, arm, when * HOUR_S, kind == "impression", kind == "complete", kind == "stream")


def counted(made: Units) -> list[tuple[int, bool, bool]]:
    return list(zip(made.arm.tolist(), made.completed.tolist(), made.streamed.tolist(), strict=True))


def test_what_follows_the_first_exposure_in_time_counts():
    made = units_of(
        rows(
            (0, 1, 5.0, "impression"),
            (0, 1, 4.0, "stream"),  # before anything was shown
            (0, 1, 6.0, "complete"),
            (0, 1, 6.1, "complete"),
            (1, 2, 5.0, "impression"),
            (1, 2, 20.0, "impression"),
            (1, 2, 30.0, "stream"),  # too long after the first
            (2, 0, 5.0, "impression"),
            (2, 0, 29.0, "stream"),
        ),
        now_s=100 * HOUR_S,
        window_h=24.0,
    )
    assert counted(made) == [(1, True, False), (2, False, False), (0, False, True)]


def test_units_that_cannot_be_judged_are_left_out_and_counted():
    made = units_of(
        rows(
            (0, 1, 5.0, "impression"),
            (0, 2, 6.0, "stream"),  # in two arms
            (1, 1, 5.0, "stream"),  # was shown nothing
            (2, 1, 80.0, "impression"),  # its day is not over
            (3, 1, 5.0, "impression"),
        ),
        now_s=100 * HOUR_S,
        window_h=24.0,
    )
    assert counted(made) == [(1, False, False)]
    assert (made.contaminated, made.unexposed, made.pending) == (1, 1, 1)


def test_no_rows_are_no_units():
    nothing = np.array([])
    empty = Exposures(*(nothing.astype(kind) for kind in (int, int, float, bool, bool, bool)))
    assert counted(units_of(empty, now_s=0.0, window_h=24.0)) == []
