"""The algebra of segments."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Segment, Word, gaps, merge, overlap_s

times = st.integers(0, 1000).map(lambda tenths: tenths / 10)
segments = st.tuples(times, times).map(lambda pair: Segment(min(pair), max(pair)))
several = st.lists(segments, max_size=8)


def test_a_segment_cannot_end_before_it_starts():
    with pytest.raises(ValueError, match="0 <= start <= end"):
        Segment(2.0, 1.0)


def test_a_segment_is_half_open():
    assert 1.0 in Segment(1.0, 2.0)
    assert 2.0 not in Segment(1.0, 2.0)
    assert not Segment(0.0, 1.0).overlaps(Segment(1.0, 2.0))


def test_a_word_intersects_as_a_bare_segment():
    assert Word(0.0, 1.0, "hello") & Segment(0.5, 2.0) == Segment(0.5, 1.0)


def test_merge_closes_gaps_up_to_the_given_length():
    apart = [Segment(0, 1), Segment(1.5, 2), Segment(4, 5)]
    assert merge(apart, max_gap_s=0.5) == [Segment(0, 2), Segment(4, 5)]


@given(segments, segments)
def test_intersection_is_commutative_and_contained(a: Segment, b: Segment):
    assert (a & b).duration == (b & a).duration
    assert (a & b).duration <= min(a.duration, b.duration)
    assert ((a & b).duration > 0) == (a.overlaps(b) and a.duration > 0 and b.duration > 0)


@given(several)
def test_merged_segments_are_disjoint_sorted_and_cover_the_same(spans: list[Segment]):
    merged = merge(spans)
    assert all(a.end < b.start for a, b in pairwise(merged))
    assert all(any(s.start >= m.start and s.end <= m.end for m in merged) for s in spans)
    assert merge(merged) == merged


@given(several, segments)
def test_what_is_covered_and_what_is_free_add_up(spans: list[Segment], within: Segment):
    free = gaps(spans, within)
    assert overlap_s(within, spans) + sum(g.duration for g in free) == pytest.approx(within.duration)
    assert all(overlap_s(g, spans) == 0 for g in free)
