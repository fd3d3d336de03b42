from fractions import Fraction

import av
import numpy as np
import pytest
from film_maker import RATE, damage, encode_film, plain, scenery
from media_factory import encode as encode_sound
from media_factory import encode_video, tone

from featurization.errors import EmptyMedia, NoVideo, StoreError, UnreadableMedia
from featurization.frames import FrameOptions, decode_frames

RED, BLUE = (200, 30, 30), (20, 40, 190)


def decoded(path, tmp_path, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return decode_frames(path, scratch=scratch, options=FrameOptions(**options))


def test_every_frame_is_there_at_its_time(tmp_path):
    footage = decoded(encode_film(tmp_path / "film.mp4", scenery(1, 30)), tmp_path)
    assert footage.times == pytest.approx(np.arange(30) / RATE)
    assert (footage.width, footage.height) == (160, 90)
    assert footage.end == footage.duration_s == pytest.approx(30 / RATE)
    assert footage.frame_rate == pytest.approx(RATE)
    assert footage.damaged_packets == 0
    assert footage.small(0, 30).shape == (30, 27, 48, 3)


def test_small_frames_are_in_order_and_in_rgb(tmp_path):
    footage = decoded(encode_film(tmp_path / "film.mp4", plain(RED, 5) + plain(BLUE, 5)), tmp_path)
    colours = footage.small(0, 10).mean(axis=(1, 2))
    assert colours[:5] == pytest.approx(np.tile(RED, (5, 1)), abs=6)
    assert colours[5:] == pytest.approx(np.tile(BLUE, (5, 1)), abs=6)
    assert footage.small(4, 6).shape[0] == 2


def test_times_come_from_timestamps_not_from_a_rate(tmp_path):
    times = [0.0, 0.04, 0.5, 0.54, 2.0, 2.04]
    film = encode_film(tmp_path / "film.mkv", scenery(2, 6), times=times)
    assert decoded(film, tmp_path).times == pytest.approx(times, abs=0.001)


def test_a_rotated_film_is_upright(tmp_path):
    top = np.vstack([np.full((45, 160, 3), 220, np.uint8), np.full((45, 160, 3), 20, np.uint8)])
    footage = decoded(encode_film(tmp_path / "film.mp4", [top] * 5, rotation=90), tmp_path)
    assert (footage.width, footage.height) == (90, 160)
    still = footage.still(0)
    assert still.shape == (160, 90, 3)
    assert still[:, 60:].mean() > still[:, :30].mean() + 150  # turned clockwise: what was on top is on the right
    small = footage.small(0, 1)[0]
    assert small[:, 30:].mean() > small[:, :18].mean() + 150


def test_pixels_become_square(tmp_path):
    film = encode_film(tmp_path / "film.mkv", scenery(3, 5), aspect=Fraction(4, 3))
    footage = decoded(film, tmp_path)
    assert (footage.width, footage.height) == (213, 90)
    assert footage.still(0).shape == (90, 213, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("ten-bit.mp4", "libx264", "yuv420p10le"),
        ("prores.mov", "prores_ks", "yuv422p10le"),
        ("alpha.mov", "qtrle", "argb"),
        ("grey.mkv", "ffv1", "gray16le"),
    ],
)
def test_any_pixel_format_becomes_rgb(tmp_path, name, codec, pixels):
    footage = decoded(encode_film(tmp_path / name, plain((90, 90, 90), 4), codec=codec, pixels=pixels), tmp_path)
    assert footage.small(0, 4).mean() == pytest.approx(90, abs=4)


def test_of_interlaced_frames_one_field_is_shown(tmp_path):
    """Fields of two moments, one bright and one dark: a still shows one of them, not stripes."""
    path = tmp_path / "film.mpg"
    picture = np.zeros((576, 720, 3), np.uint8)
    picture[0::2] = 200
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct", "qmin": "1", "qmax": "2"})
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    footage = decoded(path, tmp_path)
    assert len(footage.times) == 5
    rows = footage.still(0).mean(axis=(1, 2))
    assert rows.std() < 20
    assert rows.mean() > 150


def test_odd_sizes(tmp_path):
    film = encode_film(tmp_path / "film.mkv", scenery(4, 3, size=(91, 161)), codec="ffv1", pixels="yuv444p")
    footage = decoded(film, tmp_path)
    assert footage.still(0).shape == (91, 161, 3)


def test_large_frames_are_kept_as_small_stills(tmp_path):
    film = encode_film(tmp_path / "film.mp4", plain(RED, 2, size=(4320, 7680)), options={"preset": "ultrafast"})
    footage = decoded(film, tmp_path)
    assert (footage.width, footage.height) == (7680, 4320)
    assert footage.still(0).shape == (270, 480, 3)


def test_stills_are_dense_and_a_short_shot_has_one(tmp_path):
    clip = scenery(5, 20) + scenery(6, 3) + scenery(7, 20)
    footage = decoded(encode_film(tmp_path / "film.mp4", clip), tmp_path)
    assert np.diff(footage.still_times).max() <= 0.2 + 1e-6
    assert ((footage.still_times >= 20 / RATE) & (footage.still_times < 23 / RATE)).any()


def test_many_frames_a_second_need_no_more_stills(tmp_path):
    footage = decoded(encode_film(tmp_path / "film.mp4", scenery(8, 240, speed=0.1), rate=240), tmp_path)
    assert len(footage.times) == 240
    assert 5 <= len(footage.still_times) <= 7


def test_a_single_frame_lasts_a_little(tmp_path):
    footage = decoded(encode_film(tmp_path / "film.mp4", plain(RED, 1)), tmp_path)
    assert len(footage.times) == len(footage.still_times) == 1
    assert footage.end == pytest.approx(1 / RATE)


def test_a_still_picture_is_no_film(tmp_path):
    path = tmp_path / "picture.png"
    av.VideoFrame.from_ndarray(plain(BLUE, 1)[0], format="rgb24").save(path)
    with pytest.raises(NoVideo, match="no moving picture"):
        decoded(path, tmp_path)


def test_times_begin_with_the_container_and_the_end_follows(tmp_path):
    film = encode_film(tmp_path / "film.mkv", scenery(9, 10), times=[5 + i / RATE for i in range(10)])
    footage = decoded(film, tmp_path)
    assert footage.times[0] == 0
    assert footage.end == pytest.approx(10 / RATE, abs=0.002)


def test_a_new_size_on_the_way_changes_nothing(tmp_path):
    parts = [encode_film(tmp_path / f"{h}.ts", plain(RED, 10, size=(h, 160))) for h in (90, 120)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    footage = decoded(joined, tmp_path)
    assert len(footage.times) == 20
    assert (np.diff(footage.times) > 0).all()
    assert footage.times[-1] < 2


def test_damage_in_the_middle_costs_only_the_middle(tmp_path):
    whole = encode_film(tmp_path / "film.ts", scenery(10, 200, speed=3), options={"g": "10"})
    footage = decoded(damage(whole), tmp_path)
    assert footage.damaged_packets > 0
    assert len(footage.times) > 120
    assert footage.times[-1] > 7
    assert (np.diff(footage.times) > 0).all()


def test_a_cut_file_gives_what_is_there(tmp_path):
    film = encode_film(tmp_path / "film.mkv", scenery(11, 100, speed=3))
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert 20 < len(decoded(film, tmp_path).times) < 80


def test_sound_alone_is_no_film(tmp_path):
    with pytest.raises(NoVideo, match=r"tone\.mp3: has no moving picture; give a video"):
        decoded(encode_sound(tmp_path / "tone.mp3", tone(0.5)), tmp_path)


def test_what_is_no_media_is_refused_in_one_line(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("not a film")
    with pytest.raises(UnreadableMedia, match=r"notes\.mp4"):
        decoded(path, tmp_path)
    path.write_bytes(b"")
    with pytest.raises(EmptyMedia):
        decoded(path, tmp_path)


def test_a_film_with_sound_is_decoded_to_its_pictures(tmp_path):
    assert len(decoded(encode_video(tmp_path / "film.mp4", 1.0, tone(1.0)), tmp_path).times) == 10


def test_progress_is_told_about_every_ten_seconds(tmp_path):
    film = encode_film(tmp_path / "film.mp4", plain(RED, 35), times=[float(second) for second in range(35)])
    told = []
    decode_frames(film, scratch=tmp_path, progress=told.append)
    assert told == pytest.approx([10, 20, 30])


def test_scratch_that_cannot_be_written_is_said(tmp_path):
    film = encode_film(tmp_path / "film.mp4", plain(RED, 3))
    with pytest.raises(StoreError, match="cannot be written"):
        decode_frames(film, scratch=tmp_path / "absent")
