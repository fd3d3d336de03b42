import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_factory import silence, tone

from featurization.loudness import FLOOR_DB, Levels, measure_levels
from featurization.media import Segment

RATE_HZ = 16_000


@pytest.fixture
def loud_pause_loud() -> Levels:
    parts = [tone(1.0, 400, 0.5, rate_hz=RATE_HZ), silence(0.5, rate_hz=RATE_HZ), tone(1.0, 400, 0.05, rate_hz=RATE_HZ)]
    return measure_levels([np.concatenate(parts)])


def test_a_sine_of_half_scale_is_nine_decibels_down(loud_pause_loud):
    assert loud_pause_loud.decibels[3] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert loud_pause_loud.mean(Segment(1.6, 2.4)) == pytest.approx(20 * np.log10(0.05 / np.sqrt(2)), abs=0.05)
    assert loud_pause_loud.decibels[12] == FLOOR_DB
    assert loud_pause_loud.duration_s == pytest.approx(2.5)


def test_the_quietest_point_lies_in_the_middle_of_the_pause(loud_pause_loud):
    assert loud_pause_loud.quietest(Segment(0.8, 1.7)) == pytest.approx(1.25, abs=0.05)


def test_the_quietest_point_stays_in_its_window(loud_pause_loud):
    assert Segment(0.52, 0.55).start <= loud_pause_loud.quietest(Segment(0.52, 0.55)) <= 0.55
    assert loud_pause_loud.quietest(Segment(90.0, 91.0)) == 90.0


def test_percentiles_tell_floor_from_speech(loud_pause_loud):
    assert loud_pause_loud.percentile(0.05) == FLOOR_DB
    assert loud_pause_loud.percentile(0.9) == pytest.approx(-9.03, abs=0.1)
    assert loud_pause_loud.percentile(0.5, Segment(1.6, 2.4)) == pytest.approx(-29.03, abs=0.1)


def test_no_sound_has_the_level_of_silence():
    nothing = measure_levels([])
    assert nothing.mean(Segment(0, 1)) == nothing.percentile(0.5) == FLOOR_DB
    assert nothing.quietest(Segment(2, 4)) == 3.0


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8))
def test_block_sizes_change_nothing(sizes):
    sound = np.random.default_rng(1).normal(0, 0.1, sum(sizes)).astype(np.float32)
    blocks = np.split(sound, np.cumsum(sizes)[:-1])
    np.testing.assert_array_equal(measure_levels(blocks).decibels, measure_levels([sound]).decibels)
