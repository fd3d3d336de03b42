"""Films of plain colours, one a shot, so that any decoded frame says which moment it is; with a beep at every cut."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import numpy as np
from media_factory import RATE_HZ, silence, tone
from numpy.typing import NDArray

Image = NDArray[np.uint8]
COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 180, 50),
    "blue": (40, 50, 200),
    "yellow": (200, 190, 40),
    "white": (225, 225, 225),
    "black": (0, 0, 0),
}
BEEP_S = 0.1
_BLOCK = 1024


def colour_film(
    path: Path,
    shots: Sequence[tuple[str, float]],
    *,
    rate: int = 25,
    size: tuple[int, int] = (160, 90),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[float] | None = None,
    aspect: Fraction = Fraction(1),
    beeps: bool = False,
    interlaced: bool = False,
    options: dict[str, str] | None = None,
) -> Path:
    """Shots of (colour, seconds); "red/blue" is a picture whose left half is red and whose right half is blue.

    `times` are those of the frames, in seconds, instead of `rate` a second. With `beeps`, a tone of `BEEP_S` begins
    where every shot does.
    """
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height, video.pix_fmt = *size, pixels
        video.codec_context.sample_aspect_ratio = aspect
        clock = Fraction(1, 90_000 if times else rate)  # old codecs know only their own frame rate
        video.codec_context.time_base = video.time_base = clock
        if interlaced:
            video.codec_context.flags |= av.codec.context.Flags.interlaced_dct
        audio: Any = container.add_stream("aac", rate=RATE_HZ, layout="mono") if beeps else None
        length_s = sum(seconds for _, seconds in shots)
        for time in times or np.arange(round(length_s * rate)) / rate:
            frame = av.VideoFrame.from_ndarray(picture_at(shots, time, size), format="rgb24")
            frame.pts, frame.time_base = round(time / clock), clock
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if beeps:
            _sound(container, audio, shots)
    return path


def picture_at(shots: Sequence[tuple[str, float]], time: float, size: tuple[int, int]) -> Image:
    """What such a film shows at `time`, (height, width, 3)."""
    ends = accumulate(seconds for _, seconds in shots)
    name = next((name for (name, _), end in zip(shots, ends, strict=True) if time < end - 1e-6), shots[-1][0])
    left, _, right = name.partition("/")
    image = np.empty((size[1], size[0], 3), dtype=np.uint8)
    image[:, : size[0] // 2], image[:, size[0] // 2 :] = COLOURS[left], COLOURS[right or left]
    return image


def colour_of(image: Image) -> str:
    """The name of the colour nearest to the mean of an RGB image."""
    mean = image.reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(mean - COLOURS[name]).sum()))


def shown(path: Path) -> list[tuple[float, str]]:
    """(seconds, colour) of every frame of a film."""
    with av.open(str(path)) as container:
        return [(f.time, colour_of(f.to_ndarray(format="rgb24"))) for f in container.decode(video=0)]


def turned(path: Path, *, height: int) -> Path:
    """The MP4 marked, as phones do, to be shown turned clockwise by a quarter; `height` is the stored one."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    matrix = (0, 1 << 16, 0, -(1 << 16), 0, 0, height << 16, 0, 1 << 30)
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    return path


def _sound(container: Any, stream: Any, shots: Sequence[tuple[str, float]]) -> None:
    beep = tone(BEEP_S, 1000)
    samples = np.concatenate([np.concatenate([beep, silence(seconds - BEEP_S)]) for _, seconds in shots])
    for at in range(0, len(samples), _BLOCK):
        block = np.ascontiguousarray(samples[at : at + _BLOCK].reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
