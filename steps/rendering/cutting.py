"""Sample-accurate stretches of a recording at its own rate, decoding little more than what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from featurization.container import audio_stream
from featurization.errors import EmptyMedia, UnreadableMedia
from featurization.media import Segment

Samples = NDArray[np.float32]

_PREROLL_S = 1.0  # MP3's bit reservoir, AAC's overlap and Opus' convergence all need less
_JITTER_S = 0.02  # containers with millisecond clocks round timestamps; a larger step is a real gap
_MPEG_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Pcm:
    """Sound as float32 shaped (channels, time); `missing_s` of it could not be decoded and is silent."""

    samples: Samples
    rate_hz: int
    missing_s: float = 0.0

    @property
    def duration_s(self) -> float:
        return float(self.samples.shape[1] / self.rate_hz)


def cut(media: Path | IO[bytes], span: Segment, *, name: str = "") -> Pcm:
    """`span` of the audio, mono or stereo (more channels are mixed down), at the rate of the original.

    Time zero is the first presented moment of the container. Where the recording ends inside the span, the result is
    shorter. Seeks by timestamp and decodes from the beginning only where the container cannot be sought in.
    Raises UnreadableMedia, NoAudio, or EmptyMedia if nothing lies in the span.
    """
    name = name or str(media)
    found = _read(media, span, name, seek=span.start > _PREROLL_S)
    if found is None:
        found = _read(media, span, name, seek=False)
    if found is None or found.samples.shape[1] == 0:
        raise EmptyMedia(f"{name}: no sound between {span.start:.2f} and {span.end:.2f} s; ingest the file again")
    return found


def mp3_rate_hz(rate_hz: int) -> int:
    """The rate an MP3 of this recording gets: its own where MPEG has it, else the one that divides it best."""
    if rate_hz in _MPEG_RATES:
        return rate_hz
    return 44_100 if rate_hz % 11_025 == 0 else 48_000


def _read(media: Path | IO[bytes], span: Segment, name: str, *, seek: bool) -> Pcm | None:
    """The span, or None if seeking landed behind its start."""
    source = str(media) if isinstance(media, Path) else media
    try:
        if not isinstance(media, Path):
            media.seek(0)
        with av.open(source, "r") as container:
            stream = _audio_of(container, name)
            if seek:
                _seek(container, stream, span.start)
            return _fill(container, stream, span, must_precede=seek)
    except av.error.FFmpegError as error:
        raise UnreadableMedia(f"{name}: cannot be decoded ({error.strerror}); fetch the file again") from error


def _audio_of(container: InputContainer, name: str) -> AudioStream:
    stream = audio_stream(container, Path(name))
    if not stream.rate or not stream.channels:
        raise UnreadableMedia(f"{name}: the audio stream names no rate or channels; fetch the file again")
    return stream


def _origin_s(container: InputContainer) -> float:
    return float((container.start_time or 0) / av.time_base)


def _seek(container: InputContainer, stream: AudioStream, start_s: float) -> None:
    at_s = max(0.0, start_s - _PREROLL_S) + _origin_s(container)
    try:
        container.seek(round(at_s / float(stream.time_base or 1)), stream=stream, backward=True)
    except av.error.FFmpegError:
        container.seek(0)


def _fill(container: InputContainer, stream: AudioStream, span: Segment, *, must_precede: bool) -> Pcm | None:
    rate, channels = mp3_rate_hz(stream.rate), min(stream.channels, 2)
    wanted = round(span.duration * rate)
    buffer, heard = np.zeros((channels, wanted), dtype=np.float32), np.zeros(wanted, dtype=bool)
    origin = _origin_s(container) + span.start
    for index, (time, block) in enumerate(_blocks(container, stream, rate, channels)):
        at = round((time - origin) * rate)
        if index == 0 and must_precede and at > 0:
            return None
        if at >= wanted:
            break
        low, high = max(0, at), min(wanted, at + block.shape[1])
        if low < high:
            buffer[:, low:high], heard[low:high] = block[:, low - at : high - at], True
    length = int(heard.nonzero()[0][-1]) + 1 if heard.any() else 0
    return Pcm(buffer[:, :length], rate, float(length - heard[:length].sum()) / rate)


def _blocks(
    container: InputContainer, stream: AudioStream, rate: int, channels: int
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(presentation time in s, samples (channels, time)) in order; a clock that only jitters is straightened."""
    expected: float | None = None
    for given, block in _resampled(container, stream, rate, channels):
        time = given
        if expected is not None and (given is None or abs(given - expected) < _JITTER_S):
            time = expected
        if time is None:
            continue
        yield time, block
        expected = time + block.shape[1] / rate


def _resampled(
    container: InputContainer, stream: AudioStream, rate: int, channels: int
) -> Iterator[tuple[float | None, NDArray[np.float32]]]:
    resamplers: dict[tuple[str, str, int], av.AudioResampler] = {}
    layout = "mono" if channels == 1 else "stereo"
    for frame in _decoded(container, stream):
        key = (frame.format.name, frame.layout.name, frame.sample_rate)
        if key not in resamplers:
            resamplers[key] = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        blocks = [part.to_ndarray() for part in resamplers[key].resample(frame)]
        if blocks:
            yield frame.time, np.concatenate(blocks, axis=1)


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Frames that decode; damaged packets are left out, and a container that breaks off ends there."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue
