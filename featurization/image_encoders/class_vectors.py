"""The classes of ImageNet as vectors of a text encoder: what a class is called, of what kind it is, what it means.

Of the ways tried, the mean of these three told pictures apart best; names alone leave "vehicle" or "fruit" unfound.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from pathlib import Path

import numpy as np

from featurization.extractor import Vectors
from featurization.text import TextEncoder

CLASSES = Path(__file__).with_name("imagenet_classes.toml")


def classes_digest() -> str:
    """The sha256 of the file that describes the classes."""
    return hashlib.sha256(CLASSES.read_bytes()).hexdigest()


def class_vectors(encoder: TextEncoder) -> Vectors:
    """Unit rows, (1000, dim), in the order of the network's outputs."""
    rows = tomllib.loads(CLASSES.read_text(encoding="utf-8")).values()
    texts = [(name, f"{name}, {kinds}" if kinds else name, meaning) for name, meaning, kinds in rows]
    total = sum(encoder.encode(column) for column in zip(*texts, strict=True))
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), dtype=np.float32)


def kept_class_vectors(path: Path, encoder: TextEncoder) -> Vectors:
    """`class_vectors` from `path`, where they are put once: reading 3000 texts takes half a minute on a slow CPU."""
    try:
        kept = np.load(path)
        if kept.shape == (1000, encoder.dim):
            return np.asarray(kept, dtype=np.float32)
    except (OSError, ValueError, EOFError):  # not there yet, or cut off
        pass
    made = class_vectors(encoder)
    if os.access(path.parent.parent, os.W_OK):
        _put(made, path)
    return made


def _put(vectors: Vectors, path: Path) -> None:
    """Written whole or not at all: other processes may read it at the same time."""
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".npy", delete=False) as file:
        np.save(file, vectors)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
