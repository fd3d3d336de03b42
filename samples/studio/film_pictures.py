"""What the film shows: photographs in the public domain from scikit-image, our lighthouse, and the camera on them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cover import draw_cover
from .film import Film, Join, Take

Frame = NDArray[np.float32]

PHOTOGRAPHS = {
    "coffee": "coffee.png",
    "cat": "chelsea.png",
    "photographer": "camera.png",
    "rocket": "rocket.jpg",
    "astronaut": "astronaut.png",
    "galaxies": "hubble_deep_field.jpg",
}
FLASH = (0.9, 0.6, 0.3)  # how much of white is mixed in, frame by frame


def frames(film: Film) -> Iterator[NDArray[np.uint8]]:
    """Every frame of the film, (height, width, 3)."""
    for number in range(film.starts[-1]):
        shown = _shown(film, number)
        yield np.round(np.clip(shown, 0, 255)).astype(np.uint8)


def _shown(film: Film, number: int) -> Frame:
    """One frame: of a shot alone, or of two that are being joined."""
    for place, join in enumerate(film.joins):
        if join.first <= number < join.last:
            return _joined(join, number, _frame(film, place, number), _frame(film, place + 1, number))
    place = next(n for n, start in enumerate(film.starts[1:]) if number < start)
    return _frame(film, place, number)


def _joined(join: Join, number: int, before: Frame, after: Frame) -> Frame:
    """A dissolve mixes the two; a fade goes through black, unless one of them is black already."""
    done = (number - join.first + 1) / (join.last - join.first + 1)
    if join.kind == "dissolve" or not before.any() or not after.any():
        return (1 - done) * before + done * after
    return (1 - 2 * done) * before if done < 0.5 else (2 * done - 1) * after


def _frame(film: Film, place: int, number: int) -> Frame:
    """Frame `number` of the film as shot `place` alone would show it; it may lie a little outside the shot."""
    take, start = film.takes[place], film.starts[place]
    image = picture(take.picture)
    share = (number - start) / max(1, take.frames - 1)
    seen = _seen(image, _view(take, share), film.width, film.height)
    flash = number - start - take.flash
    if take.flash >= 0 and 0 <= flash < len(FLASH):
        return (1 - FLASH[flash]) * seen + FLASH[flash] * 255
    return seen


def _view(take: Take, share: float) -> tuple[float, float, float]:
    """Where the camera looks; it starts and stops softly."""
    eased = share * share * (3 - 2 * share) if 0 <= share <= 1 else float(share > 1)
    mixed = 0.5 * (share + eased)  # never quite still, also at the ends
    x, y, width = ((1 - mixed) * a + mixed * b for a, b in zip(take.begin, take.end, strict=True))
    return x, y, width


def _seen(image: Image.Image, view: tuple[float, float, float], width: int, height: int) -> Frame:
    """The part of the picture that the camera sees, kept within the picture."""
    x, y, share = view
    wide = min(share * image.width, image.height * width / height, image.width)
    high = wide * height / width
    left = min(max(x * image.width - wide / 2, 0), image.width - wide)
    top = min(max(y * image.height - high / 2, 0), image.height - high)
    step = wide / width
    placed = (step, 0, left, 0, step, top)
    seen = image.transform((width, height), Image.Transform.AFFINE, placed, Image.Resampling.BICUBIC)
    return np.asarray(seen, dtype=np.float32)


@cache
def picture(name: str) -> Image.Image:
    """A picture by its name in the script."""
    if name == "black":
        return Image.new("RGB", (64, 36))
    if name == "lighthouse":
        return _lighthouse()
    spec = find_spec("skimage")
    folder = Path((spec and spec.origin) or "").parent / "data"
    return Image.open(folder / PHOTOGRAPHS[name]).convert("RGB")


def _lighthouse() -> Image.Image:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cover.png"
        draw_cover(path)
        return Image.open(path).convert("RGB")
