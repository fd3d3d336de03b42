"""Media made for tests: every duration, level, place and pitch is known because it was asked for.

Signals are float32 in [-1, 1], shaped (time,) for mono and (time, channels) otherwise, at `RATE_HZ` unless said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE_HZ = 44_100
_CODECS = {
    ".mp3": ("libmp3lame", "s16p"),
    ".m4a": ("aac", "fltp"),
    ".wav": ("pcm_s16le", "s16"),
    ".flac": ("flac", "s16"),
    ".opus": ("libopus", "s16"),
    ".ogg": ("libopus", "s16"),  # PyAV carries no libvorbis encoder
}
_SCALE = (0, 3, 7, 10, 12, 15, 19)  # semitones of a minor pentatonic-like scale
_CHORDS = ((0, 3, 7), (-4, 0, 3), (-9, -5, -2), (-2, 2, 5))  # i VI III VII, semitones from the root


def silence(seconds: float, *, rate_hz: int = RATE_HZ) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * rate_hz), dtype=np.float32)


def tone(seconds: float, hz: float = 440.0, level: float = 0.5, *, rate_hz: int = RATE_HZ) -> Samples:
    """A sine of amplitude `level`, beginning at phase zero."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def noise(seconds: float, level: float = 0.1, *, seed: int = 0, rate_hz: int = RATE_HZ) -> Samples:
    """White Gaussian noise of standard deviation `level`, clipped at full scale."""
    drawn = np.random.default_rng(seed).normal(0, level, round(seconds * rate_hz))
    return np.clip(drawn, -1, 1).astype(np.float32)


def music(seconds: float, seed: int = 0, level: float = 0.3, *, rate_hz: int = RATE_HZ) -> Samples:
    """A small band: sustained chords, a plucked melody on the half beat and a drum on the beat; peak `level`."""
    rng = np.random.default_rng(seed)
    total, beat_s, root_hz = round(seconds * rate_hz), 60 / rng.uniform(90, 130), 220 * 2 ** (rng.integers(-5, 6) / 12)
    mix = np.zeros(total + 2 * rate_hz)
    for beat in range(math.ceil(seconds / beat_s)):
        at = round(beat * beat_s * rate_hz)
        if beat % 4 == 0:
            _add(mix, at, 0.5 * _chord(root_hz, _CHORDS[beat // 4 % 4], min(4 * beat_s, 2.0), rate_hz))
        for half in (0, 1):
            step = int(rng.choice(_SCALE))
            pluck = _decaying(2 * root_hz * 2 ** (step / 12), min(beat_s, 0.6), 6.0, rate_hz)
            _add(mix, at + round(half * beat_s / 2 * rate_hz), 0.6 * pluck)
        _add(mix, at, _decaying(70.0, 0.2, 25.0, rate_hz))
    mix = mix[:total]
    return (level * mix / max(1e-9, float(np.abs(mix).max(initial=0.0)))).astype(np.float32)


def stereo(left: Samples, right: Samples) -> Samples:
    """Two mono signals as (time, 2); the shorter one is padded with silence."""
    both = np.zeros((max(len(left), len(right)), 2), dtype=np.float32)
    both[: len(left), 0], both[: len(right), 1] = left, right
    return both


def encode(
    path: Path,
    samples: Samples,
    rate_hz: int = RATE_HZ,
    *,
    bit_rate: int = 128_000,
    tags: Mapping[str, str] | None = None,
    start_s: float = 0.0,
) -> Path:
    """Write `samples` to `path`, codec by suffix (.mp3 .m4a .wav .flac .opus .ogg, else AAC).

    `start_s` shifts the timestamps, for containers that keep them (.mkv). Returns `path`.
    """
    codec, sample_format = _CODECS.get(path.suffix, ("aac", "fltp"))
    layout = _layout(samples)
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        rate = 48_000 if codec == "libopus" else rate_hz
        stream: Any = container.add_stream(codec, rate=rate, layout=layout, format=sample_format)
        if codec not in ("pcm_s16le", "flac"):
            stream.bit_rate = bit_rate
        _write(container, stream, samples, rate_hz, start_s)
    return path


def encode_video(path: Path, seconds: float = 1.0, sound: Samples | None = None, *, rate_hz: int = RATE_HZ) -> Path:
    """A grey 64x48 film at 10 pictures a second, with `sound` as its only audio stream or none."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = container.add_stream("aac", rate=rate_hz, layout="mono") if sound is not None else None
        for index in range(round(seconds * 10)):
            picture = np.full((48, 64, 3), 20 * index % 255, dtype=np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        if sound is not None:
            _write(container, audio, sound, rate_hz, 0.0)
    return path


def mux_subtitles(path: Path, film: Path, *tracks: tuple[Path, str], spoken: str = "") -> Path:
    """`film` copied to `path` with subtitle files as (file, language) tracks; .mp4 takes plain text of any format.

    `spoken` is said to be the language of its sound.
    """
    with ExitStack() as stack:
        target = stack.enter_context(av.open(str(path), "w"))
        sources = [stack.enter_context(av.open(str(source))) for source in (film, *(file for file, _ in tracks))]
        streams = [[_copied(target, stream, path.suffix) for stream in source.streams] for source in sources]
        for stream in streams[0] if spoken else ():
            stream.metadata["language"] = spoken
        for (_, language), (stream,) in zip(tracks, streams[1:], strict=True):
            stream.metadata["language"] = language
        for source, copies in zip(sources, streams, strict=True):
            for packet in source.demux():
                if packet.size and packet.dts is not None:
                    target.mux(_moved(packet, copies[packet.stream.index]))
    return path


def _copied(target: Any, stream: Any, suffix: str) -> Any:
    if stream.type != "subtitle" or suffix != ".mp4":
        return target.add_stream_from_template(stream)
    text = target.add_stream("mov_text")
    text.codec_context.subtitle_header = b"[Script Info]\n"
    return text


def _moved(packet: Any, stream: Any) -> Any:
    if stream.codec_context.name == "mov_text":
        data = bytes(packet)
        moved = av.Packet(len(data).to_bytes(2) + data)
        moved.pts, moved.dts, moved.duration, moved.time_base = (
            packet.pts,
            packet.dts,
            packet.duration,
            packet.time_base,
        )
        packet = moved
    packet.stream = stream
    return packet


def _layout(samples: Samples) -> str:
    return "mono" if samples.ndim == 1 else {1: "mono", 2: "stereo"}[samples.shape[1]]


def _write(container: Any, stream: Any, samples: Samples, rate_hz: int, start_s: float) -> None:
    context = stream.codec_context
    resampler = av.AudioResampler(
        format=context.format.name, layout=_layout(samples), rate=stream.rate, frame_size=context.frame_size or 1024
    )
    for frame in [*_frames(samples, rate_hz, start_s), None]:
        for ready in resampler.resample(frame):
            container.mux(stream.encode(ready))
    container.mux(stream.encode(None))


def _frames(samples: Samples, rate_hz: int, start_s: float) -> list[av.AudioFrame]:
    """Frames of one second with their timestamps."""
    frames = []
    for at in range(0, len(samples), rate_hz):
        packed = np.ascontiguousarray(samples[at : at + rate_hz].reshape(1, -1), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=_layout(samples))
        frame.rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        frame.pts = at + round(start_s * rate_hz)
        frames.append(frame)
    return frames


def _decaying(hz: float, seconds: float, decay: float, rate_hz: int) -> NDArray[np.float64]:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    partials = sum(np.sin(2 * np.pi * hz * k * time) / k**1.5 for k in range(1, 5))
    return np.asarray(np.exp(-decay * time) * partials * np.minimum(1, (seconds - time) / 0.02))


def _chord(root_hz: float, semitones: tuple[int, ...], seconds: float, rate_hz: int) -> NDArray[np.float64]:
    notes = [_decaying(root_hz * 2 ** (step / 12), seconds, 0.6, rate_hz) for step in semitones]
    return np.asarray(np.sum(notes, axis=0) / len(notes))


def _add(mix: NDArray[np.float64], at: int, sound: NDArray[np.float64]) -> None:
    part = mix[at : at + len(sound)]
    part += sound[: len(part)]
