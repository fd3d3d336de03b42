import json
import tracemalloc
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_factory import music, noise, silence, tone

from featurization.decode import decode_audio
from featurization.loudness import Levels, measure_levels
from featurization.media import Segment, gaps, merge, overlap_s
from featurization.models import load_registry
from featurization.sounds import FRAME_S, SoundOptions, sound_probabilities, sound_spans
from featurization.speech import voice_activity

RATE_HZ = 16_000
EPISODES = Path(__file__).parent.parent / "samples" / "episodes"
TRUTH = json.loads((EPISODES.parent / "truth.json").read_text())
REGISTRY = load_registry()


def detect(*blocks):
    heard = sound_probabilities(blocks, voice_activity(blocks), REGISTRY)
    return sound_spans(heard, measure_levels(blocks))


def spans(found, label):
    return [sound.span for sound in found if sound.label == label]


def segments(rows):
    return [Segment(row["start"], row["end"]) for row in rows]


def assert_near(found, expected, tolerance_s):
    assert len(found) == len(expected)
    for have, want in zip(found, expected, strict=True):
        assert have.start == pytest.approx(want.start, abs=tolerance_s)
        assert have.end == pytest.approx(want.end, abs=tolerance_s)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A sample episode at 16 kHz."""

    @cache
    def read(name):
        pcm = decode_audio(EPISODES / name, scratch=tmp_path_factory.mktemp("scratch"))
        return pcm.read(pcm.span)

    return read


@pytest.fixture(scope="module")
def heard(samples):
    """Sounds of a sample episode."""

    @cache
    def hear(name):
        return detect(samples(name))

    return hear


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_music_of_the_samples_is_found_where_it_is(heard, name):
    truth = segments([*TRUTH[name]["music"], *TRUTH[name]["music_bed"]])
    assert_near(spans(heard(name), "music"), merge(truth), 0.6)


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_talk_alone_is_not_music(heard, name):
    truth = segments([*TRUTH[name]["music"], *TRUTH[name]["music_bed"]])
    talk = gaps([Segment(max(0.0, s.start - 0.6), s.end + 0.6) for s in truth], Segment(0, TRUTH[name]["duration_s"]))
    assert sum(overlap_s(span, talk) for span in spans(heard(name), "music")) == 0


@pytest.mark.parametrize("name", [name for name in sorted(TRUTH) if TRUTH[name]["music_bed"]])
def test_talk_over_a_bed_is_speech_and_music(heard, name):
    bed = segments(TRUTH[name]["music_bed"])[0]
    both = merge(span & bed for span in spans(heard(name), "speech") if span.overlaps(bed))
    assert sum(overlap_s(span, spans(heard(name), "music")) for span in both) > 0.9 * sum(s.duration for s in both)


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_sentences_are_speech(heard, name):
    said = merge(segments(TRUTH[name]["sentences"]), max_gap_s=0.5)
    found = spans(heard(name), "speech")
    inside = sum(overlap_s(span, said) for span in found)
    assert inside > 0.96 * sum(span.duration for span in said)
    assert inside > 0.96 * sum(span.duration for span in found)


def test_four_sounds_side_by_side():
    parts = [music(6.0, 3), silence(2.0), noise(4.0), silence(2.0)]
    found = detect(np.concatenate([resampled(part) for part in parts]))
    assert_near(spans(found, "music"), [Segment(0, 6)], 0.5)
    assert_near(spans(found, "noise"), [Segment(8, 12)], 0.5)
    assert_near(spans(found, "silence"), [Segment(6, 8), Segment(12, 14)], 0.5)
    assert list(found) == sorted(found)


def resampled(sound):
    """44.1 kHz to 16 kHz by linear interpolation, good enough for labels."""
    time = np.arange(len(sound) * RATE_HZ // 44_100) / RATE_HZ
    return np.interp(time, np.arange(len(sound)) / 44_100, sound).astype(np.float32)


@pytest.mark.parametrize(
    "sound",
    [noise(10.0, rate_hz=RATE_HZ), silence(10.0, rate_hz=RATE_HZ), noise(10.0, 1e-3, rate_hz=RATE_HZ)],
    ids=["noise", "silence", "hiss"],
)
def test_what_is_neither_speech_nor_music(sound):
    assert {found.label for found in detect(sound)} <= {"noise", "silence"}


@pytest.mark.parametrize("seed", range(6))
def test_bands_of_all_keys_and_tempi_are_music(seed):
    found = spans(detect(resampled(music(12.0, seed))), "music")
    assert overlap_s(Segment(0, 12), found) > 10.5


def test_nothing_gives_nothing():
    assert detect() == ()


# from probabilities to spans, by hand -------------------------------------------------------------------------------

LOUD = Levels(np.full(100, -20, dtype=np.float32), 0.1)  # 10 s


def track(*pairs, of=0):
    """Ten seconds of one track with a probability from each (frame, probability) on."""
    heard = np.zeros((157, 2), dtype=np.float32)
    for first, probability in pairs:
        heard[first:, of] = probability
    return heard


def test_an_edge_lies_between_two_frames_where_the_probability_passes():
    (speech,) = spans(sound_spans(track((50, 1.0), (100, 0.0)), LOUD), "speech")
    assert speech.start == pytest.approx(50 * FRAME_S - 0.1 * FRAME_S, abs=0.011)  # 0.4 between the frames' middles
    assert speech.end == pytest.approx(100 * FRAME_S + 0.1 * FRAME_S, abs=0.011)


def test_pauses_are_closed_and_longer_ones_stay():
    short, long = round(0.3 / FRAME_S), round(1.0 / FRAME_S)
    heard = track((20, 1), (40, 0), (40 + short, 1), (80, 0), (80 + long, 1), (130, 0))
    first, second = spans(sound_spans(heard, LOUD), "speech")
    assert first.start < 20 * FRAME_S < 80 * FRAME_S < first.end + FRAME_S
    assert second.start == pytest.approx((80 + long) * FRAME_S, abs=FRAME_S)


def test_short_music_is_dropped_and_unsure_sound_is_none():
    assert not spans(sound_spans(track((50, 1), (58, 0), of=1), LOUD), "music")  # half a second
    assert not spans(sound_spans(track((50, 0.48), (120, 0), of=1), LOUD), "music")
    assert spans(sound_spans(track((50, 0.45), (80, 0.9), (90, 0.45), (120, 0), of=1), LOUD), "music")  # once sure


def test_confidence_is_the_mean_probability():
    (music_span,) = [s for s in sound_spans(track((0, 0.8), of=1), LOUD) if s.label == "music"]
    assert music_span.confidence == pytest.approx(0.8)
    assert music_span.span == Segment(0.0, 10.0)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 2))
def test_spans_lie_in_the_sound_in_order_and_exclude_each_other(seed, steadiness):
    drawn = np.random.default_rng(seed).normal(0, 1, (157, 2)).cumsum(axis=0) / steadiness
    found = sound_spans((0.5 + 0.5 * np.tanh(drawn)).astype(np.float32), LOUD)
    assert list(found) == sorted(found)
    assert all(0 <= span.start < span.end <= 10 and 0 <= span.confidence <= 1 for span in found)
    heard, rest = ([s for s in found if (s.label in ("speech", "music")) is kind] for kind in (True, False))
    assert all(not one.span.overlaps(other.span) for one in heard for other in rest)
    for label in ("speech", "music"):
        own = spans(found, label)
        assert all(a.end < b.start for a, b in pairwise(own))


@pytest.mark.parametrize("bad", [{"speech_off": 0.6}, {"music_on": 1.0}, {"music_off": 0.0}])
def test_thresholds_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError, match="need 0 <"):
        SoundOptions(**bad)


# what comes in ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def talk(samples):
    """Half a minute of talk without music, and where its sentences are."""
    name = sorted(TRUTH)[0]
    said = [s for s in segments(TRUTH[name]["sentences"]) if s.start > 30][:8]
    start, end = said[0].start - 0.2, said[-1].end + 0.2
    return samples(name)[round(start * RATE_HZ) : round(end * RATE_HZ)], end - start


def at_peak(sound, decibels):
    return (sound * 10 ** (decibels / 20) / np.abs(sound).max()).astype(np.float32)


def test_talk_too_faint_to_be_heard_is_silence(talk):
    assert {span.label for span in detect(at_peak(talk[0], -60))} == {"silence"}


def telephone(sound):
    """Every second sample, each twice: 8 kHz."""
    return np.repeat(sound[::2], 2)[: len(sound)]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(telephone, id="8 kHz"),
        pytest.param(lambda sound: np.clip(8 * sound, -0.9, 0.9), id="clipped"),
        pytest.param(lambda sound: 0.5 * sound, id="mono in one channel"),
        pytest.param(lambda sound: at_peak(sound, -35), id="faint"),
        pytest.param(lambda sound: sound + noise(len(sound) / RATE_HZ, 0.005, rate_hz=RATE_HZ), id="hiss"),
    ],
)
def test_talk_stays_talk(talk, damage):
    sound, duration_s = talk
    found = detect(damage(sound).astype(np.float32))
    assert sum(s.duration for s in spans(found, "speech")) > 0.75 * duration_s
    assert sum(s.duration for s in spans(found, "music")) < 0.1 * duration_s


def test_a_laugh_track_is_neither():
    bursts = np.tile(np.concatenate([noise(0.12, 0.2, rate_hz=RATE_HZ), silence(0.1, rate_hz=RATE_HZ)]), 40)
    found = detect(bursts.astype(np.float32))
    assert sum(s.duration for s in spans(found, "speech") + spans(found, "music")) < 0.2 * len(bursts) / RATE_HZ


@pytest.mark.parametrize("count", [1, 500, 1023, 1024, 1025, 2 * RATE_HZ])
def test_short_sounds_end_where_they_end(count):
    found = detect(tone(1, 300, rate_hz=RATE_HZ).repeat(2)[:count])
    assert all(0 <= span.start < span.end <= count / RATE_HZ + 0.1 for span in found)


@pytest.mark.parametrize("block", [777, 16_000, 500_000])
def test_block_sizes_change_nothing(block):
    sound = resampled(np.concatenate([music(33.0, 1), noise(7.0, 0.05)]))
    voice = voice_activity([sound])
    whole = sound_probabilities([sound], voice, REGISTRY)
    pieces = [sound[start : start + block] for start in range(0, len(sound), block)]
    np.testing.assert_allclose(sound_probabilities(pieces, voice, REGISTRY), whole, atol=1e-5)


def peak_memory(minutes):
    """Bytes at the most while so many minutes are heard in blocks."""
    block, count = noise(20.0, 0.05, rate_hz=RATE_HZ), 3 * minutes
    voice = np.zeros(count * len(block) // 512, dtype=np.float32)
    tracemalloc.start()
    heard = sound_probabilities((block for _ in range(count)), voice, REGISTRY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(heard) == -(-count * len(block) // 1024)
    return peak


def test_memory_does_not_grow_with_the_recording():
    short, long = (peak_memory(minutes) for minutes in (2, 5))
    assert long < short + 1e6  # three more minutes of samples are 11 MB
