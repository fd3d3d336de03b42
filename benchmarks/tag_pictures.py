"""Labelled pictures as vectors: a folder of pictures with labels.csv (file, label)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.examples import Floats, Rows
from annotation.likeness import likeness
from benchmarks.job import Job, say
from featurization.errors import SourceError
from steps.models import Models

_BATCH = 32
_SIDE = 512  # pixels; as keyframes are kept


@dataclass(frozen=True, eq=False)
class Pictures:
    """All pictures of a folder."""

    files: tuple[str, ...]
    labels: NDArray[Any]  # (n,) names
    features: Rows  # (n, d), unit rows
    likeness: dict[str, Floats]  # label → (n,): cosine with its name, in spreads above the encoder's background

    @property
    def classes(self) -> list[str]:
        return sorted(self.likeness)


def pictures_of(job: Job) -> Pictures:
    """Encode the folder. Raises SourceError for a folder that cannot be read as described."""
    rows = _rows(job.data / "labels.csv")
    encoder = Models(job.settings).images
    spaces, features = [], []
    for at in range(0, len(rows), _BATCH):
        vectors, own = encoder.encode_with_features([_picture(job.data / file) for file, _ in rows[at : at + _BATCH]])
        spaces.append(vectors)
        features.append(own)
        say(f"{min(at + _BATCH, len(rows))} of {len(rows)} pictures")
    labels = np.array([label for _, label in rows])
    names = sorted(set(labels.tolist()))
    texts, seen = encoder.encode_text(names), np.concatenate(spaces)
    usual = encoder.background()
    alike = {name: likeness(seen, text[None, :], usual) for name, text in zip(names, texts, strict=True)}
    return Pictures(tuple(file for file, _ in rows), labels, np.concatenate(features), alike)


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            read = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: cannot be read ({error}); give a CSV file with columns file and label") from error
    rows = [((row.get("file") or "").strip(), (row.get("label") or "").strip()) for row in read]
    if not rows or not all(file and label for file, label in rows):
        raise SourceError(f"{path}: each row needs a file and a label, below a first line `file,label`")
    if len({label for _, label in rows}) < 2:
        raise SourceError(f"{path}: all pictures have one label; there is nothing to tell apart")
    return rows


def _picture(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (_SIDE, _SIDE))
            upright = picture.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path}: cannot be read as a picture ({error})") from error
    upright.thumbnail((_SIDE, _SIDE))
    return np.asarray(upright)
