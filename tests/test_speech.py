"""Voice activity on speech whose place is known, on music and on silence."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import media_factory
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_sample import excerpt

from featurization.media import Segment, overlap_s
from featurization.speech import FRAME_S, RATE_HZ, SpeechDetector, SpeechOptions, detect_speech


@pytest.fixture(scope="module")
def whole() -> tuple[Segment, ...]:
    return tuple(detect_speech([excerpt().samples]))


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, 16_000 * 50), max_size=8))
def test_blocks_of_any_size_give_what_the_whole_gives(cuts: list[int]) -> None:
    samples = excerpt().samples
    assert list(detect_speech(np.split(samples, sorted(cuts)))) == list(detect_speech([samples]))


def test_times_stay_right_across_the_borders_of_batches(whole: tuple[Segment, ...]) -> None:
    silent_s = 100.0
    late = detect_speech([np.zeros(round(silent_s * RATE_HZ), np.float32), excerpt().samples])
    for there, here in zip(late, whole, strict=True):
        assert there.start - silent_s == pytest.approx(here.start, abs=2 * FRAME_S)
        assert there.end - silent_s == pytest.approx(here.end, abs=2 * FRAME_S)


def test_every_sentence_is_found_with_its_edges(whole: tuple[Segment, ...]) -> None:
    for sentence in excerpt().sentences:
        assert overlap_s(sentence, whole) > 0.9 * sentence.duration, sentence.text
    first, last = excerpt().sentences[0], excerpt().sentences[-1]
    assert whole[0].start == pytest.approx(first.start, abs=0.15)
    assert whole[-1].end == pytest.approx(last.end, abs=0.15)


def test_spans_are_ordered_disjoint_and_clear_of_music(whole: tuple[Segment, ...]) -> None:
    assert all(left.end < right.start for left, right in pairwise(whole))
    assert excerpt().music
    assert sum(overlap_s(music, whole) for music in excerpt().music) == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_music_noise_and_silence_are_not_speech(seed: int) -> None:
    music = media_factory.music(30, seed, rate_hz=RATE_HZ)
    noise = media_factory.noise(20, 0.1, seed=seed, rate_hz=RATE_HZ)
    assert list(detect_speech([music, noise, np.zeros(20 * RATE_HZ, np.float32)])) == []


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 513])
def test_very_short_recordings_end_within_themselves(samples: int) -> None:
    assert list(detect_speech([np.zeros(samples, np.float32)])) == []


def test_a_span_never_ends_after_the_recording() -> None:
    cut = excerpt().samples[: round((excerpt().sentences[0].end - 1) * RATE_HZ)]
    spans = list(detect_speech([cut]))
    assert spans[-1].end == len(cut) / RATE_HZ


def test_probabilities_are_one_per_frame_and_high_where_speech_is() -> None:
    detector = SpeechDetector()
    detector.feed(excerpt().samples)
    detector.finish()
    assert len(detector.probabilities) == -(-len(excerpt().samples) // 512)
    sentence, music = excerpt().sentences[0], excerpt().music[0]
    assert detector.probabilities[round(sentence.start / FRAME_S) : round(sentence.end / FRAME_S)].mean() > 0.8
    assert detector.probabilities[round(music.start / FRAME_S) : round(music.end / FRAME_S)].mean() < 0.2


def test_memory_does_not_grow_with_the_recording() -> None:
    second = np.zeros(RATE_HZ, np.float32)
    detector = SpeechDetector()
    tracemalloc.start()
    for _ in range(600):
        detector.feed(second)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6  # 600 s of samples are 38 MB


def test_shorter_pauses_split_more(whole: tuple[Segment, ...]) -> None:
    coarse = list(detect_speech([excerpt().samples], SpeechOptions(min_silence_s=2.0)))
    assert len(coarse) < len(whole)
    assert all(overlap_s(span, coarse) == pytest.approx(span.duration) for span in whole)


@pytest.mark.parametrize("wrong", [{"threshold": 1.0}, {"release": 0.6}, {"pad_s": 0.2}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"need 0 <|at most half"):
        SpeechOptions(**wrong)
