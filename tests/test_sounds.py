import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from media_factory import music, noise, silence, tone

from featurization.decode import decode_audio
from featurization.media import Segment, gaps, merge, overlap_s
from featurization.sounds import detect_sounds
from featurization.tonality import TonalityMeter

RATE_HZ = 16_000
EPISODES = Path(__file__).parent.parent / "samples" / "episodes"
TRUTH = json.loads((EPISODES.parent / "truth.json").read_text())


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
def heard(tmp_path_factory):
    """Sounds of a sample episode, with the true speech as voice activity."""

    @cache
    def hear(name):
        pcm = decode_audio(EPISODES / name, scratch=tmp_path_factory.mktemp("scratch"))
        return detect_sounds(pcm.blocks(), segments(TRUTH[name]["speakers"]))

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


def test_four_sounds_side_by_side():
    parts = [music(6.0, 3), silence(2.0), noise(4.0), silence(2.0)]
    sound = np.concatenate([resampled(part) for part in parts])
    found = detect_sounds([sound], [])
    assert_near(spans(found, "music"), [Segment(0, 6)], 0.5)
    assert_near(spans(found, "noise"), [Segment(8, 12)], 0.15)
    assert_near(spans(found, "silence"), [Segment(6, 8), Segment(12, 14)], 0.5)
    assert list(found) == sorted(found)


def resampled(sound):
    """44.1 kHz to 16 kHz by linear interpolation, good enough for labels."""
    time = np.arange(len(sound) * RATE_HZ // 44_100) / RATE_HZ
    return np.interp(time, np.arange(len(sound)) / 44_100, sound).astype(np.float32)


@pytest.mark.parametrize(
    "sound",
    [noise(10.0, rate_hz=RATE_HZ), tone(10.0, 1000, rate_hz=RATE_HZ), silence(10.0, rate_hz=RATE_HZ)],
    ids=["noise", "beep", "silence"],
)
def test_what_is_no_music(sound):
    assert not spans(detect_sounds([sound], []), "music")


@pytest.mark.parametrize("seed", range(6))
def test_bands_of_all_keys_and_tempi_are_music(seed):
    found = spans(detect_sounds([resampled(music(12.0, seed))], []), "music")
    assert overlap_s(Segment(0, 12), found) > 10.5


def test_nothing_gives_nothing():
    assert detect_sounds([], []) == ()


def test_speech_is_clipped_to_the_sound_and_merged():
    found = detect_sounds([noise(3.0, rate_hz=RATE_HZ)], [Segment(1, 2), Segment(1.5, 9)])
    assert spans(found, "speech") == [Segment(1.0, 3.0)]


@pytest.mark.parametrize("block", [777, 16_000, 500_000])
def test_block_sizes_change_nothing(block):
    sound = resampled(np.concatenate([music(33.0, 1), noise(7.0, 0.05)]))
    whole, pieces = TonalityMeter(), TonalityMeter()
    whole.feed(sound)
    for start in range(0, len(sound), block):
        pieces.feed(sound[start : start + block])
    np.testing.assert_array_equal(whole.finish(), pieces.finish())
