"""Coverage of keywords by a preview and by a random clip, counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.topic_coverage import TopicCoverage, topic_coverage
from featurization.media import Segment, Word


def spoken(text):
    """One word a second."""
    return [Word(float(k), k + 1.0, word) for k, word in enumerate(text.split())]


STORY = spoken("The lighthouse, keeper lit his lamp. Bread was baked. The Lamp burned and burned; nobody slept.")


def test_a_keyword_counts_once_however_often_and_however_written():
    found = topic_coverage(Segment(0.0, 17.0), STORY, ("lamp", "burned", "bread", "yeast"))
    assert (found.keywords, found.said, found.coverage) == (4, 3, 0.75)


def test_a_possessive_is_the_same_word():
    assert topic_coverage(Segment(0.0, 3.0), spoken("Arthur\u2019s old lamp"), ("Arthur", "lamp's")).said == 2


def test_phrases_count_whole_and_inside_only():
    words = ("lighthouse keeper",)
    assert topic_coverage(Segment(0.0, 3.0), STORY, words).said == 1
    assert topic_coverage(Segment(0.0, 2.5), STORY, words).said == 0
    assert topic_coverage(Segment(2.0, 9.0), STORY, words).said == 0


def test_the_random_clip_is_the_mean_over_all_starts():
    words = spoken("a b c d e f g h i j")
    found = topic_coverage(Segment(0.0, 3.0), words, ("c",))  # starts 0 to 7, of which 0, 1 and 2 hold "c"
    assert (found.coverage, found.random_coverage) == (1.0, pytest.approx(3 / 8))
    assert found.lift == pytest.approx(8 / 3)


def test_repeated_keywords_are_one():
    assert topic_coverage(Segment(0.0, 17.0), STORY, ("lamp", "Lamp")).keywords == 1


def test_nothing_said_and_nothing_asked():
    silent = topic_coverage(Segment(0.0, 30.0), [], ("lamp",))
    assert (silent.coverage, silent.random_coverage, silent.lift) == (0.0, 0.0, 0.0)
    assert topic_coverage(Segment(0.0, 30.0), STORY, ()) == TopicCoverage()


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=40), st.integers(0, 40), st.integers(1, 40))
def test_a_longer_clip_never_says_less(letters, start, length):
    words, keywords = spoken(" ".join(letters)), ("a", "b", "c")
    short = topic_coverage(Segment(float(start), float(start + length)), words, keywords)
    long = topic_coverage(Segment(float(start), float(start + length + 5)), words, keywords)
    assert short.said <= long.said
    assert short.said_at_random <= long.said_at_random + 1e-9
    assert short.said == len({*letters[start : start + length]} & {*keywords})


def test_pooling_adds_counts():
    parts = [topic_coverage(Segment(0.0, 17.0), STORY, ("lamp",)), topic_coverage(Segment(0.0, 1.0), STORY, ("lamp",))]
    assert sum(parts, TopicCoverage()).coverage == 0.5
