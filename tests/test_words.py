"""Words are sane whatever a recogniser says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Segment, Word, merge
from featurization.recognition.words import sane, without_loops

times = st.floats(0, 60, allow_nan=False)
spans = st.builds(lambda a, b: Segment(min(a, b), max(a, b)), times, times)
said = st.builds(
    lambda start, length, text, probability: Word(start, start + length, text, probability=probability),
    times,
    st.floats(0, 3),
    st.sampled_from(["so", "we", " walked", "home.", "", "  ", "-two"]),
    st.floats(0, 1),
)
EXACT = 1e-6


@given(words=st.lists(said, max_size=60), speech=st.lists(spans, max_size=6))
def test_words_are_monotone_long_enough_and_inside_one_span_of_speech(words: list[Word], speech: list[Segment]) -> None:
    result = sane(words, speech)
    assert all(word.duration >= 0.02 - EXACT and word.text == word.text.strip() != "" for word in result)
    assert all(left.end <= right.start + EXACT for left, right in pairwise(result))
    for word in result:
        assert any(s.start - EXACT <= word.start and word.end <= s.end + EXACT for s in merge(speech))


@given(words=st.lists(said, max_size=60), speech=st.lists(spans, max_size=6))
def test_being_sane_twice_changes_nothing(words: list[Word], speech: list[Segment]) -> None:
    once = sane(words, speech)
    assert sane(once, speech) == once


@given(words=st.lists(said, max_size=40), speech=st.lists(spans, max_size=6))
def test_nothing_is_invented(words: list[Word], speech: list[Segment]) -> None:
    told = [(word.text.strip(), word.probability) for word in words]
    for word in sane(words, speech):
        told.remove((word.text, word.probability))


@given(words=st.lists(said, max_size=40))
def test_without_speech_there_are_no_words(words: list[Word]) -> None:
    assert sane(words, []) == ()


def test_a_word_without_length_gets_some_and_says_so() -> None:
    words = [Word(1.0, 1.4, "in"), Word(1.4, 1.4, "the"), Word(1.4, 2.0, "house")]
    before, repaired, after = sane(words, [Segment(0.9, 2.1)])
    assert (repaired.start, repaired.end, repaired.estimated) == (1.4, 1.42, True)
    assert (before.estimated, after.estimated, after.start) == (False, False, 1.42)


def test_a_word_across_a_pause_belongs_where_most_of_it_is() -> None:
    words = [Word(1.0, 1.5, "end."), Word(1.5, 4.4, "Begin")]
    assert sane(words, [Segment(0.8, 1.6), Segment(4.0, 5.0)]) == (Word(0.8, 1.6, "end."), Word(4.0, 4.4, "Begin"))


def test_words_far_from_speech_are_dropped_and_near_ones_moved_in() -> None:
    words = [Word(0.1, 0.3, "Thank"), Word(0.3, 0.5, "you."), Word(4.8, 4.95, "So")]
    assert sane(words, [Segment(5.0, 6.0)]) == (Word(5.0, 5.02, "So"),)


def test_sentence_edges_snap_to_speech_only_when_near() -> None:
    words = [Word(1.2, 1.5, "a"), Word(1.5, 1.9, "b")]
    assert sane(words, [Segment(1.0, 2.1)]) == (Word(1.0, 1.5, "a"), Word(1.5, 2.1, "b"))
    assert sane(words, [Segment(0.2, 3.0)]) == tuple(words)


def test_a_span_too_short_for_all_words_keeps_the_probable_ones() -> None:
    words = [Word(0, 0.1, "a", probability=0.2), Word(0, 0.1, "b", probability=0.9), Word(0, 0.1, "c", probability=0.8)]
    assert [word.text for word in sane(words, [Segment(0, 0.05)])] == ["b", "c"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("and then we go " * 5, "and then we go"),
        ("So, thank you. Thank you. Thank you. Thank you. Bye", "So, thank you. Bye"),
        ("no " * 9 + "way", "no way"),
        ("no no no way", "no no no way"),
        ("I know, I know, I do", "I know, I know, I do"),
        ("very very good", "very very good"),
    ],
)
def test_loops_are_kept_once_and_emphasis_is_left_alone(text: str, kept: str) -> None:
    words = [Word(i, i + 1, part) for i, part in enumerate(text.split())]
    assert " ".join(word.text for word in without_loops(words)) == kept
