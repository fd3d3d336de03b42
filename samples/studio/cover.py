"""Draws the cover: a lighthouse at night whose beam crosses the sky."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = 600
SCALE = 3
NIGHT, DUSK, SEA = (18, 26, 58), (52, 64, 112), (12, 18, 40)
LIGHT, TOWER, BAND, ROCK = (255, 214, 120), (240, 232, 214), (196, 64, 56), (30, 30, 44)


def draw_cover(path: Path) -> None:
    """Write the cover as a small PNG."""
    image = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), NIGHT)
    pen = ImageDraw.Draw(image, "RGBA")
    _sky(pen)
    _beams(pen)
    _sea(pen)
    _tower(pen)
    small = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    flat = small.quantize(192, dither=Image.Dither.NONE)
    flat.save(path, optimize=True)


def _scaled(*values: float) -> list[float]:
    """Coordinates of the finished picture on the large canvas."""
    return [value * SCALE for value in values]


def _sky(pen: ImageDraw.ImageDraw) -> None:
    """Bands of dusk, stars and a moon."""
    bands = 12
    for band in range(bands):
        mix = (band / (bands - 1)) ** 1.5
        shade = tuple(int(a + (b - a) * mix) for a, b in zip(NIGHT, DUSK, strict=True))
        pen.rectangle(_scaled(0, band * 38, SIZE, band * 38 + 38), fill=shade)
    rng = np.random.default_rng(7)
    for x, y, r in rng.uniform((0, 0, 0.6), (SIZE, 330, 1.8), (70, 3)):
        pen.ellipse(_scaled(x - r, y - r, x + r, y + r), fill=(255, 255, 240, 190))
    pen.ellipse(_scaled(92, 70, 162, 140), fill=(238, 234, 214))
    for x, y, r in ((112, 92, 7), (138, 118, 10), (133, 84, 4)):
        pen.ellipse(_scaled(x - r, y - r, x + r, y + r), fill=(218, 212, 190))


def _beams(pen: ImageDraw.ImageDraw) -> None:
    """Two beams from the lamp, brighter towards the middle."""
    for step in range(14):
        spread = 84 - step * 6
        shade = (*LIGHT, 16)
        pen.polygon(_scaled(375, 190, 0, 240 - spread, 0, 240 + spread), fill=shade)
        right = (375, 190, SIZE, 180 - spread / 2, SIZE, 180 + spread / 2)
        pen.polygon(_scaled(*right), fill=shade)


def _sea(pen: ImageDraw.ImageDraw) -> None:
    """Dark water with rows of waves, and the rock."""
    pen.rectangle(_scaled(0, 450, SIZE, SIZE), fill=SEA)
    for row in range(6):
        for x in range(-40 + row % 2 * 30, SIZE, 60):
            box = _scaled(x, 466 + row * 22, x + 60, 486 + row * 22)
            pen.arc(box, 200, 340, fill=(84, 104, 160, 170), width=2 * SCALE)
    rock = (230, 510, 262, 462, 300, 446, 330, 428, 430, 426, 474, 452, 512, 468, 540, 510)
    pen.polygon(_scaled(*rock), fill=ROCK)


def _tower(pen: ImageDraw.ImageDraw) -> None:
    """The tower with red bands, gallery, lamp and roof."""
    pen.polygon(_scaled(350, 216, 400, 216, 422, 436, 328, 436), fill=TOWER)
    for top in (256, 336, 412):
        edges = [(top, (top - 216) / 10), (top + 26, (top - 190) / 10)]
        (y1, w1), (y2, w2) = edges
        band = (350 - w1, y1, 400 + w1, y1, 400 + w2, y2, 350 - w2, y2)
        pen.polygon(_scaled(*band), fill=BAND)
    pen.rectangle(_scaled(340, 208, 410, 218), fill=ROCK)
    pen.rectangle(_scaled(356, 172, 394, 208), fill=LIGHT)
    pen.ellipse(_scaled(362, 177, 388, 203), fill=(255, 246, 214))
    pen.polygon(_scaled(348, 172, 402, 172, 375, 144), fill=BAND)
    for y in (300, 380):
        pen.rectangle(_scaled(370, y, 380, y + 18), fill=ROCK)
