"""Shots in context: what lies before and after belongs to what a shot means, and sight, sound and words together.

Late fusion keeps every modality's own space and joins unit vectors block by block, so that a missing modality is a
block of zeros and the cosine of two shots is the weighted mean of their cosines by modality. Embeddings in context beat
clips alone on every task of Netflix's MediaFM (2026); naive early fusion lost to single modalities there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from featurization.extractor import Vectors
from featurization.media import Segment
from featurization.shot_vectors import unit


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """How much each part of the fused vector counts; squares add up to the weight of a cosine."""

    image: float = 1.0
    neighbours: float = 0.6  # the pictures before and after
    sound: float = 0.5
    words: float = 0.6
    reach: int = 2  # shots before and after that count as neighbours, the nearer the more


def neighbour_mean(vectors: Vectors, reach: int) -> Vectors:
    """Unit mean of the `reach` rows before and after each row, weighted by 1 / distance; zero for a lone row."""
    total = np.zeros_like(vectors)
    for distance in range(1, min(reach, len(vectors) - 1) + 1):
        total[distance:] += vectors[:-distance] / distance
        total[:-distance] += vectors[distance:] / distance
    return unit(total)


def words_in(shots: Sequence[Segment], sentences: Sequence[Segment], vectors: Vectors) -> Vectors:
    """Unit mean of the sentence vectors heard in each shot, weighted by the seconds they share; zero in silence."""
    mean = np.zeros((len(shots), vectors.shape[1]), dtype=np.float32)
    first = 0
    for row, shot in enumerate(shots):
        while first < len(sentences) and sentences[first].end <= shot.start:
            first += 1
        for place in range(first, len(sentences)):
            if sentences[place].start >= shot.end:
                break
            mean[row] += (shot & sentences[place]).duration * vectors[place]
    return unit(mean)


def fuse(image: Vectors, sound: Vectors, words: Vectors, options: ContextOptions) -> Vectors:
    """One unit vector per shot: picture, neighbours, sound and words side by side, (shots, 2 image + sound + words)."""
    blocks = (
        options.image * unit(image),
        options.neighbours * neighbour_mean(unit(image), options.reach),
        options.sound * unit(sound),
        options.words * words,
    )
    return unit(np.concatenate(blocks, axis=1))
