"""Previews are cut where they were asked to be, and measured with meters that are not ours."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_factory import encode, encode_video, music, noise, silence, stereo, tone
from numpy.typing import NDArray
from scipy.signal import resample_poly

from featurization.errors import EmptyMedia, MediaError, NoAudio, StoreError, UnreadableMedia
from featurization.media import Segment
from steps.rendering.cutting import Pcm, cut
from steps.rendering.mastering import MasterOptions, limit, loudness_lufs, true_peak_dbtp
from steps.rendering.mp3 import decode_clip
from steps.rendering.render import Piece, Rendered, RenderOptions, piece_between, render_preview

OPTIONS = RenderOptions()
Samples = NDArray[np.float32]


def speech_like(seconds: float, level: float = 0.3, *, seed: int = 0, rate_hz: int = 44_100) -> Samples:
    """Noise bursts of syllable length with pauses: the gating and crest of talk, not its words."""
    rng = np.random.default_rng(seed)
    steps = round(seconds * 8)
    loud = np.where(rng.random(steps) < 0.3, 0.01, rng.uniform(0.2, 1.0, steps))
    shape = np.interp(np.arange(round(seconds * rate_hz)) / rate_hz * 8, np.arange(steps), loud)
    return np.asarray(noise(seconds, level / 3, seed=seed, rate_hz=rate_hz) * shape, dtype=np.float32)


@cache
def ramped(seconds: float, *, rate_hz: int = 44_100) -> Samples:
    """A sound that never repeats, so that any shift of one sample shows."""
    bed = music(seconds, 3, rate_hz=rate_hz)
    return np.asarray(bed + noise(seconds, 0.05, seed=9, rate_hz=rate_hz), dtype=np.float32)


def metered(path: Path) -> tuple[float, float]:
    """(integrated loudness in LUFS by pyloudnorm, true peak in dBTP at 16 x oversampling)."""
    pcm = decode_clip(path.read_bytes())
    loudness = pyloudnorm.Meter(pcm.rate_hz).integrated_loudness(pcm.samples.T.astype(np.float64))
    peak = np.abs(resample_poly(pcm.samples.astype(np.float64), 16, 1, axis=1)).max()
    return float(loudness), float(20 * np.log10(peak))


def render(folder: Path, samples: Samples, piece: Piece, *, rate_hz: int = 44_100, name: str = "in.wav") -> Rendered:
    media = encode(folder / name, samples, rate_hz)
    return render_preview(media, [piece], options=OPTIONS, target=folder / "out" / "preview.mp3")


QUIET = speech_like(10, 0.01)
HOT = np.clip(speech_like(10, 6.0, seed=1), -1, 1)
DYNAMIC = np.concatenate([speech_like(5, 0.02, seed=2), speech_like(5, 0.9, seed=3)])
SPIKY = speech_like(10, 0.02, seed=4)
SPIKY[:: 44_100 // 2] = 0.95


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(QUIET, id="quiet"),
        pytest.param(HOT, id="clipped"),
        pytest.param(DYNAMIC, id="whisper-then-shout"),
        pytest.param(SPIKY, id="clicks-over-murmur"),
        pytest.param(stereo(QUIET, HOT), id="stereo-unequal"),
        pytest.param(music(10, 5), id="music"),
    ],
)
def test_previews_meet_loudness_and_true_peak_on_foreign_meters(tmp_path: Path, samples: Samples) -> None:
    rendered = render(tmp_path, samples, Piece(1.0, 9.0))
    loudness, peak = metered(rendered.path)
    assert loudness == pytest.approx(-16.0, abs=0.5)
    assert peak <= -0.99
    assert rendered.loudness_lufs == pytest.approx(loudness, abs=0.15)
    assert rendered.true_peak_dbtp == pytest.approx(peak, abs=0.15)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_the_rate_of_the_original_is_kept_where_mp3_has_it(tmp_path: Path, rate_hz: int) -> None:
    rendered = render(tmp_path, speech_like(8, rate_hz=rate_hz), Piece(1.0, 7.0), rate_hz=rate_hz)
    assert rendered.rate_hz == min(rate_hz, 48_000)
    assert rendered.channels == 1
    assert metered(rendered.path)[0] == pytest.approx(-16.0, abs=0.5)
    assert decode_clip(rendered.path.read_bytes()).duration_s == pytest.approx(rendered.duration_s, abs=0.001)


def test_six_channels_become_two_and_lose_nobody(tmp_path: Path) -> None:
    media, rate = tmp_path / "surround.wav", 48_000
    talk = np.zeros((rate * 6, 6), dtype=np.float32)
    talk[:, 2] = speech_like(6, 0.2, rate_hz=rate)  # the centre, where films speak
    with av.open(str(media), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="5.1")
        packed = (talk.reshape(1, -1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="5.1")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    rendered = render_preview(media, [Piece(0.5, 5.5)], options=OPTIONS, target=tmp_path / "p.mp3")
    assert rendered.channels == 2
    pcm = decode_clip(rendered.path.read_bytes())
    assert np.corrcoef(pcm.samples)[0, 1] > 0.99
    assert metered(rendered.path)[0] == pytest.approx(-16.0, abs=0.5)


def test_only_the_sound_of_a_film_is_cut(tmp_path: Path) -> None:
    film = encode_video(tmp_path / "film.mp4", 6, speech_like(6))
    rendered = render_preview(film, [Piece(1.0, 5.0)], options=OPTIONS, target=tmp_path / "p.mp3")
    assert rendered.duration_s == pytest.approx(0.12 + 4.0 + 0.35, abs=0.001)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".m4a", ".opus", ".ogg", ".ts", ".aac"])
def test_a_cut_holds_exactly_what_decoding_from_the_start_holds(tmp_path: Path, suffix: str) -> None:
    media = encode(tmp_path / f"in{suffix}", ramped(22))
    whole = cut(media, Segment(0, 22))
    for start in (0.3, 9.123, 19.0):
        part = cut(media, Segment(start, start + 2))
        at = round(start * part.rate_hz)
        assert part.missing_s == 0
        np.testing.assert_allclose(part.samples, whole.samples[:, at : at + part.samples.shape[1]], atol=1e-4)


def test_variable_bit_rate_without_an_index_is_cut_to_the_sample(tmp_path: Path) -> None:
    media, sound = tmp_path / "vbr.mp3", np.concatenate([silence(6), ramped(9), tone(6, 300), ramped(6)])
    with av.open(str(media), "w", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=44_100, layout="mono", format="fltp")
        stream.codec_context.options = {"abr": "1", "b": "96000"}
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        for ready in av.AudioResampler(format="fltp", layout="mono", rate=44_100, frame_size=1152).resample(frame):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    whole = cut(media, Segment(0, 27))
    part = cut(media, Segment(22.0, 25.0))
    at = round(22.0 * 44_100)
    np.testing.assert_allclose(part.samples, whole.samples[:, at : at + part.samples.shape[1]], atol=1e-4)


def test_timestamps_that_start_late_do_not_move_the_cut(tmp_path: Path) -> None:
    sound = np.concatenate([silence(5), tone(1, 1000), silence(4)])
    media = encode(tmp_path / "late.mkv", sound, start_s=3.0)
    pcm = cut(media, Segment(4.0, 7.0))
    loud = np.abs(pcm.samples[0]) > 0.1
    assert loud.argmax() / pcm.rate_hz == pytest.approx(1.0, abs=0.05)


def test_breath_never_reaches_the_neighbouring_sentence() -> None:
    sentences = [Segment(0, 9.95), Segment(10, 20), Segment(20, 29.0), Segment(29.1, 31)]
    assert piece_between(Segment(10, 29.0), sentences) == Piece(10, 29.0, 9.95, 29.1)
    assert piece_between(Segment(0, 31), sentences).earliest == 0


def test_breath_and_fades_lie_outside_what_is_said(tmp_path: Path) -> None:
    media = encode(tmp_path / "in.wav", tone(10, 500, 0.4))
    wide = render_preview(media, [Piece(3.0, 6.0)], options=OPTIONS, target=tmp_path / "a.mp3")
    tight = render_preview(media, [Piece(3.0, 6.0, 2.95, 6.1)], options=OPTIONS, target=tmp_path / "b.mp3")
    assert wide.duration_s == pytest.approx(3.47, abs=0.001)
    assert tight.duration_s == pytest.approx(3.15, abs=0.001)
    for rendered, lead in ((wide, 0.12), (tight, 0.05)):
        level = envelope(decode_clip(rendered.path.read_bytes()))
        assert rendered.placements[0].start == pytest.approx(lead, abs=0.001)
        assert level[0] < 0.2 * level[100] and level[-1] < 0.2 * level[100]
        said = level[round(lead * 100) + 1 : round((lead + 3.0) * 100) - 1]
        assert said.min() > 0.9 * said.max()


def test_three_moments_are_stitched_without_a_hole_or_a_bump(tmp_path: Path) -> None:
    media = encode(tmp_path / "in.wav", noise(60, 0.1))
    pieces = [Piece(40.0, 44.0), Piece(5.0, 9.0), Piece(20.0, 23.0)]
    rendered = render_preview(media, pieces, options=OPTIONS, target=tmp_path / "p.mp3")
    level = envelope(decode_clip(rendered.path.read_bytes()))[20:-40]
    assert level.min() > 0.6 * np.median(level) and level.max() < 1.5 * np.median(level)
    assert rendered.duration_s == pytest.approx(11 + 3 * 0.47 - 2 * 0.12, abs=0.001)
    assert [p.source.start for p in rendered.placements] == [40.0, 5.0, 20.0]
    assert rendered.placements[1].start == pytest.approx(0.12 + 4.0 + 0.35, abs=0.001)


def test_more_moments_than_allowed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 to 3 pieces, got 4"):
        render_preview(tmp_path / "x", [Piece(0, 1)] * 4, options=OPTIONS, target=tmp_path / "p.mp3")


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = render(tmp_path, HOT, Piece(2.0, 8.0)).path.read_bytes()
    assert render(tmp_path, HOT, Piece(2.0, 8.0)).path.read_bytes() == first
    assert not re.search(rb"La(vf|vc|ME)\d", first)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", UnreadableMedia, id="empty"),
        pytest.param(b"this is text, not media. " * 99, UnreadableMedia, id="text"),
    ],
)
def test_what_is_no_media_is_a_media_error(tmp_path: Path, content: bytes, error: type[MediaError]) -> None:
    media = tmp_path / "in.mp3"
    media.write_bytes(content)
    with pytest.raises(error, match=r"in\.mp3"):
        render_preview(media, [Piece(0, 2)], options=OPTIONS, target=tmp_path / "p.mp3")
    assert not (tmp_path / "p.mp3").exists()


def test_a_truncated_source_is_refused_where_it_is_missing(tmp_path: Path) -> None:
    media = encode(tmp_path / "in.mp3", speech_like(20))
    media.write_bytes(media.read_bytes()[: media.stat().st_size // 2])
    render_preview(media, [Piece(2, 8)], options=OPTIONS, target=tmp_path / "ok.mp3")
    with pytest.raises(UnreadableMedia, match="cannot be decoded"):
        render_preview(media, [Piece(7, 15)], options=OPTIONS, target=tmp_path / "p.mp3")
    with pytest.raises(EmptyMedia, match="no sound between"):
        render_preview(media, [Piece(14, 18)], options=OPTIONS, target=tmp_path / "p.mp3")


def test_a_hole_in_the_source_is_noticed(tmp_path: Path) -> None:
    media = encode(tmp_path / "in.flac", speech_like(20))
    data = bytearray(media.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 60_000] = bytes(60_000)
    media.write_bytes(data)
    assert render_preview(media, [Piece(2, 7)], options=OPTIONS, target=tmp_path / "ok.mp3").duration_s > 5
    with pytest.raises(UnreadableMedia, match="cannot be decoded"):
        render_preview(media, [Piece(7, 15)], options=OPTIONS, target=tmp_path / "p.mp3")


def test_silence_and_pictures_without_sound_have_no_preview(tmp_path: Path) -> None:
    with pytest.raises(EmptyMedia, match="nothing audible"):
        render(tmp_path, silence(6), Piece(1, 5))
    with pytest.raises(NoAudio):
        render_preview(encode_video(tmp_path / "v.mp4"), [Piece(0, 1)], options=OPTIONS, target=tmp_path / "p.mp3")


def test_a_full_disk_leaves_nothing_and_says_the_way_out(tmp_path: Path) -> None:
    media = encode(tmp_path / "in.wav", speech_like(6))
    script = (
        "import resource, sys; from pathlib import Path; from featurization.errors import StoreError\n"
        "from steps.rendering.render import Piece, RenderOptions, render_preview\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: render_preview(Path(sys.argv[1]), [Piece(1, 5)], options=RenderOptions(), target=Path(sys.argv[2]))\n"
        "except StoreError as error: print(error)\n"
    )
    target = tmp_path / "out" / "preview.mp3"
    done = subprocess.run(
        [sys.executable, "-c", script, str(media), str(target)], capture_output=True, text=True, check=True
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096
    assert done.stdout.startswith(f"writing {target.parent}") and "no space left" in done.stdout
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    media = encode(tmp_path / "in.wav", speech_like(6))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="writing"):
        render_preview(media, [Piece(1, 5)], options=OPTIONS, target=tmp_path / "file" / "p.mp3")


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="target_lufs"):
        MasterOptions(target_lufs=3.0)
    with pytest.raises(ValueError, match="must not be negative"):
        RenderOptions(lead_s=-1.0)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_our_meter_agrees_with_pyloudnorm_and_the_standard(rate_hz: int) -> None:
    sine = tone(5, 997, 1.0, rate_hz=rate_hz)[None, :]
    assert loudness_lufs(sine, rate_hz) == pytest.approx(-3.01, abs=0.05)  # BS.1770: 0 dBFS, 997 Hz, one channel
    talk = np.stack([speech_like(10, rate_hz=rate_hz), speech_like(10, 0.1, seed=5, rate_hz=rate_hz)])
    theirs = pyloudnorm.Meter(rate_hz).integrated_loudness(talk.T.astype(np.float64))
    assert loudness_lufs(talk, rate_hz) == pytest.approx(theirs, abs=0.15)


def test_true_peak_sees_what_lies_between_samples() -> None:
    hidden = np.sin(np.pi / 2 * np.arange(44_100) + np.pi / 4).astype(np.float32)[None, :]  # samples at 0.707, peak 1
    assert true_peak_dbtp(hidden, 44_100) == pytest.approx(0.0, abs=0.15)
    assert true_peak_dbtp(np.zeros((1, 100), dtype=np.float32), 44_100) == -np.inf


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), gain=st.floats(0.5, 40), ceiling_db=st.floats(-12, -0.5))
def test_the_limiter_holds_any_ceiling_and_leaves_the_rest_alone(seed: int, gain: float, ceiling_db: float) -> None:
    sound = gain * stereo(speech_like(1, seed=seed), speech_like(1, 0.05, seed=seed + 1)).T
    held = limit(sound, 44_100, ceiling_db=ceiling_db, lookahead_s=0.005)
    assert true_peak_dbtp(held, 44_100) <= ceiling_db + 0.3
    ratio = np.abs(held) / np.maximum(np.abs(sound), 1e-9)
    assert ratio.max() <= 1 + 1e-5
    if true_peak_dbtp(sound, 44_100) < ceiling_db:
        np.testing.assert_array_equal(held, sound)


def envelope(pcm: Pcm) -> NDArray[np.float64]:
    """RMS per 10 ms."""
    hop = pcm.rate_hz // 100
    usable = pcm.samples.shape[1] // hop * hop
    return np.asarray(np.sqrt(np.square(pcm.samples[0, :usable].reshape(-1, hop).astype(np.float64)).mean(axis=1)))
