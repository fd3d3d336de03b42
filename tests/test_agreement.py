"""How far editors agree: numbers that are computed by hand, and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.agreement import Agreement, agreement
from featurization.media import Segment

spans = st.builds(lambda start, length: Segment(start, start + length), st.integers(0, 99), st.integers(1, 60))
marked = st.dictionaries(st.sampled_from("abcde"), st.lists(spans, max_size=4), max_size=5)


def test_two_editors_agree_as_far_as_their_clips_overlap():
    found = agreement({"ann": [Segment(0, 20)], "bob": [Segment(10, 30)]})
    assert (found.pairs, found.episodes) == (1, 1)
    assert found.mean_iou == pytest.approx(10 / 30)


def test_a_clip_is_met_by_the_others_best():
    # Ann's clip is bob's first: 1. Of bob's two, one is met fully and one not at all: 1/2. The mean is 3/4.
    found = agreement({"ann": [Segment(0, 20)], "bob": [Segment(0, 20), Segment(50, 70)]})
    assert found.mean_iou == pytest.approx(0.75)


def test_three_editors_are_three_pairs():
    found = agreement({"ann": [Segment(0, 20)], "bob": [Segment(0, 20)], "cy": [Segment(50, 70)]})
    assert (found.pairs, found.iou_sum, found.episodes) == (3, 1.0, 1)


@pytest.mark.parametrize("clips", [{}, {"ann": [Segment(0, 20)]}, {"ann": [Segment(0, 20)], "bob": []}])
def test_one_editor_agrees_with_nobody(clips):
    assert agreement(clips) == Agreement()
    assert Agreement().mean_iou == 0


@given(marked)
def test_it_is_a_share_and_does_not_ask_who_is_who(clips):
    names = dict(zip(clips, sorted(clips, reverse=True), strict=True))
    renamed = agreement({names[name]: spans for name, spans in clips.items()})
    found = agreement(clips)
    assert 0 <= found.mean_iou <= 1
    assert renamed.iou_sum == pytest.approx(found.iou_sum)
    assert (renamed.pairs, renamed.episodes) == (found.pairs, found.episodes)


@given(st.lists(spans, min_size=1, max_size=4), st.integers(2, 5))
def test_editors_who_mark_the_same_agree_fully(clips, editors):
    found = agreement({str(n): clips for n in range(editors)})
    assert found.mean_iou == pytest.approx(1)
    assert found.pairs == editors * (editors - 1) / 2


@given(marked, marked)
def test_episodes_pool(one, other):
    pooled = agreement(one) + agreement(other)
    assert pooled.pairs == agreement(one).pairs + agreement(other).pairs
    assert pooled.iou_sum == pytest.approx(agreement(one).mean_iou * agreement(one).pairs + agreement(other).iou_sum)
    assert agreement(one) + Agreement() == agreement(one)
