"""Previews of films are cut to the frame, stay in step with their sound, and are what every player plays."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest
from colour_films import BEEP_S, colour_film, colour_of, shown, turned
from media_factory import encode, tone
from PIL import Image
from scipy.signal import resample_poly

from featurization.errors import MediaError, NoVideo, UnreadableMedia
from featurization.media import Segment, Shot
from steps.rendering.film import render_film
from steps.rendering.mp3 import decode_clip
from steps.rendering.mp4 import FilmOptions
from steps.rendering.poster import poster_jpeg, poster_time
from steps.rendering.render import Piece, Rendered, RenderOptions, piece_between

OPTIONS = RenderOptions()
REEL = [("red", 3.0), ("green", 4.0), ("blue", 5.0), ("yellow", 3.0)]  # cuts at 3, 7 and 12 s
CUTS = [Segment(0.0, 3.0), Segment(3.0, 7.0), Segment(7.0, 12.0), Segment(12.0, 15.0)]
FRAME_S = 0.04


def exactly(start: float, end: float) -> Piece:
    """A piece without room for breath, as between two cuts."""
    return Piece(start, end, start, end)


def render(media: Path, *pieces: Piece, options: RenderOptions = OPTIONS) -> Rendered:
    return render_film(media, pieces, options=options, target=media.parent / "out" / "preview.mp4")


def bright(path: Path) -> list[tuple[float, str]]:
    """What is shown between the fades."""
    frames = shown(path)
    end = frames[-1][0] + FRAME_S
    return [
        (time, name) for time, name in frames if OPTIONS.fade_in_s - 0.001 <= time < end - OPTIONS.fade_out_s - 0.02
    ]


def colours(path: Path) -> list[str]:
    return [name for name, _ in groupby(name for _, name in bright(path))]


def boxes(data: bytes) -> list[bytes]:
    """The boxes of the top level of an MP4, in order."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4])
    return found


def test_a_shot_is_cut_to_the_frame(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, options={"g": "250"})  # one keyframe, 75 frames before the cut
    rendered = render(media, exactly(3.0, 7.0))
    frames = shown(rendered.path)
    assert [time for time, _ in frames] == pytest.approx(np.arange(100) * FRAME_S, abs=1e-4)
    assert colours(rendered.path) == ["green"]
    assert rendered.duration_s == pytest.approx(4.0, abs=1e-6)


@pytest.mark.parametrize("edge", [6.998, 7.0, 7.0004])
def test_edges_rounded_to_milliseconds_take_no_frame_of_a_neighbour(tmp_path: Path, edge: float) -> None:
    media = colour_film(tmp_path / "in.mkv", REEL)
    assert len(shown(render(media, exactly(3.0, edge)).path)) == 100
    assert colours(render(media, exactly(3.0004, edge)).path) == ["green"]


def test_it_plays_everywhere_and_starts_before_it_has_arrived(tmp_path: Path) -> None:
    rendered = render(colour_film(tmp_path / "in.mp4", REEL, size=(162, 90), beeps=True), exactly(3.0, 12.0))
    data = rendered.path.read_bytes()
    assert boxes(data).index(b"moov") < boxes(data).index(b"mdat")
    with av.open(str(rendered.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec.name, video.pix_fmt, audio.codec.name) == ("h264", "yuv420p", "aac")
        assert (video.width, video.height) == (rendered.width, rendered.height) == (162, 90)
        assert video.start_time == 0 and audio.start_time == 0
        assert float(video.duration * video.time_base) == pytest.approx(9.0, abs=0.001)
        assert float(audio.duration * audio.time_base) == pytest.approx(9.0, abs=0.001)
        assert "encoder" not in container.metadata and "creation_time" not in container.metadata


def test_beeps_stay_on_their_cuts(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, beeps=True)
    rendered = render(media, exactly(1.0, 14.0))
    cuts = [b[0] for a, b in pairwise(bright(rendered.path)) if a[1] != b[1]]
    pcm = decode_clip(rendered.path.read_bytes())
    loud = np.abs(pcm.samples[0]) > 0.05
    heard = [i / pcm.rate_hz for i in np.flatnonzero(loud[1:] & ~loud[:-1]) if not loud[max(0, i - 2000) : i].any()]
    assert cuts == pytest.approx([2.0, 6.0, 11.0], abs=0.001)
    assert heard == pytest.approx(cuts, abs=0.01)
    assert BEEP_S > 0.01


def test_loudness_and_true_peak_hold_on_foreign_meters(tmp_path: Path) -> None:
    rendered = render(colour_film(tmp_path / "in.mp4", REEL, beeps=True), exactly(1.0, 14.0))
    pcm = decode_clip(rendered.path.read_bytes())
    loudness = pyloudnorm.Meter(pcm.rate_hz).integrated_loudness(pcm.samples.T.astype(np.float64))
    peak = 20 * np.log10(np.abs(resample_poly(pcm.samples.astype(np.float64), 16, 1, axis=1)).max())
    assert rendered.loudness_lufs == pytest.approx(-16.0, abs=0.5)
    assert loudness == pytest.approx(-16.0, abs=0.5)
    assert peak <= -0.99


def test_the_ends_fade_to_black(tmp_path: Path) -> None:
    rendered = render(colour_film(tmp_path / "in.mp4", [("white", 6.0)]), exactly(1.0, 5.0))
    with av.open(str(rendered.path)) as container:
        light = [float(f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    assert light[0] > 60  # a still of the first frame shows something
    assert light[0] < light[3] and light[-1] < 20
    assert all(a >= b - 1 for a, b in pairwise(light[-9:]))


def test_same_input_same_bytes(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, beeps=True)
    once = render(media, exactly(2.0, 9.0)).path.read_bytes()
    assert render(media, exactly(2.0, 9.0)).path.read_bytes() == once


def test_moments_are_stitched_with_picture_and_sound_in_step(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, beeps=True)
    rendered = render(media, Piece(3.5, 6.5), Piece(12.5, 14.5))
    assert colours(rendered.path) == ["green", "yellow"]
    with av.open(str(rendered.path)) as container:
        frames = list(container.decode(video=0))
    assert frames[-1].time + FRAME_S == pytest.approx(rendered.duration_s, abs=FRAME_S)
    second = next(time for time, name in bright(rendered.path) if name == "yellow")
    assert second == pytest.approx(rendered.placements[1].start, abs=OPTIONS.lead_s + OPTIONS.tail_s)


def test_a_silent_film_has_no_sound_track(tmp_path: Path) -> None:
    rendered = render(colour_film(tmp_path / "in.mp4", REEL), exactly(3.0, 7.0), exactly(7.0, 12.0))
    assert not rendered.has_sound
    assert rendered.duration_s == pytest.approx(9.0)
    with av.open(str(rendered.path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
    assert colours(rendered.path) == ["green", "blue"]


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.5, 1.0, 2.9, 3.0, 3.1, 3.15, 3.4, 5.0, 5.05, 6.9, 7.0, 7.5]
    media = colour_film(tmp_path / "in.mkv", REEL, times=times)
    rendered = render(media, exactly(3.0, 7.0))
    between_fades = [time for time, _ in bright(rendered.path)]
    assert between_fades == pytest.approx([0.08, 0.1, 0.15, 0.4, 2.0, 2.05], abs=0.002)


def test_a_cut_between_two_frames_begins_with_the_one_on_screen(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mkv", REEL, times=[0.0, 2.0, 3.0, 6.0, 7.0, 9.0])
    rendered = render(media, exactly(4.0, 8.5))
    assert bright(rendered.path) == [
        (pytest.approx(0.08, abs=0.002), "green"),  # shown anew when the fade is over
        (pytest.approx(2.0, abs=0.002), "green"),
        (pytest.approx(3.0, abs=0.002), "blue"),
    ]
    assert shown(rendered.path)[0][0] == 0.0


def test_a_film_of_a_phone_stands_upright(tmp_path: Path) -> None:
    media = turned(colour_film(tmp_path / "in.mp4", [("red/blue", 4.0)], size=(160, 90)), height=90)
    rendered = render(media, exactly(0.5, 3.5))
    assert (rendered.width, rendered.height) == (90, 160)
    with av.open(str(rendered.path)) as container:
        frame = list(container.decode(video=0))[30]
    assert frame.rotation == 0
    image = frame.to_ndarray(format="rgb24")
    assert (colour_of(image[:70]), colour_of(image[90:])) == ("red", "blue")  # left has become top


def test_pixels_become_square(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, size=(180, 144), aspect=Fraction(64, 45))  # PAL at 16:9, a quarter
    rendered = render(media, exactly(3.0, 5.0))
    assert (rendered.width, rendered.height) == (256, 144)


def test_large_films_become_smaller_and_small_ones_stay(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", [("red", 2.0)], size=(640, 360), rate=10)
    small = RenderOptions(film=FilmOptions(max_side=321))
    assert (render(media, exactly(0, 2), options=small).width, render(media, exactly(0, 2)).width) == (320, 640)


def test_very_many_pictures_a_second_are_thinned(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", [("red", 1.0), ("blue", 1.0)], rate=240)
    frames = shown(render(media, exactly(0, 2)).path)
    assert len(frames) == 120
    assert frames[-1][0] == pytest.approx(2 - 1 / 60, abs=0.001)


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [
        pytest.param("prores_ks", "yuv422p10le", ".mov", id="prores"),
        pytest.param("libx265", "yuv420p10le", ".mkv", id="ten bits"),
        pytest.param("ffv1", "bgr0", ".mkv", id="rgb"),
        pytest.param("qtrle", "argb", ".mov", id="transparent"),
        pytest.param("mjpeg", "yuvj420p", ".avi", id="full range"),
        pytest.param("mpeg2video", "yuv420p", ".ts", id="transport stream"),
    ],
)
def test_any_codec_gives_the_same_colours(tmp_path: Path, codec: str, pixels: str, suffix: str) -> None:
    media = colour_film(tmp_path / f"in{suffix}", REEL, codec=codec, pixels=pixels, size=(160, 96))
    rendered = render(media, exactly(3.0, 7.0))
    with av.open(str(rendered.path)) as container:
        frame = list(container.decode(video=0))[50]
    mean = frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(axis=0)
    assert mean == pytest.approx([40, 180, 50], abs=8)
    assert colours(rendered.path) == ["green"]


def test_high_dynamic_range_is_mapped_so_that_paper_white_is_white(tmp_path: Path) -> None:
    """A grey of 50 nits in PQ, where white is 203 nits (ITU-R BT.2408), shown on a screen of gamma 2.4."""
    media = tmp_path / "hdr.mkv"
    with av.open(str(media), "w") as container:
        video = container.add_stream("libx265", rate=10, options={"x265-params": "log-level=none"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p10le"
        context = video.codec_context
        context.color_trc, context.color_primaries, context.colorspace = 16, 9, 9
        for index in range(20):
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            for plane, value in zip(frame.planes, (450, 512, 512), strict=True):  # PQ of 50 nits is 0.44
                plane.update(np.full(plane.buffer_size // 2, value, dtype=np.uint16).tobytes())
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    rendered = render(media, exactly(0.0, 2.0))
    with av.open(str(rendered.path)) as container:
        luma = list(container.decode(video=0))[8].to_ndarray()[:48]
    assert float(luma.mean()) == pytest.approx(16 + 219 * (50 / 203) ** (1 / 2.4), abs=4)


def test_interlaced_pictures_lose_their_combs(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, interlaced=True, options={"x264-params": "tff=1"}, size=(160, 96))
    with av.open(str(media)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    rendered = render(media, exactly(3.0, 7.0))
    assert len(shown(rendered.path)) == 100
    assert colours(rendered.path) == ["green"]
    with av.open(str(rendered.path)) as container:
        assert not next(container.decode(video=0)).interlaced_frame


def test_damage_inside_is_bridged_and_much_of_it_refused(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mkv", REEL, codec="mjpeg", pixels="yuvj420p")
    data, marks = bytearray(media.read_bytes()), []
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        marks.append(at)
        at = data.find(b"\xff\xd8\xff", at + 1)
    for at, following in pairwise(
        marks[100:111]
    ):  # ten pictures, from 4.0 to 4.4 s, but for the frame of the container
        data[at : following - 60] = bytes(following - 60 - at)
    media.write_bytes(data)
    assert colours(render(media, exactly(3.0, 7.0)).path) == ["green"]
    assert shown(render(media, exactly(3.0, 7.0)).path)[25][0] == pytest.approx(1.4, abs=0.002)
    strict = RenderOptions(film=FilmOptions(max_missing_s=0.3))
    with pytest.raises(UnreadableMedia, match=r"0\.4 s between 3\.0 and 7\.0 s cannot be decoded"):
        render(media, exactly(3.0, 7.0), options=strict)


def test_a_film_that_breaks_off_is_refused_where_it_is_missing(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mkv", REEL, codec="mjpeg", pixels="yuvj420p")
    media.write_bytes(media.read_bytes()[: media.stat().st_size // 2])  # every picture weighs the same: 7.5 s are left
    assert colours(render(media, exactly(3.0, 7.0)).path) == ["green"]
    with pytest.raises(UnreadableMedia, match=r"4\.\d s between 5\.0 and 12\.0 s cannot be decoded"):
        render(media, exactly(5.0, 12.0))
    with pytest.raises(MediaError, match=r"no picture between 12\.00 and 15\.00 s|cannot be decoded"):
        render(media, exactly(12.0, 15.0))


def test_a_moment_behind_the_end_is_refused_and_sound_that_goes_on_is_not(tmp_path: Path) -> None:
    media = colour_film(tmp_path / "in.mp4", REEL, beeps=True)
    with pytest.raises(UnreadableMedia, match=r"3\.0 s between 12\.0 and 18\.0 s cannot be decoded"):
        render(media, exactly(12.0, 18.0))
    times = [0.0, 3.0, 7.0, 8.0]  # the pictures end soon after 8 s, the sound at 15 s
    short = colour_film(tmp_path / "short.mp4", REEL, beeps=True, times=times)
    assert colours(render(short, exactly(6.0, 12.0)).path) == ["green", "blue"]


def test_sound_without_pictures_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(NoVideo, match=r"in\.mp3"):
        render(encode(tmp_path / "in.mp3", tone(5)), exactly(1.0, 3.0))


def test_a_full_disk_leaves_nothing_and_says_the_way_out(tmp_path: Path) -> None:
    media, target = colour_film(tmp_path / "in.mp4", REEL, beeps=True), tmp_path / "out" / "preview.mp4"
    script = (
        "import resource, sys; from pathlib import Path; from featurization.errors import StoreError\n"
        "from steps.rendering.film import render_film\n"
        "from steps.rendering.render import Piece, RenderOptions\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: render_film(Path(sys.argv[1]), [Piece(1, 9)], options=RenderOptions(), target=Path(sys.argv[2]))\n"
        "except StoreError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(media), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "no space left" in done.stdout
    assert not target.exists()


def test_breath_does_not_reach_over_a_cut() -> None:
    shots = [Shot(cut.start, cut.end, number, "cut") for number, cut in enumerate(CUTS)]
    assert piece_between(Segment(3.0, 12.0), shots) == exactly(3.0, 12.0)
    assert piece_between(Segment(4.0, 11.0), shots) == Piece(4.0, 11.0, 3.0, 12.0)


def test_the_poster_is_the_keyframe_of_the_longest_shot(tmp_path: Path) -> None:
    shots = [Shot(c.start, c.end, n, "cut", keyframes=(c.middle,)) for n, c in enumerate(CUTS)]
    at = poster_time(Segment(5.0, 12.0), shots)
    assert at == 9.5
    media = colour_film(tmp_path / "in.mp4", REEL)
    (tmp_path / "poster.jpg").write_bytes(poster_jpeg(media, at, max_side=80))
    with Image.open(tmp_path / "poster.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (80, 44))
        assert colour_of(np.asarray(picture)) == "blue"
    assert poster_time(Segment(5.5, 6.5), shots) == 6.0  # no keyframe inside: the middle
