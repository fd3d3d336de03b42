"""Scores read against a background: properties of the reading, and what it says of matches that were planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from search.calibrate import Calibration, calibrated

SCORE = st.floats(-1, 1, width=32)
SCORES = st.lists(SCORE, min_size=1, max_size=50)
ROWS = st.integers(1, 10_000_000)
DIM = 128
HUNDREDTHS = st.lists(st.integers(-100, 100), min_size=3, max_size=50)


def directions(rng: np.random.Generator, rows: int) -> NDArray[np.float64]:
    vectors = rng.standard_normal((rows, DIM))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(SCORES, st.lists(SCORE, max_size=50), ROWS)
def test_probabilities_are_probabilities(scores: list[float], background: list[float], n: int) -> None:
    found = calibrated(scores, background, n=n)
    assert found.shape == (len(scores),)
    assert ((found >= 0) & (found <= 1)).all()


@given(SCORES, SCORES, ROWS)
def test_a_higher_score_is_never_less_likely(scores: list[float], background: list[float], n: int) -> None:
    assert (np.diff(calibrated(sorted(scores), background, n=n)) >= 0).all()


@given(SCORES, SCORES, ROWS, st.integers(2, 1000))
def test_more_rows_make_a_score_less_telling(scores: list[float], background: list[float], n: int, times: int) -> None:
    assert (calibrated(scores, background, n=times * n) <= calibrated(scores, background, n=n)).all()


@given(HUNDREDTHS, HUNDREDTHS, st.sampled_from([0.25, 0.5, 2.0, 1024.0]), st.integers(-1000, 1000))
def test_the_scale_and_origin_of_scores_mean_nothing(
    scores: list[int], background: list[int], scale: float, shift: int
) -> None:
    moved, moved_background = scale * np.array(scores) + shift, scale * np.array(background) + shift
    assert calibrated(moved, moved_background, n=100) == pytest.approx(calibrated(scores, background, n=100), abs=1e-9)


@given(SCORES)
def test_without_a_background_nothing_is_known(scores: list[float]) -> None:
    assert (calibrated(scores, [], n=100) == 0.5).all()


def test_a_background_of_one_value_is_exceeded_or_not() -> None:
    assert calibrated([0.1, 0.2, 0.3], [0.2] * 30, n=100).tolist() == [0, 0, 1]


def test_half_is_at_the_edge() -> None:
    reading = Calibration.of(np.random.default_rng(0).standard_normal(1000), n=1000)
    assert reading.probabilities([reading.centre + reading.edge * reading.spread]) == pytest.approx(0.5)


def test_the_spread_is_a_standard_deviation() -> None:
    reading = Calibration.of(np.random.default_rng(0).normal(0.2, 0.05, 20_000), n=1)
    assert (reading.centre, reading.spread) == pytest.approx((0.2, 0.05), rel=0.03)


def test_a_planted_match_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    rows = directions(rng, 20_000)
    background = rows[rng.choice(len(rows), 1000, replace=False)]
    for row in range(20):
        query = rows[row] + 0.12 * rng.standard_normal(DIM)  # about .6 alike
        query /= np.linalg.norm(query)
        found = calibrated(rows @ query, background @ query, n=len(rows))
        assert np.flatnonzero(found >= 0.5).tolist() == [row]


def test_a_random_query_matches_nothing() -> None:
    rng = np.random.default_rng(2)
    rows = directions(rng, 5000)
    background = rows[:1000]
    matched = [
        bool((calibrated(rows @ query, background @ query, n=len(rows)) >= 0.5).any()) for query in directions(rng, 200)
    ]
    assert sum(matched) <= 0.05 * len(matched)


def test_related_rows_in_the_background_hide_no_match() -> None:
    rng = np.random.default_rng(3)
    rows = directions(rng, 2000)
    rows[:100] = rows[0] + 0.05 * rng.standard_normal((100, DIM))  # one shot in twenty shows the same
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = calibrated(rows @ rows[0], rows @ rows[0], n=len(rows))
    assert (found[:100] >= 0.5).all()
    assert not (found[100:] >= 0.5).any()
