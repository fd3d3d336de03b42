"""A package of somebody else: the dominant colour of each shot. Knows rushes only by the extractor protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from featurization.extractor import Findings, Image, ShotView, Vectors
from featurization.media import Segment

NAMES = ("red", "green", "blue")


@dataclass(frozen=True, slots=True)
class Colour(Segment):
    """The colour of a shot."""

    label: str
    confidence: float
    share: float  # of the light


class DominantColour:
    """Red, green or blue, by the mean of the keyframes."""

    name, version, licence = "dominant-colour", "1", "MIT"
    inputs = frozenset({"keyframes"})
    options = None
    row = Colour
    space = "rgb@1"

    def extract(self, shots: Sequence[ShotView]) -> Findings:
        vectors = [self.encode_images(view.keyframes).mean(axis=0) for view in shots]
        return Findings(
            rows=tuple(_colour(view, vector) for view, vector in zip(shots, vectors, strict=True)),
            vectors=np.array(vectors, dtype=np.float32).reshape(len(shots), 3),
        )

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        means = np.array([image.reshape(-1, 3).mean(axis=0) + 1 for image in images], dtype=np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        return np.eye(3, dtype=np.float32)[[NAMES.index(text) for text in texts]]


def _colour(view: ShotView, vector: np.ndarray) -> Colour:
    best = int(vector.argmax())
    share = float(vector[best] / vector.sum())
    return Colour(view.shot.start, view.shot.end, label=NAMES[best], confidence=share, share=share)
