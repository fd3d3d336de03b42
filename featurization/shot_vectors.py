"""Our own extractors of vectors: how each shot looks and sounds. They join like any other (`extractor.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise

import numpy as np

from featurization.extractor import Findings, Image, Input, ShotView, Vectors
from featurization.pcm import Samples
from featurization.sound_vectors import SoundEncoder
from featurization.vision import ImageEncoder

IMAGE, SOUND = "image", "sound"
_BATCH = 256  # keyframes in memory at a time


class ImageExtractor:
    """Each shot as the unit mean of its keyframes' vectors; the encoder's features ride along for few-shot heads."""

    name, version, licence = IMAGE, "1", "Apache-2.0"
    inputs: frozenset[Input] = frozenset({"keyframes"})
    row = None

    def __init__(self, encoder: ImageEncoder) -> None:
        self.encoder, self.space, self.options = encoder, encoder.space, None

    def extract(self, shots: Sequence[ShotView]) -> Findings:
        """Encode all keyframes, some hundred at a time."""
        encoded = [self._encode(shots[first : first + _BATCH]) for first in range(0, len(shots), _BATCH)]
        if not encoded:
            return Findings(vectors=np.zeros((0, self.encoder.dim), dtype=np.float32))
        vectors, features = (np.concatenate(part) for part in zip(*encoded, strict=True))
        return Findings(vectors=unit(vectors), features=features)

    def _encode(self, shots: Sequence[ShotView]) -> tuple[Vectors, Vectors]:
        images = [view.keyframes for view in shots]
        edges = [0, *accumulate(map(len, images))]
        vectors, features = self.encoder.encode_with_features(list(chain.from_iterable(images)))
        means = [_means(rows, edges) for rows in (vectors, features)]
        return means[0], means[1]

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        return self.encoder.encode_text(texts)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self.encoder.encode_images(images)


class SoundExtractor:
    """Each shot's sound as a vector."""

    name, version, licence = SOUND, "1", "Apache-2.0"
    inputs: frozenset[Input] = frozenset({"sound"})
    row = None

    def __init__(self, encoder: SoundEncoder) -> None:
        self.encoder, self.space, self.options = encoder, encoder.space, None

    def extract(self, shots: Sequence[ShotView]) -> Findings:
        """Encode the whole track once, and pool over each shot."""
        if not shots:
            return Findings(vectors=np.zeros((0, self.encoder.dim), dtype=np.float32))
        return Findings(vectors=self.encoder.encode_track(shots[0].hear, [view.shot.span for view in shots]))

    def encode_sounds(self, sounds: Sequence[Samples]) -> Vectors:
        return self.encoder.encode_sounds(sounds)


def unit(rows: Vectors) -> Vectors:
    """Rows scaled to length 1; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0), dtype=np.float32)


def _means(rows: Vectors, edges: Sequence[int]) -> Vectors:
    """Mean of rows [a, b) for each pair of neighbouring edges; zero where there is none."""
    zero = np.zeros(rows.shape[1], dtype=np.float32)
    return np.stack([rows[a:b].mean(axis=0) if b > a else zero for a, b in pairwise(edges)])
