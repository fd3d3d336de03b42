import errno
import random
from contextlib import ExitStack

import av
import numpy as np
import pyloudnorm
import pytest
from av.stream import Disposition
from media_factory import encode, encode_video, music, noise, silence, stereo, tone

from featurization.decode import DecodeOptions, decode_audio, silent_pcm
from featurization.errors import MediaError, NoAudio, StoreError, UnreadableMedia
from featurization.media import Segment

SUFFIXES = (".mp3", ".m4a", ".wav", ".flac", ".opus", ".ogg", ".mkv")


def onset_s(samples):
    """Time of the first sample above a tenth of full scale, at 16 kHz."""
    return int(np.argmax(np.abs(samples) > 0.1)) / 16_000


def frequency_hz(samples):
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 16_000 / len(samples)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_tone_keeps_its_place_pitch_and_level(tmp_path, suffix):
    sound = np.concatenate([silence(1.0), tone(1.5, 1000, 0.5), silence(0.5)])
    pcm = decode_audio(encode(tmp_path / f"a{suffix}", sound), scratch=tmp_path)
    assert pcm.duration_s == pytest.approx(3.0, abs=0.03)
    assert onset_s(pcm.read(pcm.span)) == pytest.approx(1.0, abs=0.01)
    heard = pcm.read(Segment(1.25, 2.25))
    assert len(heard) == 16_000
    assert frequency_hz(heard) == pytest.approx(1000, abs=1)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_agrees_with_an_independent_meter(tmp_path, suffix, channels):
    sound = np.concatenate([music(5.0, 1, 0.7), noise(3.0, 0.05, seed=2), silence(2.0), music(5.0, 2, 0.2)])
    path = encode(tmp_path / f"a{suffix}", stereo(sound, 0.3 * sound[::-1]) if channels == 2 else sound)
    with av.open(str(path)) as container:
        rate_hz = container.streams.audio[0].rate
        frames = [f for c in container.decode(audio=0) for f in av.AudioResampler("fltp").resample(c)]
    decoded = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
    expected = pyloudnorm.Meter(rate_hz).integrated_loudness(decoded)
    assert decode_audio(path, scratch=tmp_path).loudness_lufs == pytest.approx(expected, abs=0.1)


def test_silence_has_the_lowest_loudness(tmp_path):
    pcm = decode_audio(encode(tmp_path / "a.wav", silence(3.0)), scratch=tmp_path)
    assert (pcm.loudness_lufs, pcm.loudness_range_lu, pcm.channels) == (-70.0, 0.0, "mono")


def test_loudness_range_is_the_step_between_two_levels(tmp_path):
    sound = np.concatenate([tone(20.0, 1000, 0.5), tone(20.0, 1000, 0.5 * 10 ** (-10 / 20))])
    assert decode_audio(encode(tmp_path / "a.wav", sound), scratch=tmp_path).loudness_range_lu == pytest.approx(
        10, abs=0.2
    )


def test_speakers_on_their_own_channels_are_kept_apart(tmp_path):
    pause = silence(1.5)
    left, right = tone(1.5, 300), tone(1.5, 700)
    sound = stereo(np.concatenate([left, pause, left, pause]), np.concatenate([pause, right, pause, right]))
    pcm = decode_audio(encode(tmp_path / "call.mp3", sound), scratch=tmp_path)
    assert (pcm.channels, pcm.stored_channels) == ("split", 2)
    assert frequency_hz(pcm.read(Segment(0.25, 1.25), 0)) == pytest.approx(300, abs=1)
    assert frequency_hz(pcm.read(Segment(1.75, 2.75), 1)) == pytest.approx(700, abs=1)
    assert np.abs(pcm.read(Segment(0.25, 1.25), 1)).max() < 0.01
    assert np.abs(pcm.read(Segment(0.25, 1.25))).max() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (music(4.0, 1), music(4.0, 1)),
        (music(4.0, 1), 0.6 * music(4.0, 1)),
        (music(4.0, 1), music(4.0, 2)),
        (music(4.0, 1), silence(4.0)),
        (silence(4.0), silence(4.0)),
    ],
    ids=["same", "panned", "wide", "one side dead", "silent"],
)
def test_ordinary_stereo_is_mono(tmp_path, left, right):
    assert decode_audio(encode(tmp_path / "a.flac", stereo(left, right)), scratch=tmp_path).channels == "mono"


def test_an_upside_down_channel_does_not_cancel_the_other(tmp_path):
    pcm = decode_audio(encode(tmp_path / "a.flac", stereo(tone(2.0), -tone(2.0))), scratch=tmp_path)
    assert pcm.inverted
    assert np.abs(pcm.read(pcm.span)).max() == pytest.approx(0.5, abs=0.01)


def test_blocks_are_the_whole_and_windows_are_cuts_of_it(tmp_path):
    pcm = decode_audio(encode(tmp_path / "a.mp3", stereo(music(3.3, 1), music(3.3, 2))), scratch=tmp_path)
    whole = pcm.read(Segment(0, 100))
    assert len(whole) == pcm.length
    np.testing.assert_array_equal(np.concatenate(list(pcm.blocks(0.7))), whole)
    np.testing.assert_array_equal(pcm.read(Segment(1.0, 2.0)), whole[16_000:32_000])
    assert len(pcm.read(Segment(50, 60))) == 0
    with pytest.raises(ValueError, match="channel must be below 2"):
        pcm.read(Segment(0, 1), 2)


def test_decoding_twice_gives_the_same_bytes(tmp_path):
    path = encode(tmp_path / "a.m4a", music(3.0))
    first = decode_audio(path, scratch=tmp_path)
    content = first.path.read_bytes()
    assert decode_audio(path, scratch=tmp_path) == first
    assert first.path.read_bytes() == content


def lose(source, target, lost):
    """Copy a file without the packets whose time lies in `lost` seconds."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(before.streams.audio[0]):
            if packet.dts is not None and not lost.start <= float(packet.pts * packet.time_base) < lost.end:
                packet.stream = stream
                after.mux(packet)
    return target


def test_lost_packets_become_silence_and_later_times_hold(tmp_path):
    sound = np.concatenate([tone(4.0, 300), silence(1.0), tone(1.0, 900)])
    path = lose(encode(tmp_path / "whole.mkv", sound), tmp_path / "gap.mkv", Segment(1.0, 3.0))
    pcm = decode_audio(path, scratch=tmp_path)
    assert pcm.inserted_s == pytest.approx(2.0, abs=0.05)
    assert pcm.duration_s == pytest.approx(6.0, abs=0.05)
    assert np.abs(pcm.read(Segment(1.1, 2.9))).max() < 0.01
    assert onset_s(pcm.read(Segment(4.5, 6.0))) == pytest.approx(0.5, abs=0.03)


def test_a_gap_beyond_the_limit_is_closed(tmp_path):
    path = lose(encode(tmp_path / "whole.mkv", tone(6.0)), tmp_path / "gap.mkv", Segment(1.0, 4.0))
    pcm = decode_audio(path, scratch=tmp_path, options=DecodeOptions(max_silence_s=1.0))
    assert pcm.inserted_s == 0
    assert pcm.duration_s == pytest.approx(3.0, abs=0.05)


def test_a_container_that_starts_late_starts_at_zero(tmp_path):
    pcm = decode_audio(encode(tmp_path / "late.mkv", tone(2.0), start_s=30.0), scratch=tmp_path)
    assert pcm.duration_s == pytest.approx(2.0, abs=0.05)


def test_damage_in_the_middle_costs_only_the_middle(tmp_path):
    content = bytearray(encode(tmp_path / "whole.mp3", tone(6.0, 500)).read_bytes())
    middle = slice(len(content) // 2 - 4000, len(content) // 2 + 4000)
    content[middle] = random.Random(1).randbytes(8000)
    path = tmp_path / "damaged.mp3"
    path.write_bytes(content)
    pcm = decode_audio(path, scratch=tmp_path)
    assert pcm.duration_s == pytest.approx(6.0, abs=0.6)
    assert frequency_hz(pcm.read(Segment(1.0, 2.0))) == pytest.approx(500, abs=1)
    assert frequency_hz(pcm.read(Segment(4.25, 5.25))) == pytest.approx(500, abs=1)


def test_a_truncated_file_gives_what_is_there(tmp_path):
    whole = encode(tmp_path / "whole.mp3", tone(6.0)).read_bytes()
    path = tmp_path / "cut.mp3"
    path.write_bytes(whole[: len(whole) // 3])
    assert decode_audio(path, scratch=tmp_path).duration_s == pytest.approx(2.0, abs=0.1)


def test_two_files_in_one_with_different_rates_are_heard_to_the_end(tmp_path):
    first, second = (encode(tmp_path / f"{n}.mp3", tone(2.0, 500), rate) for n, rate in ((1, 44_100), (2, 22_050)))
    path = tmp_path / "joined.mp3"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert decode_audio(path, scratch=tmp_path).duration_s > 2.5


def test_the_sound_of_a_film_is_decoded(tmp_path):
    pcm = decode_audio(encode_video(tmp_path / "film.mp4", 2.0, tone(2.0)), scratch=tmp_path)
    assert pcm.duration_s == pytest.approx(2.0, abs=0.1)


def test_progress_is_told_every_ten_seconds(tmp_path):
    told = []
    decode_audio(encode(tmp_path / "a.wav", silence(25.0)), scratch=tmp_path, progress=told.append)
    assert told == [10.0, 20.0]


def test_no_sound_no_samples_no_media(tmp_path):
    page = tmp_path / "page.mp3"
    page.write_text("<html>gone</html>")
    for path, error in (
        (encode_video(tmp_path / "mute.mp4", 1.0), NoAudio),
        (page, UnreadableMedia),
        (encode(tmp_path / "nothing.wav", silence(0.0)), MediaError),
    ):
        with pytest.raises(error, match=f"{path.name}: "):
            decode_audio(path, scratch=tmp_path)


def test_a_film_without_sound_is_silence_of_its_length_that_takes_no_room(tmp_path):
    pcm = silent_pcm(36_000.0, scratch=tmp_path)
    assert (pcm.duration_s, pcm.loudness_lufs, pcm.channels) == (36_000.0, -70.0, "mono")
    assert not pcm.read(Segment(35_999.0, 36_010.0)).any()
    assert len(pcm.read(Segment(35_999.0, 36_010.0))) == 16_000
    assert pcm.path.stat().st_blocks * 512 < 1_000_000
    assert silent_pcm(0.0, scratch=tmp_path).length == 0


def test_of_several_tracks_the_default_one_is_heard_then_the_widest_and_never_the_comment(tmp_path):
    path = tmp_path / "film.mkv"
    tracks = [(300, 1, 0), (500, 2, 0), (700, 2, Disposition.comment | Disposition.default)]
    assert frequency_hz(heard_of(path, tracks)) == pytest.approx(500, abs=1)
    tracks = [(300, 1, Disposition.default), (500, 2, 0)]
    assert frequency_hz(heard_of(path, tracks)) == pytest.approx(300, abs=1)


def heard_of(path, tracks):
    """A second of what is decoded from a file with tracks of (pitch, channels, disposition)."""
    sources = [
        encode(path.with_name(f"{n}.flac"), np.repeat(tone(2.0, hz)[:, None], channels, axis=1))
        for n, (hz, channels, _) in enumerate(tracks)
    ]
    with av.open(str(path), "w") as target, ExitStack() as stack:
        opened = [stack.enter_context(av.open(str(source))) for source in sources]
        streams = [target.add_stream_from_template(source.streams.audio[0]) for source in opened]
        for stream, (_, _, disposition) in zip(streams, tracks, strict=True):
            stream.disposition = disposition
        for source, stream in zip(opened, streams, strict=True):
            for packet in source.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    return decode_audio(path, scratch=path.parent).read(Segment(0.5, 1.5))


def test_a_full_disk_is_a_store_error_with_the_way_out(tmp_path):
    (tmp_path / "audio.s16").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="no space left") as caught:
        decode_audio(encode(tmp_path / "a.wav", noise(5.0)), scratch=tmp_path)
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_missing_scratch_folder_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        decode_audio(encode(tmp_path / "a.wav", tone(1.0)), scratch=tmp_path / "missing")


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".wav", ".flac", ".opus"])
def test_any_damage_gives_sound_or_one_line_and_nothing_on_the_terminal(tmp_path, suffix, capfd):
    clean = encode(tmp_path / f"clean{suffix}", music(1.0)).read_bytes()
    chance = random.Random(suffix)
    for trial in range(25):
        broken = bytearray(clean[: chance.randrange(1, len(clean))] if trial % 2 else clean)
        for _ in range(chance.randrange(1, 40)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(broken)
        try:
            pcm = decode_audio(path, scratch=tmp_path)
            assert len(pcm.read(pcm.span)) == pcm.length
            assert np.isfinite([pcm.loudness_lufs, pcm.loudness_range_lu]).all()
        except MediaError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
