import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.detection_metrics import DetectionMetrics, judge_flags
from eval.sound_metrics import covered_frames, judge_sounds
from featurization.media import Segment, SoundSpan

flags = st.lists(st.booleans(), min_size=3, max_size=3).map(np.array)


def sounds(*rows):
    return tuple(SoundSpan(start, end, label=label) for start, end, label in rows)


def test_talk_over_music_counts_for_both():
    truth = sounds((0, 10, "music"), (5, 10, "speech"))
    judged = judge_sounds(truth, sounds((0, 8, "music"), (4, 10, "speech")), duration_s=12)
    assert judged["music"] == DetectionMetrics(800, 0, 200, 200)
    assert judged["speech"] == DetectionMetrics(500, 100, 0, 600)
    assert judged["noise"] == DetectionMetrics(0, 0, 0, 1200)


def test_ratios_of_counts():
    metrics = DetectionMetrics(matched=6, false_positives=2, false_negatives=6)
    assert (metrics.precision, metrics.recall, metrics.f1) == (0.75, 0.5, pytest.approx(0.6))
    assert (metrics + metrics).f1 == metrics.f1
    assert DetectionMetrics(true_negatives=5).f1 == 0


def test_spans_that_touch_or_overlap_cover_each_frame_once():
    spans = [Segment(0.0, 0.05), Segment(0.05, 0.07), Segment(0.06, 0.08)]
    assert covered_frames(spans, 10).tolist() == [True] * 8 + [False] * 2


def test_a_frame_belongs_to_the_span_that_holds_its_middle():
    assert covered_frames([Segment(0.004, 0.016)], 3).tolist() == [True, True, False]
    assert covered_frames([Segment(0.006, 0.014)], 3).tolist() == [False, False, False]


def test_spans_beyond_the_recording_are_cut():
    assert covered_frames([Segment(0.02, 9.0)], 4).tolist() == [False, False, True, True]


def test_flags_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one flag per item"):
        judge_flags(np.zeros(2, dtype=bool), np.zeros(3, dtype=bool))


@given(flags, flags, flags, flags)
def test_pooled_counts_are_the_counts_of_everything_together(truth, found, more_truth, more_found):
    pooled = judge_flags(truth, found) + judge_flags(more_truth, more_found)
    assert pooled == judge_flags(np.concatenate([truth, more_truth]), np.concatenate([found, more_found]))
    assert pooled.items == 6
