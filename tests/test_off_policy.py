"""What a log says of clips that it showed rarely, judged against listeners whose habits are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.made_listeners import MadeLog, made_log
from eval.off_policy import Log, OffPolicyOptions, clip_values, value_of

OPTIONS = OffPolicyOptions()
CLIPS = 8


def log(*rows: tuple[float, float]) -> Log:
    """Rows of (propensity, reward)."""
    propensity, reward = np.array(rows).T
    return Log(propensity, reward)


def at_random(made: MadeLog) -> np.ndarray:
    return np.full(len(made.clip), 1 / CLIPS)


def test_rows_count_by_how_much_more_often_they_would_be_shown():
    shown = log((0.8, 1.0), (0.2, 0.0))
    estimate = value_of(shown, np.array([0.5, 0.5]), options=OPTIONS)
    assert estimate.value == pytest.approx(0.2)  # weights .625 and 2.5
    assert estimate.effective == pytest.approx((0.625 + 2.5) ** 2 / (0.625**2 + 2.5**2))
    assert estimate.clipped_share == 0


def test_what_clipping_hides_is_in_the_interval():
    shown = log((1.0, 1.0), (0.01, 0.0))
    target = np.array([1.0, 1.0])
    clipped = value_of(shown, target, options=OffPolicyOptions(clip=10))
    assert clipped.value == pytest.approx(1 / 11)
    assert clipped.clipped_share == pytest.approx(90 / 101)
    whole = value_of(shown, target, options=OffPolicyOptions(clip=100)).value
    assert whole == pytest.approx(1 / 101)
    assert clipped.low <= whole <= clipped.high


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.sampled_from([0.0, 1.0]), st.floats(0, 1)), min_size=1, max_size=30),
    st.floats(1, 50),
)
def test_the_bias_of_clipping_is_bounded(rows: list[tuple[float, float, float]], clip: float):
    propensity, reward, target = np.array([*rows, (1.0, 0.0, 1.0)]).T
    shown = Log(propensity, reward)
    clipped = value_of(shown, target, options=OffPolicyOptions(clip=clip))
    whole = value_of(shown, target, options=OffPolicyOptions(clip=1e9)).value
    assert abs(clipped.value - whole) <= clipped.clipped_share + 1e-9
    assert clipped.low - 1e-9 <= whole <= clipped.high + 1e-9


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.5, float("nan")])
def test_a_row_whose_propensity_is_unknown_is_refused(propensity: float):
    with pytest.raises(ValueError, match="propensity above 0"):
        log((0.5, 1.0), (propensity, 0.0))


def test_rewards_and_targets_are_checked():
    with pytest.raises(ValueError, match="rewards"):
        log((0.5, 2.0))
    with pytest.raises(ValueError, match="for each row"):
        value_of(log((0.5, 1.0)), np.array([1.0, 1.0]), options=OPTIONS)
    with pytest.raises(ValueError, match="no view of the new choice"):
        value_of(log((0.5, 1.0)), np.array([0.0]), options=OPTIONS)
    with pytest.raises(ValueError, match="clip must be"):
        OffPolicyOptions(clip=0.5)


def test_no_stream_yet_is_not_certainty():
    estimate = value_of(log(*[(0.5, 0.0)] * 10), np.full(10, 0.5), options=OPTIONS)
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert 0.05 < estimate.high < 0.5


def test_listeners_who_come_back_make_the_interval_wider():
    rows = log(*[(0.5, 1.0), (0.5, 0.0)] * 100)
    alone = value_of(rows, np.full(200, 0.5), options=OPTIONS)
    listener = np.tile([0, 1], 100)  # two listeners, of whom one always streams
    together = value_of(rows, np.full(200, 0.5), clusters=listener, options=OPTIONS)
    assert together.value == alone.value
    assert together.high - together.low > 5 * (alone.high - alone.low)


def test_the_naive_rate_flatters_the_logging_ranker_and_the_weighted_one_does_not():
    covered, naive_errors = 0, []
    for seed in range(100):
        made = made_log(episodes=20, clips=CLIPS, rows=4000, habit=0.5, seed=seed)
        truth = made.worth.mean()  # of showing clips at random
        estimate = value_of(made.log, at_random(made), options=OPTIONS)
        covered += estimate.low <= truth <= estimate.high
        naive_errors.append(made.log.reward.mean() - truth)
    assert min(naive_errors) > 0.01
    assert covered >= 90  # of the 95 to expect


def test_with_hard_habits_clipping_keeps_the_interval_honest():
    covered = 0
    for seed in range(50):
        made = made_log(episodes=20, clips=CLIPS, rows=4000, habit=1.5, seed=seed)
        estimate = value_of(made.log, at_random(made), options=OffPolicyOptions(clip=5))
        assert estimate.clipped_share > 0.05
        covered += estimate.low <= made.worth.mean() <= estimate.high
    assert covered >= 47


def test_a_favourite_is_worth_no_more_than_its_rate():
    """Clip 0 was shown nine times as often; both are streamed by every second listener."""
    shown = log(*[(0.9, 1.0), (0.9, 0.0)] * 90, *[(0.1, 1.0), (0.1, 0.0)] * 10)
    clip = np.array([0] * 180 + [1] * 20)
    values = clip_values(shown, clip, np.array([0, 0]), options=OPTIONS)
    assert values.rate == pytest.approx([0.5, 0.5])
    assert values.weighted_streams == pytest.approx([100, 100])  # counted, they would be 90 and 10
    assert values.views.tolist() == [180, 20]
    assert values.trust == pytest.approx([0.9, 0.5])


def test_a_clip_that_was_never_shown_is_like_its_episode_and_is_not_trusted():
    values = clip_values(log((0.5, 1.0), (0.5, 0.0)), np.array([0, 0]), np.array([0, 0, 1]), options=OPTIONS)
    assert values.rate.tolist() == [0.5, 0.5, 0.0]
    assert values.trust[1:].tolist() == [0.0, 0.0]


def test_values_order_clips_as_their_worth_does():
    made = made_log(episodes=10, clips=CLIPS, rows=60_000, habit=0.5, seed=3)
    values = clip_values(made.log, made.clip, made.episode, options=OPTIONS)
    by_value = np.corrcoef(values.rate, made.worth)[0, 1]
    counted = np.bincount(made.clip, weights=made.log.reward, minlength=len(made.worth))
    assert by_value > 0.9
    assert by_value > np.corrcoef(counted, made.worth)[0, 1] + 0.1
