"""Candidates are runs of whole sentences of about the wanted length, and of nothing else."""

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from episode_factory import heard, say
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Sentence, SoundSpan
from ranking.candidates import CandidateOptions, make_candidates, window

OPTIONS = CandidateOptions()


def spans(hearing, options=OPTIONS):
    return [(c.first, c.last) for c in make_candidates("a", hearing, options)]


def test_ten_second_sentences_make_runs_of_two_to_three():
    hearing = heard(say(*"abcd", length_s=10.0, gap_s=1.0))
    found = make_candidates("a", hearing)
    assert [(c.first, c.last, c.start, c.end) for c in found] == [
        (0, 2, 0.0, 21.0),
        (0, 3, 0.0, 32.0),
        (1, 3, 11.0, 32.0),
        (1, 4, 11.0, 43.0),
        (2, 4, 22.0, 43.0),
    ]
    assert [c.text for c in found][:2] == ["a b", "a b c"]
    assert {c.asset_id for c in found} == {"a"}


def test_no_run_crosses_a_long_silence():
    left, right = say(*"abc", length_s=9.0), say(*"def", start=60.0, length_s=9.0)
    assert spans(heard(left + right)) == [(0, 3), (3, 6)]


def test_no_run_crosses_music_in_a_short_pause():
    hearing = heard(say(*"abcdef", length_s=9.0, gap_s=1.5))
    jingle = SoundSpan(30.0, 31.5, "music")  # the pause after the third sentence
    assert spans(replace(hearing, sounds=(jingle,))) == [(0, 3), (3, 6)]


def test_music_under_speech_parts_nothing():
    hearing = heard(say(*"abc", length_s=9.0, gap_s=0.2))
    assert spans(replace(hearing, sounds=(SoundSpan(0.0, 40.0, "music"),))) == spans(hearing) == [(0, 3)]


def test_a_sentence_spoken_over_another_is_not_cut():
    lead = say(*"abcd", length_s=10.0, gap_s=0.0)
    aside = Sentence(19.0, 21.0, "yes", channel=1)  # from the second sentence into the third
    hearing = heard(sorted([*lead, aside], key=lambda s: s.start))
    found = {(c.start, c.end) for c in make_candidates("a", hearing)}
    assert found == {(0.0, 30.0), (0.0, 40.0), (10.0, 30.0), (10.0, 40.0)}  # none begins or ends at 20


def test_nothing_comes_of_nothing_of_too_little_and_of_one_endless_sentence():
    assert spans(heard(())) == []
    assert spans(heard(say("a", "b"))) == []
    assert spans(heard(say("a", length_s=90.0))) == []


def test_the_window_follows_the_wanted_length():
    assert window(30.0) == (20.0, 40.0)
    short = OPTIONS.lasting(15.0)
    assert (short.min_s, short.max_s, short.target_s) == (10.0, 20.0, 15.0)
    found = make_candidates("a", heard(say(*"abcdefgh")), short)
    assert {c.last - c.first for c in found} == {2, 3}


def test_those_nearest_to_the_target_are_kept():
    hearing = heard(say(*"abcdefgh", length_s=5.0, gap_s=0.0))
    assert spans(hearing, replace(OPTIONS, per_start=1))[0] == (0, 6)


def test_lengths_out_of_order_are_refused():
    with pytest.raises(ValueError, match="min_s <= target_s"):
        CandidateOptions(min_s=50.0)


def test_ten_hours_of_talk_are_bounded_and_take_a_moment():
    hearing = heard(say(*["word " * 10] * 9000, length_s=3.5), duration_s=36_000.0)
    begun = time.process_time()
    found = make_candidates("a", hearing)
    assert time.process_time() - begun < 5.0
    assert 1000 < len(found) <= OPTIONS.max_count
    assert found[-1].start > 35_000.0


@st.composite
def hearings(draw):
    at, sentences = 0.0, []
    for length, gap in draw(st.lists(st.tuples(st.floats(0.1, 25.0), st.floats(0.0, 4.0)), max_size=30)):
        sentences.append(Sentence(at, at + length, f"s{len(sentences)}."))
        at += length + gap
    music = [SoundSpan(a, a + b, "music") for a, b in draw(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 5))))]
    return replace(heard(sentences), sounds=tuple(music))


@given(hearings())
def test_every_candidate_is_whole_sentences_within_the_limits(hearing):
    found = make_candidates("a", hearing)
    assert list(found) == sorted(set(found), key=lambda c: (c.start, c.end))
    for c in found:
        run = hearing.sentences[c.first : c.last]
        assert (c.start, c.end) == (run[0].start, run[-1].end)
        assert c.text == " ".join(sentence.text for sentence in run)
        assert OPTIONS.min_s <= c.duration <= OPTIONS.max_s
        assert all(b.start - a.end <= OPTIONS.max_gap_s for a, b in pairwise(run))
