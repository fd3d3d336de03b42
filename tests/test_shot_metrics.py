import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.detection_metrics import DetectionMetrics
from eval.shot_metrics import ShotMetrics, TransitionSpan, judge_transitions

spans = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 30), st.booleans()).map(
        lambda t: TransitionSpan(t[0], t[0] + t[1], gradual=t[2])
    ),
    max_size=12,
)


def cuts(*frames):
    return [TransitionSpan(frame, frame) for frame in frames]


def test_a_cut_is_found_within_the_tolerance_and_not_beyond():
    truth = cuts(100)
    for frame, tolerance, hits in ((100, 0, 1), (102, 2, 1), (98, 2, 1), (103, 2, 0), (101, 0, 0)):
        assert judge_transitions(truth, cuts(frame), tolerance=tolerance).pooled.matched == hits


def test_one_found_transition_pays_for_one_true_one_only():
    judged = judge_transitions(cuts(100, 102), cuts(101), tolerance=2).pooled
    assert judged == DetectionMetrics(matched=1, false_negatives=1)
    judged = judge_transitions(cuts(100), cuts(99, 101), tolerance=2).pooled
    assert judged == DetectionMetrics(matched=1, false_positives=1)


def test_neighbours_are_matched_in_order_of_time():
    judged = judge_transitions(cuts(100, 103), cuts(101, 105), tolerance=2).pooled
    assert judged == DetectionMetrics(matched=2)


def test_a_gradual_transition_is_found_by_any_frame_of_it():
    truth = [TransitionSpan(50, 70, gradual=True)]
    judged = judge_transitions(truth, cuts(60), tolerance=0)
    assert judged == ShotMetrics(gradual=DetectionMetrics(matched=1))


def test_what_was_wrongly_found_counts_by_what_it_was_taken_for():
    found = [TransitionSpan(10, 10), TransitionSpan(200, 210, gradual=True)]
    judged = judge_transitions(cuts(100), found, tolerance=2)
    assert judged.cuts == DetectionMetrics(matched=0, false_positives=1, false_negatives=1)
    assert judged.gradual == DetectionMetrics(false_positives=1)
    assert judged.pooled == DetectionMetrics(false_positives=2, false_negatives=1)


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="first <= last"):
        TransitionSpan(5, 4)


@given(spans, spans)
def test_counts_add_up_and_the_truth_is_perfect(truth, found):
    judged = judge_transitions(truth, found, tolerance=2).pooled
    assert judged.matched + judged.false_negatives == len(truth)
    assert judged.matched + judged.false_positives == len(found)
    itself = judge_transitions(truth, truth, tolerance=0).pooled
    assert itself == DetectionMetrics(matched=len(truth))


@given(spans, spans)
def test_pooled_counts_are_sums(truth, found):
    judged = judge_transitions(truth, found, tolerance=1)
    assert (judged + judged).pooled.matched == 2 * judged.pooled.matched
    assert judged + ShotMetrics() == judged
