"""Heads: one example is enough, words are the start, judgements win, and what was held out was not seen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.examples import Examples, HeadOptions, statistics_of
from annotation.heads import Head, cross_fitted, fit_head
from annotation.logistic import fitted, platt
from featurization.errors import AnnotationError

OPTIONS = HeadOptions()
DIM, KINDS, EACH = 64, 8, 60


@pytest.fixture(scope="module")
def corpus() -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around eight directions, and which one each is around."""
    draw = np.random.default_rng(3)
    centres = np.linalg.qr(draw.standard_normal((DIM, KINDS)))[0].T
    kinds = np.repeat(np.arange(KINDS), EACH)
    rows = centres[kinds] + 0.12 * draw.standard_normal((len(kinds), DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), kinds


def head_of(corpus, rows, holds, *, likeness=None, pool=True) -> Head:
    features, _ = corpus
    statistics = statistics_of(features, OPTIONS)
    words = np.zeros(len(features)) if likeness is None else likeness
    around = words[statistics.rows] if pool else None
    return fit_head(
        Examples(features[rows], words[rows], np.array(holds), [f"film {row}" for row in rows], around),
        statistics,
        OPTIONS,
    )


def separated(scores: np.ndarray, truth: np.ndarray) -> float:
    """The share of pairs in the right order."""
    return float((scores[truth][:, None] > scores[~truth][None]).mean())


def test_one_example_is_enough_without_words_or_negatives(corpus):
    features, kinds = corpus
    probabilities = head_of(corpus, [0], [True]).probabilities(features, np.zeros(len(features)))
    assert separated(probabilities, kinds == 0) > 0.99
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_words_that_help_are_heard_and_words_that_mislead_are_outvoted(corpus):
    features, kinds = corpus
    draw = np.random.default_rng(0)
    noise = draw.standard_normal(len(kinds))
    right, wrong = noise + 3 * (kinds == 0), noise + 3 * (kinds == 1)
    mine, others = np.flatnonzero(kinds == 0)[:10], np.flatnonzero(kinds == 1)[:10]
    told = [np.concatenate([mine[:1], others[:1]]), np.concatenate([mine, others])]
    few = head_of(corpus, told[0], [True, False], likeness=right).probabilities(features, right)
    many = head_of(corpus, told[1], [True] * 10 + [False] * 10, likeness=wrong).probabilities(features, wrong)
    assert separated(few, kinds == 0) >= separated(right, kinds == 0)
    assert separated(many, kinds == 0) > 0.95


def test_where_features_say_nothing_the_words_decide():
    draw = np.random.default_rng(1)
    features = draw.standard_normal((400, 16)).astype(np.float32)
    holds = np.arange(400) < 40
    likeness = draw.standard_normal(400) + 3 * holds
    rows = [0, 399]
    head = head_of((features, holds), rows, [True, False], likeness=likeness)
    assert separated(head.probabilities(features, likeness), holds) > 0.9


def test_probabilities_are_right_on_a_corpus_of_which_an_eighth_shows_it(corpus):
    features, kinds = corpus
    rows = np.concatenate([np.flatnonzero(kinds == 0)[:15], np.flatnonzero(kinds > 0)[::20]])
    probabilities = head_of(corpus, rows, kinds[rows] == 0).probabilities(features, np.zeros(len(features)))
    rest = np.setdiff1d(np.arange(len(kinds)), rows)
    assert abs(probabilities[rest].mean() - (kinds[rest] == 0).mean()) < 0.05
    assert ((probabilities[rest] >= 0.5) == (kinds[rest] == 0)).mean() > 0.98


def test_without_a_positive_it_says_what_to_do(corpus):
    with pytest.raises(AnnotationError, match="mark at least one shot that shows it"):
        head_of(corpus, [0, 1], [False, False])


def test_another_space_is_refused(corpus):
    head = head_of(corpus, [0], [True])
    with pytest.raises(AnnotationError, match="trained on vectors of 64 numbers, these have 8"):
        head.probabilities(np.zeros((2, 8), dtype=np.float32), np.zeros(2))
    with pytest.raises(AnnotationError, match="take both from one run"):
        narrow = Examples(np.zeros((1, 8), dtype=np.float32), np.zeros(1), np.array([True]), ["a"])
        fit_head(narrow, statistics_of(corpus[0], OPTIONS), OPTIONS)


def test_vectors_of_no_numbers_and_empty_corpora_are_refused(corpus):
    broken = corpus[0].copy()
    broken[0, 0] = np.nan
    with pytest.raises(AnnotationError, match="not of numbers"):
        fit_head(Examples(broken[:1], np.zeros(1), np.array([True]), ["a"]), statistics_of(corpus[0], OPTIONS), OPTIONS)
    with pytest.raises(AnnotationError, match="no shots"):
        statistics_of(np.zeros((0, 4), dtype=np.float32), OPTIONS)


def test_a_corpus_of_one_shot_has_a_head():
    one = np.ones((1, 4), dtype=np.float32)
    statistics = statistics_of(one, OPTIONS)
    head = fit_head(Examples(one, np.zeros(1), np.array([True]), ["a"]), statistics, OPTIONS)
    assert 0 < head.probabilities(one, np.zeros(1))[0] < 1


def test_contradictory_judgements_have_an_answer_in_between(corpus):
    features, _ = corpus
    head = head_of(corpus, [0] * 10, [True, False] * 5)
    assert 0.05 < head.probabilities(features[:1], np.zeros(1))[0] < 0.95


def test_a_head_comes_back_from_a_row(corpus):
    features, _ = corpus
    head = head_of(corpus, [0, 100], [True, False])
    again = Head.from_dict(json.loads(json.dumps(head.as_dict())))
    none = np.zeros(len(features))
    assert (again.probabilities(features, none) == head.probabilities(features, none)).all()


def test_training_again_gives_the_same_head(corpus):
    one, other = (head_of(corpus, [0, 1, 2, 100], [True, True, True, False]) for _ in range(2))
    assert one.as_dict() == other.as_dict()


def held(corpus, rows, holds, titles):
    features, _ = corpus
    none = np.zeros(len(rows))
    statistics = statistics_of(features, OPTIONS)
    return cross_fitted(Examples(features[rows], none, np.array(holds), titles), statistics, OPTIONS)


def test_titles_are_held_out_whole(corpus):
    """What one title alone shows cannot be known from the others: its shots must score low when it is held out."""
    _, kinds = corpus
    two = [*np.flatnonzero(kinds == 0)[:6], *np.flatnonzero(kinds == 1)[:6], *np.flatnonzero(kinds == 2)[:6]]
    holds = [True] * 12 + [False] * 6
    by_title = held(corpus, two, holds, ["a"] * 6 + ["b"] * 6 + ["c"] * 6)
    mixed = held(corpus, two, holds, [f"film {at}" for at in range(18)])
    assert by_title.by == mixed.by == "title"
    assert by_title.probabilities[:12].mean() < mixed.probabilities[:12].mean()


def test_one_title_is_held_out_by_shots_and_one_positive_not_at_all(corpus):
    _, kinds = corpus
    rows = [*np.flatnonzero(kinds == 0)[:4], *np.flatnonzero(kinds == 1)[:4]]
    by_shot = held(corpus, rows, [True] * 4 + [False] * 4, ["a"] * 8)
    assert by_shot.by == "shot"
    assert by_shot.probabilities[:4].min() > by_shot.probabilities[4:].max()
    alone = held(corpus, rows[3:], [True] + [False] * 4, ["a"] * 5)
    assert alone.by == "none"
    assert np.isnan(alone.probabilities).all()


@pytest.mark.parametrize("wrong", [{"ridge": 0.0}, {"folds": 1}, {"trust": -1.0}, {"background": 0}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        HeadOptions(**wrong)


def test_the_prior_is_the_answer_without_rows():
    found = fitted(np.zeros((0, 2)), np.zeros(0), np.zeros(0), prior=np.array([1.0, -2.0]), pull=np.ones(2))
    assert found == pytest.approx([1.0, -2.0, 0.0])


def test_a_constant_alone_learns_the_log_odds():
    truth = np.array([1.0, 1.0, 1.0, 0.0])
    found = fitted(np.zeros((4, 1)), truth, np.full(4, 1000.0), prior=np.zeros(1), pull=np.ones(1))
    assert found[-1] == pytest.approx(np.log(3), abs=1e-3)


def test_scores_that_are_upside_down_say_only_how_common_it_is():
    slope, offset = platt(np.array([-1.0, 1.0] * 50), np.array([1.0, 0.0] * 50), np.ones(100), pull=0.1)
    assert slope == 0
    assert offset == pytest.approx(0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=12).filter(any), st.integers(0, 5))
def test_any_judgements_give_probabilities(holds, seed):
    draw = np.random.default_rng(seed)
    features = draw.standard_normal((30, 5)).astype(np.float32)
    rows = draw.integers(30, size=len(holds))
    statistics = statistics_of(features, OPTIONS)
    words = draw.standard_normal(30)
    head = fit_head(Examples(features[rows], words[rows], np.array(holds), rows % 3), statistics, OPTIONS)
    probabilities = head.probabilities(features, words)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
