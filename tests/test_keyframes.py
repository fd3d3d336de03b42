import io

import numpy as np
import pytest
from film_maker import RATE, encode_film, fade_in, fade_out, plain, scenery
from PIL import Image, ImageFilter

from featurization.frames import decode_frames
from featurization.keyframes import (
    KeyframeOptions,
    SpriteLayout,
    choose_keyframes,
    sprite_moments,
    sprite_sheet,
    thumbnails_vtt,
    webp,
)
from featurization.media import Shot

OPTIONS = KeyframeOptions()


@pytest.fixture
def shoot(tmp_path):
    def footage(clip, **how):
        return decode_frames(encode_film(tmp_path / "film.mp4", clip, **how), scratch=tmp_path)

    return footage


def shot(start, end, **more):
    return Shot(start, end, number=0, transition="cut", **more)


def times(footage, shot, options=OPTIONS):
    return [float(footage.still_times[still]) for still in choose_keyframes(shot, footage, options)]


def blurred(clip):
    return [np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(6))) for picture in clip]


def test_the_middle_by_default(shoot):
    footage = shoot(scenery(1, 100, speed=0.2))
    assert times(footage, shot(0, 4)) == pytest.approx([2.0], abs=0.11)
    assert times(footage, shot(1, 2)) == pytest.approx([1.5], abs=0.11)


def test_moved_off_black(shoot):
    footage = shoot(scenery(2, 40) + plain((0, 0, 0), 20) + scenery(2, 40))
    (time,) = times(footage, shot(0, 4))
    assert not 40 / RATE <= time < 60 / RATE
    assert time == pytest.approx(2.0, abs=0.6)


def test_moved_off_blur(shoot):
    clip = scenery(3, 100, speed=0.2)
    footage = shoot(clip[:40] + blurred(clip[40:60]) + clip[60:])
    (time,) = times(footage, shot(0, 4))
    assert not 40 / RATE <= time < 60 / RATE


def test_moved_off_transitions(shoot):
    footage = shoot(fade_out(fade_in(scenery(4, 50), 35), 5))
    (time,) = times(footage, shot(0, 2, fade_in_s=35 / RATE, fade_out_s=5 / RATE))
    assert 35 / RATE <= time < 45 / RATE


def test_long_shots_get_more_than_one_and_the_middle_comes_first(shoot):
    footage = shoot(scenery(5, 350, speed=0.1), rate=10)
    found = times(footage, shot(0, 35))
    assert len(found) == 4
    assert abs(found[0] - 17.5) < 6
    assert found[1:] == sorted(found[1:])
    assert np.diff(sorted(found)).min() > 5
    assert len(times(footage, shot(0, 35), KeyframeOptions(every_s=1, most=6))) == 6


def test_a_shot_all_black_or_of_one_frame_still_has_one(shoot):
    footage = shoot(plain((0, 0, 0), 50) + scenery(6, 1))
    assert len(times(footage, shot(0, 2))) == 1
    assert len(times(footage, shot(2, 2 + 1 / RATE))) == 1


def test_webp_is_the_picture(shoot):
    (picture,) = scenery(7, 1)
    again = np.asarray(Image.open(io.BytesIO(webp(picture, 90))).convert("RGB"))
    assert Image.open(io.BytesIO(webp(picture, 90))).format == "WEBP"
    assert np.abs(again.astype(int) - picture).mean() < 6


def test_a_sheet_has_every_picture_in_its_place():
    colours = [(200, 20, 20), (20, 200, 20), (20, 20, 200), (200, 200, 20), (20, 200, 200)]
    data, layout = sprite_sheet([plain(colour, 1)[0] for colour in colours], tile_width=32, columns=3)
    assert layout == SpriteLayout(columns=3, count=5, tile_width=32, tile_height=18)
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert sheet.shape == (36, 96, 3)
    for index, colour in enumerate(colours):
        x, y, width, height = layout.place(index)
        assert sheet[y + height // 2, x + width // 2].astype(int) == pytest.approx(colour, abs=25)


def test_an_empty_sheet_and_one_too_large_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        sprite_sheet([])
    with pytest.raises(ValueError, match="give fewer"):
        sprite_sheet(plain((9, 9, 9), 300, (90, 90)), columns=1)


def test_moments_for_scrubbing(shoot):
    footage = shoot(scenery(8, 100, speed=0.2))
    found = footage.still_times[list(sprite_moments(footage))]
    assert found == pytest.approx([0, 1, 2, 3], abs=0.21)
    assert len(sprite_moments(footage, every_s=0.1, most=5)) == 5


def test_the_vtt_covers_the_film():
    layout = SpriteLayout(columns=2, count=3, tile_width=160, tile_height=90)
    lines = thumbnails_vtt([0.4, 61.0, 3661.5], 3700.25, layout, "sheet.webp").split("\n\n")
    assert lines[0] == "WEBVTT"
    assert lines[1] == "00:00:00.000 --> 00:01:01.000\nsheet.webp#xywh=0,0,160,90"
    assert lines[2] == "00:01:01.000 --> 01:01:01.500\nsheet.webp#xywh=160,0,160,90"
    assert lines[3] == "01:01:01.500 --> 01:01:40.250\nsheet.webp#xywh=0,90,160,90\n"
