"""Feeds: what they ask, of whom, and which one is suggested; and how far judgements cover a corpus."""

from __future__ import annotations

import time

import numpy as np
import pytest

from annotation.diversity import clusters_of, diversity
from annotation.feeds import FEEDS, Progress, feed, suggest

CHANCES = np.array([0.9, 0.1, 0.55, 0.8, 0.3, 0.02])
NONE = np.zeros(6, dtype=bool)
APART = list("abcdef")


def test_each_feed_asks_for_its_own():
    wanted = {"positive": [0, 3, 2], "negative": [5, 1, 4], "borderline": [2, 4, 3]}
    for kind, rows in wanted.items():
        assert feed(kind, CHANCES, NONE, APART, size=3, seed=0).tolist() == rows


def test_what_was_judged_is_not_asked_again():
    judged = np.array([True, False, False, True, False, False])
    assert feed("positive", CHANCES, judged, APART, size=2, seed=0).tolist() == [2, 4]
    for kind in FEEDS:
        assert feed(kind, CHANCES, ~NONE, APART, size=2, seed=0).tolist() == []


def test_random_is_by_seed_and_of_everything():
    one, again, other = (
        feed("random", np.linspace(0, 1, 50), np.zeros(50, bool), range(50), size=50, seed=s) for s in (1, 1, 2)
    )
    assert one.tolist() == again.tolist() != other.tolist()
    assert sorted(one.tolist()) == list(range(50))


def test_titles_take_turns():
    chances = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert feed("positive", chances, NONE, list("aaaabc"), size=3, seed=0).tolist() == [0, 4, 5]
    assert feed("positive", chances, NONE, [7] * 6, size=3, seed=0).tolist() == [0, 1, 2]


def test_near_duplicates_wait():
    features = np.eye(6, dtype=np.float32)
    features[3] = features[0]
    assert feed("positive", CHANCES, NONE, APART, size=3, seed=0, features=features).tolist() == [0, 2, 4]


def test_ties_are_drawn_and_stay():
    same = np.full(100, 0.5)
    asked = [feed("positive", same, np.zeros(100, bool), range(100), size=20, seed=4).tolist() for _ in range(2)]
    assert asked[0] == asked[1] != list(range(20))


def test_a_hundred_thousand_shots_are_ordered_at_once():
    draw = np.random.default_rng(0)
    chances, titles = draw.random(100_000), draw.integers(200, size=100_000)
    features = draw.standard_normal((100_000, 16)).astype(np.float32)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        feed("borderline", chances, np.zeros(100_000, bool), titles, size=20, seed=0, features=features)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.25


@pytest.mark.parametrize(
    ("progress", "kind"),
    [
        (Progress(0, 5), "positive"),
        (Progress(5, 0), "borderline"),
        (Progress(12, 12, {}, [0.95]), "borderline"),
        (Progress(24, 24), "random"),
        (Progress(24, 24, {"random": 3}), "borderline"),
        (Progress(24, 24, {"random": 3}, [0.95]), "negative"),
        (Progress(24, 24, {"random": 3, "negative": 5}, [0.95]), "borderline"),
        (Progress(5, 30, {"random": 5}), "positive"),
        (Progress(12, 12, {"random": 3}, [0.6, 0.6, 0.6]), "positive"),
    ],
)
def test_what_to_judge_next(progress: Progress, kind: str):
    suggestion = suggest(progress)
    assert suggestion.feed == kind
    assert suggestion.why.endswith(".")


def test_clusters_are_those_that_there_are():
    draw = np.random.default_rng(0)
    member = np.repeat(np.arange(4), 30)
    rows = (10 * np.eye(4)[member] + 0.1 * draw.standard_normal((120, 4))).astype(np.float32)
    found = clusters_of(rows, k=4)
    assert len({(true, own) for true, own in zip(member.tolist(), found.tolist(), strict=True)}) == 4
    assert (found == clusters_of(rows, k=4)).all()


def test_few_or_equal_rows_have_few_clusters():
    assert clusters_of(np.zeros((0, 3), dtype=np.float32)).tolist() == []
    assert clusters_of(np.ones((1, 3), dtype=np.float32)).tolist() == [0]
    assert set(clusters_of(np.ones((20, 3), dtype=np.float32)).tolist()) == {0}


def test_the_data_score_counts_ten_of_a_kind_in_each_cluster():
    assignment = np.repeat(np.arange(10), 20)
    empty = diversity(assignment, {})
    assert (empty.score, empty.positives, empty.negatives) == (0.0, 0, 0)
    judged = dict.fromkeys(range(15), True) | {20: False, 40: False}
    some = diversity(assignment, judged)
    assert some.score == pytest.approx((10 + 2) / 200)
    assert (some.positives, some.negatives, some.clusters) == (1, 2, 10)
    full = {row: row % 20 < 10 for row in range(200)}
    assert diversity(assignment, full).score == 1.0
