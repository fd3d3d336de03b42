"""The classes of ImageNet as vectors of a text encoder: what a class is called, of what kind it is, what it means.

Of the ways tried, the mean of these three told pictures apart best; names alone leave "vehicle" or "fruit" unfound.
Reading the 3000 texts takes a minute, so the vectors that the pinned encoder gives lie beside this file.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from functools import cache
from pathlib import Path

import numpy as np

from featurization.extractor import Vectors
from featurization.text import TextEncoder

CLASSES = Path(__file__).with_name("imagenet_classes.toml")
VECTORS = Path(__file__).with_name("imagenet_class_vectors.toml")
_STEPS = 400  # eight bits a number hold all of -.32 to .32; a class vector turns by less than a degree


@cache
def classes_digest() -> str:
    """12 hex digits that stand for the classes and all that is said of them."""
    return hashlib.sha256(CLASSES.read_bytes()).hexdigest()[:12]


def class_vectors(encoder: TextEncoder, *, identity: str) -> Vectors:
    """Unit rows, (1000, dim), in the order of the network's outputs; read anew unless they are kept for `identity`."""
    kept = tomllib.loads(VECTORS.read_text(encoding="utf-8"))
    if (kept["encoder"], kept["classes"]) != (identity, classes_digest()):
        return read_classes(encoder)
    rows = [np.frombuffer(base64.b64decode(row), dtype=np.int8) for row in kept["vectors"].values()]
    return _unit(np.stack(rows).astype(np.float32))


def read_classes(encoder: TextEncoder, first: int = 0, last: int = 1000) -> Vectors:
    """Unit rows of classes [first, last)."""
    rows = list(_described().values())[first:last]
    texts = [(name, f"{name}, {kinds}" if kinds else name, meaning) for name, meaning, kinds in rows]
    return _unit(sum((encoder.encode(column) for column in zip(*texts, strict=True)), np.zeros((), np.float32)))


def keep_class_vectors(encoder: TextEncoder, *, identity: str) -> None:
    """Write the file of kept vectors: to be done once when the classes or the pinned text encoder change."""
    numbers = np.rint(read_classes(encoder) * _STEPS).astype(np.int8)
    lines = [f'encoder = "{identity}"', f'classes = "{classes_digest()}"', "", "[vectors]"]
    lines += [
        f'{synset} = "{base64.b64encode(row.tobytes()).decode()}"'
        for synset, row in zip(_described(), numbers, strict=True)
    ]
    head = "# Made from imagenet_classes.toml by class_vectors.keep_class_vectors: signed bytes, base64.\n"
    VECTORS.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def _described() -> dict[str, list[str]]:
    return tomllib.loads(CLASSES.read_text(encoding="utf-8"))


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
