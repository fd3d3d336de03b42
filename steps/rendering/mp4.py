"""Pictures and sound into one MP4 that starts to play before it has arrived: H.264, AAC, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from steps.rendering.canvas import Canvas

Samples = NDArray[np.float32]

_CLOCK = Fraction(1, 90_000)  # of the pictures; it divides the usual frame rates
AAC_FRAME = 1024  # samples
_NOMINAL_RATE = 30  # what x264 plans with; the frames keep their own times
_KEYFRAME_S = 2.0  # a player seeks to within this
_THREADS = "2"  # fixed, because x264's output depends on their number
_BT709, _LIMITED = 1, 1


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """How the preview of a film looks, and how much of it may be damaged."""

    max_side: int = 1280  # pixels of the longer side; nothing is enlarged
    max_frame_rate: float = 60.0  # pictures per second; of more, those in between are left out
    crf: int = 23  # x264's constant quality, 0 (best) to 51
    preset: str = "veryfast"  # x264's trade of time for size
    mono_bit_rate: int = 96_000  # bits per second of AAC
    stereo_bit_rate: int = 160_000  # bits per second of AAC
    max_missing_s: float = 1.0  # seconds of pictures, or of sound, that may be undecodable before it is refused

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf lies in 0 to 51, got {self.crf}")
        if self.max_side < 16 or self.max_frame_rate < 1 or self.max_missing_s < 0:
            raise ValueError("max_side must be at least 16, max_frame_rate at least 1, max_missing_s not negative")


def encode_aac(samples: Samples, rate_hz: int, *, bit_rate: int) -> bytes:
    """(channels, time) as AAC in MP4, its encoder delay noted so that players leave it out."""
    out = io.BytesIO()
    write_aac(out, [samples], rate_hz, bit_rate=bit_rate)
    return out.getvalue()


def write_aac(target: Path | io.BytesIO, stretches: Iterable[Samples], rate_hz: int, *, bit_rate: int) -> None:
    """The same of sound that comes in stretches, (channels, time), each but the last of whole frames (`AAC_FRAME`)."""
    remaining = iter(stretches)
    first = next(remaining)
    layout, at = "mono" if first.shape[0] == 1 else "stereo", 0
    place = str(target) if isinstance(target, Path) else target
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if isinstance(target, Path) else {})
    with av.open(place, "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=rate_hz, layout=layout, format="fltp")
        stream.bit_rate, stream.time_base = bit_rate, Fraction(1, rate_hz)
        stream.codec_context.flags |= Flags.bitexact
        for samples in chain([first], remaining):
            for begin in range(0, samples.shape[1], AAC_FRAME):
                container.mux(stream.encode(_frame(samples[:, begin : begin + AAC_FRAME], at + begin, rate_hz, layout)))
            at += samples.shape[1]
        container.mux(stream.encode(None))


def _frame(block: Samples, at: int, rate_hz: int, layout: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, at, Fraction(1, rate_hz)
    return frame


class FilmWriter:
    """Takes frames in order of time and puts the finished sound beside them."""

    def __init__(
        self, container: OutputContainer, canvas: Canvas, options: FilmOptions, sound: InputContainer | None
    ) -> None:
        self._container = container
        self._video: Any = container.add_stream("libx264", rate=_NOMINAL_RATE)
        self._video.width, self._video.height, self._video.pix_fmt = canvas.width, canvas.height, "yuv420p"
        self._video.options = {"crf": str(options.crf), "preset": options.preset, "threads": _THREADS}
        context = self._video.codec_context
        context.time_base = self._video.time_base = _CLOCK
        context.gop_size = round(_KEYFRAME_S * _NOMINAL_RATE)
        context.flags |= Flags.bitexact | Flags.frame_duration
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED
        self._sound = _Sound(container, sound) if sound else None

    def write(self, frame: VideoFrame, *, start: float, end: float) -> None:
        """`frame` is shown in [start, end) seconds of the preview."""
        frame.pts, frame.time_base = round(start / _CLOCK), _CLOCK
        frame.duration = round(end / _CLOCK) - frame.pts
        self._mux(self._video.encode(frame))

    def close(self) -> None:
        """Write what the encoder holds back, and the rest of the sound."""
        self._mux(self._video.encode(None))
        if self._sound:
            self._sound.until(float("inf"))

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        for packet in packets:
            if self._sound and packet.dts is not None:
                self._sound.until(float(packet.dts * packet.time_base))
            self._container.mux(packet)


class _Sound:
    """Encoded sound, copied packet by packet as far as the pictures have come."""

    def __init__(self, container: OutputContainer, source: InputContainer) -> None:
        self._container = container
        self._track = container.add_stream_from_template(source.streams.audio[0])
        self._packets = (p for p in source.demux(audio=0) if p.dts is not None)
        self._next = next(self._packets, None)

    def until(self, time_s: float) -> None:
        """Write the packets of sound up to a time of the film."""
        while (packet := self._next) is not None and float(packet.dts * packet.time_base) <= time_s:  # type: ignore[operator]
            self._next = next(self._packets, None)
            packet.stream = self._track
            self._container.mux(packet)


@contextmanager
def film_writer(target: Path, canvas: Canvas, *, options: FilmOptions, aac: bytes | Path = b"") -> Iterator[FilmWriter]:
    """A writer of `target`, finished when the context is left; `aac` is the whole sound, or the file that it is in."""
    flags = {"fflags": "+bitexact", "movflags": "+faststart"}
    with ExitStack() as stack:
        place = str(aac) if isinstance(aac, Path) else io.BytesIO(aac)
        sound = stack.enter_context(av.open(place, "r")) if aac else None
        container = stack.enter_context(av.open(str(target), "w", format="mp4", options=flags))
        writer = FilmWriter(container, canvas, options, sound)
        yield writer
        writer.close()
