"""Clips find their words again in other bytes: behind inserted ads, though words were heard differently."""

from __future__ import annotations

import time

import pytest
from golden_store import WORD_S, told, words_of
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.segment_metrics import iou
from featurization.media import Segment, Word
from steps.golden.realign import RealignOptions, Transcript, find, move

OPTIONS = RealignOptions()
TALK = words_of(1, 120)  # a minute
FIRST, LAST = 40, 80  # the clip is words [40, 80): 20.0 to 39.9 s
CLIP = Segment(19.8, 40.0)


def edges(span: Segment | None) -> list[float]:
    """Start and end to the millisecond; none if it was not found."""
    return [round(span.start, 3), round(span.end, 3)] if span else []


def text(first: int = FIRST, last: int = LAST) -> str:
    return " ".join(TALK[first:last])


def test_words_are_found_where_they_are_said():
    assert edges(find(text(), Transcript.of(told(TALK)), near=CLIP, options=OPTIONS)) == [20.0, 39.9]


def test_case_accents_and_punctuation_do_not_count():
    transcript = Transcript.of(told("So the Café's lamp, at last, burned all night.".split()))
    found = find("the cafes LAMP at last: burned", transcript, near=Segment(0, 3), options=OPTIONS)
    assert edges(found) == [0.5, 3.4]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(TALK)), st.integers(1, 80)), max_size=5))
def test_inserted_ads_shift_the_clip_and_it_is_found_there(ads):
    outside = [(at, length) for at, length in ads if not FIRST < at < LAST]
    words = list(TALK)
    for number, (at, length) in enumerate(sorted(outside, reverse=True)):
        words[at:at] = words_of(100 + number, length)
    shift_s = WORD_S * sum(length for at, length in outside if at <= FIRST)
    moved = move(CLIP, Transcript.of(told(words)), said=told(TALK)[FIRST:LAST], options=OPTIONS)
    assert edges(moved) == [round(CLIP.start + shift_s, 3), round(CLIP.end + shift_s, 3)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100))
def test_words_that_were_cut_out_are_not_found(ad_words):
    words = [*TALK[:FIRST], *words_of(100, ad_words), *TALK[LAST:]]
    assert find(text(), Transcript.of(told(words)), near=CLIP, options=OPTIONS) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_quarter_of_the_words_may_be_heard_differently(data):
    wrong = data.draw(st.sets(st.integers(FIRST + 1, LAST - 2), max_size=(LAST - FIRST) // 4))
    heard = data.draw(st.sampled_from([["zebra"], []]))
    words = [w for k, said in enumerate(TALK) for w in (heard if k in wrong else [said])]
    found = find(text(), Transcript.of(told(words)), near=CLIP, options=OPTIONS)
    length = LAST - FIRST + len(wrong) * (len(heard) - 1)
    assert edges(found) == [20.0, round(20.0 + length * WORD_S - 0.1, 3)]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(FIRST, LAST - 1), max_size=(LAST - FIRST) // 8))
def test_words_that_were_heard_as_two_move_the_edges_by_little(wrong):
    words = [w for k, said in enumerate(TALK) for w in (["ze", "bra"] if k in wrong else [said])]
    found = find(text(), Transcript.of(told(words)), near=CLIP, options=OPTIONS)
    assert found
    assert iou(found, Segment(20.0, 20.0 + (LAST - FIRST + len(wrong)) * WORD_S - 0.1)) > 0.75


def test_words_spelt_nearly_so_are_the_same():
    heard = [word + "s" if k % 2 else word for k, word in enumerate(TALK)]  # half of them are spelt differently
    assert edges(find(text(), Transcript.of(told(heard)), near=CLIP, options=OPTIONS)) == [20.0, 39.9]


@pytest.mark.parametrize(("near_s", "start"), [(10, 0.0), (33, 30.0), (70, 60.0), (500, 60.0)])
def test_of_repeated_phrases_the_nearest_counts(near_s, start):
    jingle = words_of(5, 10)
    talk = [*jingle, *words_of(6, 50), *jingle, *words_of(7, 50), *jingle]  # at 0, 30 and 60 s
    found = find(" ".join(jingle), Transcript.of(told(talk)), near=Segment(near_s, near_s + 5), options=OPTIONS)
    assert found
    assert found.start == start


def test_an_ad_amid_the_clip_leaves_no_clip():
    cut = [*TALK[:60], *words_of(100, 60), *TALK[60:]]
    assert find(text(), Transcript.of(told(cut)), near=CLIP, options=OPTIONS) is None


def test_few_words_tell_nothing():
    assert find(text(40, 44), Transcript.of(told(TALK)), near=CLIP, options=OPTIONS) is None
    assert edges(find(text(40, 45), Transcript.of(told(TALK)), near=CLIP, options=OPTIONS)) == [20.0, 22.4]


@pytest.mark.parametrize("words", [(), (Word(0, 1, "…"), Word(1, 2, ""))])
def test_where_nothing_is_said_nothing_is_found(words):
    assert find(text(), Transcript.of(words), near=CLIP, options=OPTIONS) is None


def test_scripts_without_spaces_are_found_letter_by_letter():
    transcript = Transcript.of(told(["こんにちは", "東京の夜は長い", "灯台の火は消えない", "また来週"]))
    found = find("灯台の火は消えない", transcript, near=Segment(0, 1), options=OPTIONS)
    assert edges(found) == [1.0, 1.4]


def test_channels_are_put_in_one_order():
    left = [Word(0.0, 0.4, "one", channel=0), Word(1.0, 1.4, "three", channel=0), Word(2.0, 2.4, "five", channel=0)]
    right = [Word(0.5, 0.9, "two", channel=1), Word(1.5, 1.9, "four", channel=1)]
    found = find("one two three four five", Transcript.of([*left, *right]), near=Segment(0, 1), options=OPTIONS)
    assert edges(found) == [0.0, 2.4]


def test_ten_hours_take_seconds():
    words = told([f"w{k % 997}" for k in range(100_000)])
    words = (*words[:70_000], *told(TALK, start=words[70_000].start), *words[70_120:])
    started = time.process_time()
    found = find(text(), Transcript.of(words), near=Segment(100, 120), options=OPTIONS)
    assert edges(found) == [35_020.0, 35_039.9]
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "wrong", [{"min_score": 0.0}, {"min_score": 1.5}, {"min_score": float("nan")}, {"min_words": 0}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="min_score must be above 0"):
        RealignOptions(**wrong)
