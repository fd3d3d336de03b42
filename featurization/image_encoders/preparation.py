"""Pictures as a network wants them: resized, cropped, normalised, as float32 (batch, 3, height, width)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from featurization.errors import ModelError
from featurization.extractor import Image

Pixels = NDArray[np.float32]  # (batch, 3, height, width)
_FILES = ("preprocessor_config.json", "processor_config.json")  # transformers 4, transformers 5


@dataclass(frozen=True, slots=True)
class Preparation:
    """Sizes are (height, width) in pixels; mean and deviation are per channel of pixels in [0, 1]."""

    crop: tuple[int, int]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    shortest_edge: int = 0  # resize this side to it and crop the middle; 0: squeeze the whole picture into `crop`
    resampling: Pictures.Resampling = Pictures.Resampling.BICUBIC

    def __call__(self, images: Sequence[Image]) -> Pixels:
        """The batch that a network takes."""
        stacked = np.stack([self._fitted(image) for image in images]).astype(np.float32) / np.float32(255)
        normal = (stacked - np.asarray(self.mean, np.float32)) / np.asarray(self.deviation, np.float32)
        return np.ascontiguousarray(normal.transpose(0, 3, 1, 2), dtype=np.float32)

    def _fitted(self, image: Image) -> Image:
        height, width = self.crop
        picture = Pictures.fromarray(image)
        if not self.shortest_edge:
            return np.asarray(picture.resize((width, height), self.resampling))
        scale = self.shortest_edge / min(picture.size)
        size = tuple(max(self.shortest_edge, int(side * scale)) for side in picture.size)
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        resized = picture.resize((size[0], size[1]), self.resampling)
        return np.asarray(resized.crop((left, top, left + width, top + height)))


def preparation_of(folder: Path, default: Preparation) -> Preparation:
    """What the checkpoint in `folder` asks for; `default` where it says nothing. ModelError if it cannot be read."""
    try:
        given = _read(folder)
        return replace(default, **_sizes(given), **_colours(given))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{folder}: its picture preparation cannot be read ({error}); fetch the model again"
        ) from error


def _read(folder: Path) -> dict[str, Any]:
    for name in _FILES:
        if (folder / name).is_file():
            given: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
            nested: dict[str, Any] = given.get("image_processor", given)
            return nested
    return {}


def _sizes(given: dict[str, Any]) -> dict[str, Any]:
    size, crop = given.get("size"), given.get("crop_size")
    found: dict[str, Any] = {}
    if isinstance(size, dict) and "height" in size:
        found = {"crop": (size["height"], size["width"]), "shortest_edge": 0}
    elif size:
        edge = size["shortest_edge"] if isinstance(size, dict) else int(size)
        found = {"crop": (edge, edge), "shortest_edge": edge}
    if crop and given.get("do_center_crop", False):
        found["crop"] = (crop["height"], crop["width"]) if isinstance(crop, dict) else (int(crop), int(crop))
    return found


def _colours(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given.get("do_normalize", True) and "image_mean" in given:
        found = {"mean": tuple(given["image_mean"]), "deviation": tuple(given["image_std"])}
    if "resample" in given:
        found["resampling"] = Pictures.Resampling(given["resample"])
    return found
