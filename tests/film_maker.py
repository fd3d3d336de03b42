"""Films made for tests: every cut, fade, time and size is known because it was asked for.

Pictures are uint8 RGB, (height, width, 3); a clip is a list of them. Joining clips says where the joints are.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Clip = list[Picture]

SIZE = (90, 160)  # height, width
RATE = 25
_TICKS = 90_000  # per second


def plain(colour: Sequence[int], frames: int, size: tuple[int, int] = SIZE) -> Clip:
    """Nothing but one colour."""
    return [np.full((*size, 3), colour, dtype=np.uint8)] * frames


def scenery(seed: int, frames: int, size: tuple[int, int] = SIZE, *, speed: float = 1.0) -> Clip:
    """A picture of its own for each `seed` (smooth shapes in a few colours), seen by a camera that pans slowly.

    `speed` is in pixels a frame.
    """
    height, width = size
    wide = width + int(abs(speed) * frames) + 2
    world = _landscape(np.random.default_rng(seed), height, wide)
    starts = [int(abs(speed) * index) for index in range(frames)]
    return [world[:, at : at + width] for at in (starts if speed >= 0 else reversed(starts))]


def _landscape(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Layers of blobs with sharp edges over a gradient."""
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    colours = rng.integers(20, 236, (7, 3)).astype(float)
    picture = colours[0] + (colours[1] - colours[0]) * (rows / height)[..., None]
    for colour in colours[2:]:
        waves = sum(
            np.sin(rng.uniform(0.5, 4) * columns / height * 2 + rng.uniform(0.5, 4) * rows / height * 2 + phase)
            for phase in rng.uniform(0, 6.28, 3)
        )
        picture[waves > rng.uniform(0.4, 1.6)] = colour
    return np.asarray(np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255), dtype=np.uint8)


def flash(clip: Clip, at: int, frames: int = 2, strength: float = 0.85) -> Clip:
    """The clip with a flashlight going off in frames [at, at + frames)."""
    lit = [_mix(picture, np.full_like(picture, 255), strength) for picture in clip[at : at + frames]]
    return [*clip[:at], *lit, *clip[at + frames :]]


def dissolve(before: Clip, after: Clip, frames: int) -> Clip:
    """Both clips, overlapping by `frames` pictures in which the first one goes and the second one comes."""
    weights = [(index + 1) / (frames + 1) for index in range(frames)]
    pairs = zip(before[len(before) - frames :], after[:frames], weights, strict=True)
    return [*before[: len(before) - frames], *(_mix(old, new, w) for old, new, w in pairs), *after[frames:]]


def fade_out(clip: Clip, frames: int, to: int = 0) -> Clip:
    """The clip, going to black (or to any grey) in its last `frames` pictures."""
    goal = np.full_like(clip[0], to)
    faded = [_mix(p, goal, (index + 1) / frames) for index, p in enumerate(clip[len(clip) - frames :])]
    return [*clip[: len(clip) - frames], *faded]


def fade_in(clip: Clip, frames: int, origin: int = 0) -> Clip:
    """The clip, coming out of black (or of any grey) in its first `frames` pictures."""
    return fade_out(clip[::-1], frames, origin)[::-1]


def _mix(old: Picture, new: Picture, weight: float) -> Picture:
    return np.asarray(old * (1 - weight) + new * weight + 0.5, dtype=np.uint8)


def encode_film(
    path: Path,
    clip: Clip,
    *,
    rate: float = RATE,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    aspect: Fraction | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write `clip` to `path`, at `rate` pictures a second or at `times` (seconds). Returns `path`.

    `aspect` is the shape of a pixel; `rotation` in degrees clockwise is asked of the player (MP4 and MOV only).
    """
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001), options=options or {})
        stream.height, stream.width = clip[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = stream.time_base = Fraction(1, _TICKS)
        if rotation:
            stream.set_display_rotation(-rotation)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        moments = times if times is not None else [index / rate for index in range(len(clip))]
        for picture, time in zip(clip, moments, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = round(time * _TICKS), Fraction(1, _TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def damage(path: Path, start: float = 0.45, end: float = 0.55, seed: int = 0) -> Path:
    """Overwrite a part of the file's bytes, given as fractions of its size, with noise. Returns `path`."""
    data = bytearray(path.read_bytes())
    first, last = round(start * len(data)), round(end * len(data))
    data[first:last] = np.random.default_rng(seed).integers(0, 256, last - first, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    return path
