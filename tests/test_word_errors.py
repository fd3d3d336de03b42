import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.word_errors import WordErrors, align, normalised, rate_interval, word_errors

few_words = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@pytest.mark.parametrize(
    ("reference", "found", "expected"),
    [
        ("the cat sat", "the cat sat", WordErrors(3, 0, 0, 0)),
        ("the cat sat", "the bat sat", WordErrors(3, 1, 0, 0)),
        ("the cat sat", "the sat", WordErrors(3, 0, 1, 0)),
        ("the cat sat", "the big cat sat", WordErrors(3, 0, 0, 1)),
        ("the cat sat", "", WordErrors(3, 0, 3, 0)),
        ("", "thank you", WordErrors(0, 0, 0, 2)),
        ("a b c d e", "x b d e f", WordErrors(5, 1, 1, 1)),
    ],
)
def test_errors_that_can_be_counted_by_hand(reference, found, expected):
    assert word_errors(reference, found) == expected


def test_pooling_weighs_recordings_by_their_words():
    pooled = WordErrors(10, 1, 0, 0) + WordErrors(90, 0, 0, 1)
    assert pooled.rate == pytest.approx(0.02)
    assert WordErrors() + pooled == pooled


def test_words_where_none_were_said_are_infinitely_wrong():
    assert word_errors("", "").rate == 0
    assert word_errors("", "bye").rate == float("inf")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ask not, my fellow Americans!", "ask not my fellow americans"),
        ("the forty-two line Bible", "the 42-line bible"),
        ("about fourteen fifty-five", "about 1455"),
        ("in nineteen oh five", "in 1905"),
        ("two thousand and five", "2005"),
        ("twenty twenty-four", "2024"),
        ("one hundred and fifty", "150"),
        ("twelve thousand three hundred", "12,300"),
        ("the fifteenth of May", "the 15th of May"),
        ("the twenty-first", "the 21st"),
        ("the thirtieth", "the 30th"),
        ("three point one four", "3.14"),
        ("five dollars", "$5"),
        ("one dollar", "$1"),
        ("two million dollars", "$2 million"),
        ("ten percent off", "10% off"),
        ("double oh seven", "double oh 7."),
        ("MISTER QUILTER", "Mr. Quilter"),
        ("don't", "don’t"),
        ("salt and pepper", "salt & pepper"),
        ("it was, in 2010, over", "it was in twenty ten over"),
    ],
)
def test_two_ways_to_write_the_same_speech_are_no_error(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [("15", "50"), ("1.5", "15"), ("dont", "do"), ("5th", "5"), ("007", "7")])
def test_what_sounds_different_stays_different(one, other):
    assert normalised(one) != normalised(other)


def test_other_languages_keep_their_figures():
    assert normalised("Im Jahr 1905, Müller & Co", language="de") == ["im", "jahr", "1905", "müller", "co"]


def distance(one, other):
    """Levenshtein's definition, word by word."""
    if not one or not other:
        return len(one) + len(other)
    rest = distance(one[1:], other[1:])
    if one[0] == other[0]:
        return rest
    return 1 + min(rest, distance(one[1:], other), distance(one, other[1:]))


@given(few_words, few_words)
def test_errors_are_as_few_as_the_definition_allows(reference, found):
    errors = align(reference, found)
    assert errors.errors == distance(reference, found)
    assert len(found) == len(reference) - errors.deleted + errors.inserted


@given(few_words, few_words)
def test_swapping_the_texts_swaps_insertions_and_deletions(reference, found):
    there, back = align(reference, found), align(found, reference)
    assert there.errors == back.errors
    assert there.inserted - there.deleted == back.deleted - back.inserted


def test_the_interval_of_the_rate_holds_it_and_shrinks_to_it_where_all_agree():
    same = [WordErrors(words=10, substituted=1)] * 5
    assert rate_interval(same) == pytest.approx((0.1, 0.1))
    low, high = rate_interval([WordErrors(words=10, deleted=n) for n in range(11)])
    assert 0 < low < 0.5 < high < 1
    assert rate_interval([]) == (0.0, 0.0)
