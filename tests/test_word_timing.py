"""How far the edges of words lie from a truth."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.word_errors import matches
from eval.word_timing import WordTiming, word_timing
from featurization.media import Word


def test_words_in_both_are_compared_and_others_are_not():
    truth = [Word(0.0, 0.3, "the"), Word(0.3, 0.9, "lighthouse"), Word(1.0, 1.4, "keeper")]
    found = [Word(0.1, 0.4, "The"), Word(0.4, 0.9, "light"), Word(0.9, 1.3, "Keeper.")]
    timing = word_timing(truth, found)
    assert timing.words == 2
    assert sorted(timing.late_s) == pytest.approx([-0.1, -0.1, 0.1, 0.1])
    assert timing.median_s == pytest.approx(0.1)
    assert timing.bias_s == pytest.approx(0.0)


def test_late_words_have_a_bias_above_zero():
    truth = [Word(n, n + 0.5, f"word{n}") for n in range(5)]
    late = [Word(w.start + 0.2, w.end + 0.2, w.text) for w in truth]
    assert word_timing(truth, late).bias_s == pytest.approx(0.2)
    assert word_timing(truth, late).quantile_s(1.0) == pytest.approx(0.2)


def test_signs_without_a_sound_match_nothing():
    assert word_timing([Word(0, 1, "—")], [Word(0, 1, "—")]).words == 0


def test_recordings_are_pooled_and_none_is_no_number():
    one = word_timing([Word(0, 1, "a")], [Word(0.5, 1, "a")])
    assert (one + one).late_s == (0.5, 0.0, 0.5, 0.0)
    assert math.isnan(WordTiming().median_s)
    assert math.isnan(WordTiming().bias_s)


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_matches_are_equal_words_in_order(reference, found):
    pairs = matches(reference, found)
    assert all(reference[row] == found[column] for row, column in pairs)
    assert pairs == sorted(set(pairs))
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
