"""Whatever a film is, probing and looking at it give a result or one line."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from film_maker import encode_film, plain, scenery
from media_factory import encode, encode_video, tone

from featurization.errors import EmptyMedia, MediaError, NoAudio, NoVideo
from featurization.frames import Footage, decode_frames
from featurization.probe import Probe, probe


def looked_at(path: Path, scratch: Path) -> tuple[Probe, Footage]:
    """What is found out of a film, both ways; they must agree on its size."""
    found, footage = probe(path), decode_frames(path, scratch=scratch)
    assert (found.width, found.height) == (footage.width, footage.height)
    assert found.has_video
    return found, footage


def refused(path: Path, scratch: Path) -> tuple[type[MediaError], type[MediaError]]:
    """The errors of probing and of looking; both in one line that names the file."""
    kinds = []
    for look in (lambda: probe(path), lambda: decode_frames(path, scratch=scratch)):
        with pytest.raises(MediaError) as caught:
            look()
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(path.name)
        kinds.append(type(caught.value))
    return kinds[0], kinds[1]


# odd, but films ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "rotation", "aspect", "shown"),
    [
        ((90, 160), 0, None, (160, 90)),
        ((160, 90), 0, None, (90, 160)),
        ((90, 160), 90, None, (90, 160)),
        ((90, 160), 180, None, (160, 90)),
        ((90, 160), 270, None, (90, 160)),
        ((96, 120), 0, Fraction(4, 3), (160, 96)),
        ((96, 120), 90, Fraction(4, 3), (96, 160)),
    ],
    ids=["wide", "portrait", "rotated", "upside down", "rotated back", "anamorphic", "anamorphic and rotated"],
)
def test_the_size_is_as_shown(tmp_path, size, rotation, aspect, shown):
    path = encode_film(tmp_path / "film.mp4", scenery(1, 10, size), rotation=rotation, aspect=aspect)
    found, _ = looked_at(path, tmp_path)
    assert (found.width, found.height) == shown


def test_one_frame_is_a_film(tmp_path):
    found, footage = looked_at(encode_film(tmp_path / "film.mp4", scenery(1, 1)), tmp_path)
    assert len(footage.times) == 1
    assert 0 <= found.duration_s < 1
    assert (found.kind, found.has_audio) == ("video", False)


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".ts", ".webm"])
def test_every_container(tmp_path, suffix):
    codec = "libvpx" if suffix == ".webm" else "libx264"
    path = encode_film(tmp_path / f"film{suffix}", scenery(1, 50), codec=codec)
    found, footage = looked_at(path, tmp_path)
    assert found.duration_s == pytest.approx(2.0, abs=0.1)
    assert found.frame_rate == pytest.approx(25, rel=0.05)
    assert len(footage.times) == 50


def test_an_avi(tmp_path):
    found, footage = looked_at(encode_video(tmp_path / "film.avi", 2.0, tone(2.0)), tmp_path)
    assert (found.container, found.frame_rate, len(footage.times)) == ("avi", 10.0, 20)


def test_a_single_frame_of_8k(tmp_path):
    found, _ = looked_at(encode_film(tmp_path / "film.mkv", plain((90, 120, 30), 1, (4320, 7680))), tmp_path)
    assert (found.width, found.height) == (7680, 4320)


def test_240_pictures_a_second(tmp_path):
    found, footage = looked_at(encode_film(tmp_path / "film.mp4", scenery(1, 240), rate=240), tmp_path)
    assert found.frame_rate == pytest.approx(240, rel=0.02)
    assert found.duration_s == pytest.approx(1.0, abs=0.02)
    assert len(footage.times) == 240


def test_pictures_at_their_own_times(tmp_path):
    times = [0.0, 0.04, 0.5, 0.52, 2.0, 2.96]
    found, footage = looked_at(encode_film(tmp_path / "film.mkv", scenery(1, 6), times=times), tmp_path)
    assert footage.times == pytest.approx(times, abs=0.002)
    assert found.duration_s == pytest.approx(3.0, abs=0.05)


def test_all_black(tmp_path):
    found, footage = looked_at(encode_film(tmp_path / "film.mp4", plain((0, 0, 0), 50)), tmp_path)
    assert found.duration_s == pytest.approx(2.0, abs=0.05)
    assert footage.small(0, 50).max() < 8


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv444p"])
def test_deep_and_full_colour(tmp_path, pixels):
    looked_at(encode_film(tmp_path / "film.mp4", scenery(1, 5), pixels=pixels), tmp_path)


def test_sound_that_does_not_decode_leaves_a_silent_film(tmp_path):
    data = bytearray(encode_video(tmp_path / "whole.mp4", 2.0, tone(2.0)).read_bytes())
    with av.open(str(tmp_path / "whole.mp4")) as container:
        spans = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    for start, size in spans:
        data[start : start + size] = b"\xff" * size
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    found = probe(path)
    assert (found.kind, found.has_audio, found.has_video) == ("video", False, True)
    (problem,) = found.problems
    assert "audio" in problem
    assert "\n" not in problem


def test_pictures_that_do_not_decode_leave_a_recording(tmp_path):
    data = bytearray(encode_video(tmp_path / "whole.mp4", 2.0, tone(2.0)).read_bytes())
    with av.open(str(tmp_path / "whole.mp4")) as container:
        spans = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for start, size in spans:
        data[start : start + size] = b"\x00" * size
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    found = probe(path)
    assert (found.kind, found.has_audio, found.has_video) == ("audio", True, False)
    assert "picture" in found.problems[0]


# damaged --------------------------------------------------------------------------------------------------------------


def with_index_first(source: Path, target: Path) -> Path:
    """The same film with its index before its data, so that a cut file still opens."""
    with av.open(str(source)) as film, av.open(str(target), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return target


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_cut_film_is_as_long_as_what_is_left(tmp_path, suffix):
    whole = encode_film(tmp_path / f"whole{suffix}", scenery(1, 200, speed=3), options={"g": "10"})
    if suffix == ".mp4":
        whole = with_index_first(whole, tmp_path / "first.mp4")
    path = tmp_path / f"film{suffix}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found, footage = looked_at(path, tmp_path)
    assert 2.0 < found.duration_s < 6.0
    assert found.duration_s == pytest.approx(footage.end, abs=0.5)


def test_an_index_at_the_end_that_was_cut_off_is_one_line(tmp_path):
    whole = encode_film(tmp_path / "whole.mp4", scenery(1, 50)).read_bytes()
    path = tmp_path / "film.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, tmp_path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_damage_in_the_middle_keeps_both_ends(tmp_path, suffix):
    whole = encode_film(tmp_path / f"whole{suffix}", scenery(1, 200, speed=3), options={"g": "10"})
    data = bytearray(whole.read_bytes())
    middle = slice(int(0.45 * len(data)), int(0.5 * len(data)))
    data[middle] = random.Random(1).randbytes(middle.stop - middle.start)
    path = tmp_path / f"film{suffix}"
    path.write_bytes(data)
    found, footage = looked_at(path, tmp_path)
    assert found.duration_s == pytest.approx(8.0, abs=0.3)
    assert footage.times[-1] == pytest.approx(8.0, abs=0.3)
    assert len(footage.times) > 130


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_any_damage_gives_a_result_or_one_line(tmp_path, suffix):
    clean = encode_video(tmp_path / f"clean{suffix}", 3.0, tone(3.0)).read_bytes()
    chance = random.Random(suffix)
    for trial in range(12):
        broken = bytearray(clean[: chance.randrange(1, len(clean))] if trial % 2 else clean)
        for _ in range(chance.randrange(1, 40)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(broken)
        for look in (lambda: probe(path).duration_s, lambda: decode_frames(path, scratch=tmp_path).end):  # noqa: B023
            try:
                assert 0 <= look() < 24 * 3600
            except MediaError as error:
                assert "\n" not in str(error)


# no films -------------------------------------------------------------------------------------------------------------


def still(path: Path) -> Path:
    av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, dtype=np.uint8), format="rgb24").to_image().save(path)
    return path


def test_cover_art_is_no_film(tmp_path):
    cover, path = still(tmp_path / "cover.png"), tmp_path / "song.m4a"
    plain_song = encode(tmp_path / "plain.m4a", tone(2.0))
    with (
        av.open(str(cover)) as picture,
        av.open(str(plain_song)) as song,
        av.open(str(path), "w", format="mp4") as target,
    ):
        sound = target.add_stream_from_template(song.streams.audio[0])
        art = target.add_stream_from_template(picture.streams.video[0])
        art.disposition = av.stream.Disposition.attached_pic
        for source, stream in ((picture, art), (song, sound)):
            for packet in source.demux():
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    found = probe(path)
    assert (found.kind, found.has_video, found.width) == ("audio", False, 0)
    with pytest.raises(NoVideo):
        decode_frames(path, scratch=tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_photograph_is_neither_film_nor_recording(tmp_path, suffix):
    with pytest.raises(NoAudio, match="no moving picture"):
        probe(still(tmp_path / f"photo{suffix}"))


def test_a_film_of_no_frames_is_one_line(tmp_path):
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    assert issubclass(refused(path, tmp_path)[0], MediaError)


def test_zero_duration_is_a_result_or_one_line(tmp_path):
    path = encode_film(tmp_path / "film.mkv", scenery(1, 3), times=[0.0, 0.0001, 0.0002])
    try:
        assert probe(path).duration_s < 1
    except MediaError as error:
        assert "\n" not in str(error)


def test_an_empty_file_and_a_recording_have_nothing_to_look_at(tmp_path):
    empty = tmp_path / "film.mp4"
    empty.touch()
    assert refused(empty, tmp_path) == (EmptyMedia, EmptyMedia)
    with pytest.raises(NoVideo):
        decode_frames(encode(tmp_path / "song.mp3", tone(1.0)), scratch=tmp_path)
