"""Pictures of sound: rounded bars as SVG for pages and as PNG for feeds, readable on light and on dark."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from steps.rendering.mp3 import decode_clip

Levels = NDArray[np.float32]

_OVERSAMPLE = 4  # PNG bars are drawn large and reduced, so that their round ends are smooth


@dataclass(frozen=True, slots=True)
class WaveformOptions:
    """How a waveform looks; both colours keep a contrast of 3:1 on white and on near-black."""

    width: int = 960  # pixels, or SVG units
    height: int = 160
    bar: int = 4
    gap: int = 3
    floor_db: float = -48.0  # levels at or below it are drawn as a dot
    color: str = "#6d5ef0"
    muted: str = "#8a8f9c"  # what lies outside the emphasised stretch

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.bar) < 1 or self.gap < 0 or self.floor_db >= 0:
            raise ValueError("width, height and bar must be positive, gap not negative and floor_db below 0")

    @property
    def bars(self) -> int:
        return max(1, (self.width + self.gap) // (self.bar + self.gap))


def preview_levels(data: bytes, *, hop_s: float = 0.02) -> Levels:
    """Levels of a short encoded clip in dBFS (RMS over all channels) per `hop_s`, for its picture."""
    pcm = decode_clip(data)
    hop = max(1, round(hop_s * pcm.rate_hz))
    power = np.square(pcm.samples).mean(axis=0)
    padded = np.pad(power, (0, -len(power) % hop))
    return np.asarray(10 * np.log10(padded.reshape(-1, hop).mean(axis=1) + 1e-10), dtype=np.float32)


def bar_heights(levels: Levels, bars: int, *, floor_db: float = -48.0) -> NDArray[np.float64]:
    """Heights in [0, 1] of `bars` bars over levels in dBFS; 1 is the loudest of them, 0 is `floor_db` or less.

    A bar shows the mean power of its stretch, the square of its share of the dB above the floor: talk looks like talk.
    """
    if len(levels) == 0:
        return np.zeros(bars)
    edges = np.linspace(0, len(levels), bars + 1)
    total = np.concatenate([[0.0], np.cumsum(10 ** (np.asarray(levels, dtype=np.float64) / 10))])
    areas = np.diff(np.interp(edges, np.arange(len(total)), total)) / np.diff(edges)
    level = 10 * np.log10(np.maximum(areas, 1e-12))
    top = max(float(level.max()), floor_db + 12.0)
    return np.asarray(np.square(np.clip((level - floor_db) / (top - floor_db), 0.0, 1.0)))


def waveform_svg(
    levels: Levels,
    *,
    options: WaveformOptions | None = None,
    emphasis: tuple[float, float] = (0.0, 1.0),
    label: str = "Waveform",
) -> str:
    """One SVG of the levels in dBFS; what lies outside the `emphasis` (shares of the width) is muted."""
    options = options or WaveformOptions()
    inside, outside = _paths(levels, options, emphasis)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {options.width} {options.height}" role="img" '
        f'aria-label="{_attribute(label)}" stroke-width="{options.bar}" stroke-linecap="round" fill="none">'
        f'<path stroke="{options.muted}" d="{outside}"/><path stroke="{options.color}" d="{inside}"/></svg>'
    )


def waveform_png(
    levels: Levels, *, options: WaveformOptions | None = None, emphasis: tuple[float, float] = (0.0, 1.0)
) -> bytes:
    """The same picture as PNG bytes on a transparent ground."""
    options = options or WaveformOptions()
    big = (options.width * _OVERSAMPLE, options.height * _OVERSAMPLE)
    image = Image.new("RGBA", big, (*_rgb(options.color), 0))
    draw = ImageDraw.Draw(image)
    for x, half, emphasised in _bars(levels, options, emphasis):
        color = options.color if emphasised else options.muted
        middle, radius = options.height / 2, options.bar / 2
        box = (x - radius, middle - half - radius, x + radius, middle + half + radius)
        draw.rounded_rectangle(
            [round(v * _OVERSAMPLE) for v in box], radius=radius * _OVERSAMPLE, fill=(*_rgb(color), 255)
        )
    out = io.BytesIO()
    image.resize((options.width, options.height), Image.Resampling.BOX).save(out, "PNG", optimize=True)
    return out.getvalue()


def _paths(levels: Levels, options: WaveformOptions, emphasis: tuple[float, float]) -> tuple[str, str]:
    """Path data of the bars inside and outside the emphasis."""
    strokes: dict[bool, list[str]] = {True: [], False: []}
    for x, half, emphasised in _bars(levels, options, emphasis):
        strokes[emphasised].append(f"M{x:g} {options.height / 2 - half:.1f}v{max(2 * half, 0.01):.2f}")
    return "".join(strokes[True]), "".join(strokes[False])


def _bars(levels: Levels, options: WaveformOptions, emphasis: tuple[float, float]) -> list[tuple[float, float, bool]]:
    """(centre x, half length of the straight part, emphasised) of each bar."""
    reach = (options.height - options.bar) / 2
    heights = bar_heights(levels, options.bars, floor_db=options.floor_db)
    start, end = emphasis
    return [
        (
            options.bar / 2 + index * (options.bar + options.gap),
            float(height) * reach,
            start <= (index + 0.5) / options.bars < end or (start, end) == (0.0, 1.0),
        )
        for index, height in enumerate(heights)
    ]


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
