"""Figures of ad detection with answers that are counted by hand."""

import numpy as np
import pytest

from eval.ad_metrics import HeardSeconds, best_threshold, cut_seconds, f1_interval, heard_seconds, judge_scores
from eval.detection_metrics import DetectionMetrics
from featurization.media import AdSpan, Segment

TRUTH = np.array([True, False, True, False])


def test_average_precision_is_the_mean_precision_at_each_ad():
    scores = judge_scores(TRUTH, np.array([0.9, 0.8, 0.7, 0.1]))
    assert scores.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert scores.share == 0.5
    assert scores.at(0.75) == DetectionMetrics(1, 1, 1, 1)


def test_without_ads_there_is_no_precision():
    assert judge_scores(np.zeros(3, dtype=bool), np.ones(3)).average_precision == 0
    assert judge_scores(np.zeros(0, dtype=bool), np.zeros(0)).share == 0


def test_the_best_threshold_takes_all_ads_if_that_costs_little():
    assert best_threshold(TRUTH, np.array([0.9, 0.2, 0.7, 0.1])) == 0.7
    assert best_threshold(np.array([True, False, False, False]), np.array([4.0, 3.0, 2.0, 1.0])) == 4.0


def test_seconds_of_talk_lost_and_of_ads_left():
    lengths = np.array([10.0, 4.0, 6.0, 2.0])
    one = heard_seconds(lengths, TRUTH, np.array([True, True, False, False]))
    assert (one.content_loss_s, one.ad_leak_s) == (4.0, 6.0)
    pooled = one + heard_seconds(lengths, TRUTH, TRUTH)
    assert (pooled.content_loss_s, pooled.ad_leak_s) == (2.0, 3.0)
    assert HeardSeconds().ad_leak_s == 0


def test_seconds_by_times_count_overlapping_spans_once():
    found = [AdSpan(5, 11, "sponsor", 0.7), AdSpan(9, 12, "sponsor", 0.9)]
    heard = cut_seconds([Segment(0, 7)], found)
    assert (heard.lost_s, heard.leaked_s) == (5, 5)


def test_the_interval_holds_the_pooled_figure():
    files = [DetectionMetrics(8, 2, 2, 100), DetectionMetrics(6, 4, 4, 100), DetectionMetrics(9, 1, 1, 100)]
    low, high = f1_interval(files)
    assert low < sum(files, DetectionMetrics()).f1 < high
    assert f1_interval([]) == (0.0, 0.0)
