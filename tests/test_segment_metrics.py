"""Metrics of picks whose agreement can be worked out by hand, and the algebra that pools them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.segment_metrics import HIT_IOUS, SegmentMetrics, iou, judge_pick
from featurization.media import Segment

GOLDEN = [Segment(100.0, 130.0), Segment(300.0, 330.0)]

segments = st.tuples(st.integers(0, 500), st.integers(1, 60)).map(lambda t: Segment(float(t[0]), float(t[0] + t[1])))


def test_a_perfect_pick():
    found = judge_pick(Segment(300.0, 330.0), GOLDEN)
    assert (found.mean_iou, found.boundary_error_s) == (1.0, 0.0)
    assert found.hit_rates == {0.3: 1.0, 0.5: 1.0, 0.7: 1.0}


def test_a_pick_ten_seconds_late_hits_half():
    found = judge_pick(Segment(110.0, 140.0), GOLDEN)
    assert found.mean_iou == pytest.approx(0.5)
    assert found.hit_rates == {0.3: 1.0, 0.5: 1.0, 0.7: 0.0}
    assert found.boundary_error_s == 10.0


def test_a_miss_is_measured_from_the_nearest_golden_clip():
    found = judge_pick(Segment(280.0, 295.0), GOLDEN)
    assert (found.mean_iou, found.start_error_s, found.end_error_s) == (0.0, 20.0, 35.0)


def test_an_episode_without_a_pick_counts_against():
    pooled = judge_pick(None, GOLDEN) + judge_pick(Segment(100.0, 130.0), GOLDEN)
    assert (pooled.episodes, pooled.picks, pooled.mean_iou) == (2, 1, 0.5)
    assert pooled.hit_rates[0.7] == 0.5
    assert pooled.boundary_error_s == 0.0


def test_ads_and_music_inside_are_counted_once():
    ads = [Segment(100.0, 103.0), Segment(102.0, 106.0)]
    found = judge_pick(Segment(100.0, 130.0), GOLDEN, ads=ads, music=[Segment(127.0, 200.0)])
    assert (found.ad_s, found.music_s) == (6.0, 3.0)
    assert (found.ad_share, found.music_share) == (0.2, 0.1)


def test_the_empty_pool_has_no_ratio_to_divide():
    empty = SegmentMetrics()
    assert (empty.mean_iou, empty.boundary_error_s, empty.ad_share, empty.music_share) == (0.0, 0.0, 0.0, 0.0)
    assert empty.hit_rates == dict.fromkeys(HIT_IOUS, 0.0)


def test_an_episode_without_golden_clips_is_refused():
    with pytest.raises(ValueError, match="cannot be judged"):
        judge_pick(Segment(0.0, 30.0), [])


@given(segments, segments)
def test_iou_is_symmetric_bounded_and_one_only_for_the_same(a, b):
    assert iou(a, b) == iou(b, a)
    assert 0.0 <= iou(a, b) <= 1.0
    assert (iou(a, b) == 1.0) == (a == b)
    assert (iou(a, b) > 0.0) == a.overlaps(b)


@given(st.lists(st.tuples(segments, st.lists(segments, min_size=1, max_size=3)), min_size=1, max_size=6))
def test_pooling_weighs_every_episode_alike(episodes):
    parts = [judge_pick(pick, golden) for pick, golden in episodes]
    pooled = sum(parts, SegmentMetrics())
    assert pooled.episodes == len(episodes)
    assert pooled.mean_iou == pytest.approx(sum(max(iou(p, g) for g in gs) for p, gs in episodes) / len(episodes))
    assert pooled.hit_rates[0.7] <= pooled.hit_rates[0.5] <= pooled.hit_rates[0.3]
