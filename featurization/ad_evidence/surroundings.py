"""How a sentence stands among its neighbours: likeness to what gives itself away nearby, and to the talk around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.cues import CueHit

Matrix = NDArray[np.float32]

REACH = 10  # sentences on each side in which telling phrases say something about a sentence
LOCAL = 25  # sentences on each side that are the talk around it
NAMES = (
    "likeness to telling neighbours",
    "phrases within 2",
    "phrases within 6",
    "likeness to the talk around",
    "phrases",
)


def strengths(hits: Sequence[Sequence[CueHit]]) -> Matrix:
    """Noisy or over the telling phrases of each sentence, (sentence,)."""
    return np.array([1 - np.prod([1 - hit.weight for hit in found]) for found in hits], dtype=np.float32)


def surroundings(vectors: Matrix, strength: Matrix) -> Matrix:
    """Features of each sentence among the others, (sentence, len(NAMES)).

    `vectors` are unit vectors, (sentence, dim); `strength` is that of their telling phrases, (sentence,).
    """
    if not len(vectors):
        return np.zeros((0, len(NAMES)), dtype=np.float32)
    columns = (
        _likeness_to_telling(vectors, strength),
        _strongest(strength, 2),
        _strongest(strength, 6),
        np.einsum("ij,ij->i", vectors, _around(vectors, LOCAL)),
        strength,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _likeness_to_telling(vectors: Matrix, strength: Matrix) -> Matrix:
    """Largest cosine to a neighbour, times the strength of the neighbour's phrases."""
    most = np.zeros(len(vectors), dtype=np.float32)
    for step in range(1, min(REACH, len(vectors) - 1) + 1):
        cosines = np.einsum("ij,ij->i", vectors[:-step], vectors[step:])
        most[:-step] = np.maximum(most[:-step], cosines * strength[step:])
        most[step:] = np.maximum(most[step:], cosines * strength[:-step])
    return most


def _strongest(strength: Matrix, reach: int) -> Matrix:
    """The strongest within `reach` sentences."""
    padded = np.pad(strength, reach)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1))


def _around(vectors: Matrix, reach: int) -> Matrix:
    """Unit mean vectors of windows of `reach` sentences on each side."""
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0, dtype=np.float64)])
    places = np.arange(len(vectors))
    ends, starts = np.minimum(places + reach + 1, len(vectors)), np.maximum(places - reach, 0)
    return _unit((sums[ends] - sums[starts]).astype(np.float32))


def _unit(vectors: Matrix) -> Matrix:
    unit: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
