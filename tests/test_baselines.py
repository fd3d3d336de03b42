"""Each obvious baseline picks what it says it picks, on an episode where that can be seen by eye."""

from dataclasses import replace

import numpy as np
import pytest
from episode_factory import clip, episode, heard, say

from ranking.baselines import BASELINES
from ranking.context import LEVEL_HOP_S, Clips

# 100 sentences of 5 s, one every 6 s; the third greets. Clips of five sentences begin at each of the first 95.
TEXTS = ["The lamp burned all night."] * 100
TEXTS[2] = "Welcome back to the show."
HEARING = heard(say(*TEXTS, length_s=5.0, gap_s=1.0), duration_s=600.0)
CLIPS = Clips.of([clip(HEARING, first, first + 5) for first in range(95)])  # clip k lasts from 6k to 6k + 29


def scores(name, context=None, clips=CLIPS):
    return BASELINES[name](clips, context or episode(HEARING))


def best(name, context=None):
    return int(np.argmax(scores(name, context)))


def test_the_middle_clip_is_nearest_to_the_middle_of_the_episode():
    assert best("middle") == 48  # 288 to 317 s, middle 302.5; the one before has its middle at 296.5


def test_the_loudest_clip_is_where_the_level_is_raised():
    levels = np.full(6000, -20.0, dtype=np.float32)
    levels[round(120 / LEVEL_HOP_S) : round(149 / LEVEL_HOP_S)] = -10.0
    assert best("loudest", episode(HEARING, levels=levels)) == 20


def test_the_first_clip_after_the_greeting_is_best_and_the_intro_comes_last():
    ranked = np.argsort(-scores("after_intro")).tolist()
    assert ranked[:3] == [3, 4, 5]
    assert set(ranked[-3:]) == {0, 1, 2}


def test_without_a_greeting_the_intro_has_no_length():
    plain = heard(say(*TEXTS[3:], length_s=5.0, gap_s=1.0), duration_s=600.0)
    assert best("after_intro", episode(plain)) == 0


def test_a_late_welcome_is_no_intro():
    texts = ["The lamp burned all night."] * 100
    texts[40] = "Welcome back to the show."
    assert best("after_intro", episode(heard(say(*texts, length_s=5.0, gap_s=1.0)))) == 0


def test_early_is_better_but_not_the_very_beginning():
    values = scores("position")
    assert int(np.argmax(values)) == 8  # 48 to 77 s: its middle, 62.5 s, is nearest to a tenth of 600 s
    assert values[0] < values[4] < values[8] > values[20] > values[90]
    assert values[90] == pytest.approx((600 - 554.5) / 540)


def test_texttiling_takes_the_middle_of_the_longest_topic():
    vectors = np.zeros((100, 3), dtype=np.float32)  # three subjects: 20, 50 and 30 sentences
    for subject, (first, last) in enumerate([(0, 20), (20, 70), (70, 100)]):
        vectors[first:last, subject] = 1.0
    assert best("texttiling", episode(HEARING, vectors=vectors)) == 43  # 258 to 287 s; the topic lasts from 120 to 420


def test_chance_is_repeated_but_differs_between_episodes():
    assert np.array_equal(scores("random"), scores("random"))
    other = replace(CLIPS, start=CLIPS.start + 0.5, end=CLIPS.end + 0.5)
    assert not np.array_equal(scores("random"), scores("random", clips=other))
    assert 0.4 < scores("random").mean() < 0.6


@pytest.mark.parametrize("name", BASELINES)
def test_an_episode_without_words_or_clips_has_finite_scores(name):
    silent = episode(heard((), duration_s=60.0))
    none = np.zeros(1, dtype=np.int64)
    one = Clips(none, none, np.array([0.0]), np.array([30.0]))
    assert np.isfinite(BASELINES[name](one, silent)).tolist() == [True]
    assert BASELINES[name](Clips.of([]), episode(HEARING)).shape == (0,)
