"""Scenes: runs of shots that come back to the same pictures, by overlapping links.

Reference: Hanjalic, Lagendijk and Biemond, "Automated high-level movie segmentation for advanced video-retrieval
systems", IEEE CSVT 9(4), 1999. Two shots a few apart that look alike link everything between them; where no link spans
a boundary, a scene ends. What counts as alike is judged against how alike the title's shots are anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.extractor import Vectors
from featurization.media import Scene, Shot

_FEWEST = 3  # shots below which a title is one scene
_SPREAD = 1e-3  # cosines that differ by less than this do not differ


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """How far a link reaches and how alike its ends must be."""

    reach: int = 6  # shots ahead that a link may go
    reach_s: float = 90.0  # and seconds
    deviations: float = 0.75  # standard deviations above the title's mean cosine from which two shots are alike
    least_cosine: float = 0.5  # below it nothing is alike, however varied the title
    same_cosine: float = 0.95  # above it two shots are alike, however uniform the title


def find_scenes(shots: Sequence[Shot], vectors: Vectors, options: SceneOptions = SceneOptions()) -> tuple[Scene, ...]:
    """Scenes that partition the shots, in order; `vectors` are unit rows, one per shot."""
    ends = _ends(shots, vectors @ vectors.T, options) if shots else []
    return tuple(
        Scene(shots[first].start, shots[last - 1].end, first, last)
        for first, last in zip([0, *ends], ends, strict=False)
    )


def _ends(shots: Sequence[Shot], cosines: NDArray[np.float32], options: SceneOptions) -> list[int]:
    """Indices behind the last shot of each scene."""
    if len(shots) < _FEWEST:
        return [len(shots)]
    alike = _threshold(cosines, options)
    ends, reached = [], 0
    for first in range(len(shots)):
        if first > reached:
            ends.append(first)
            reached = first
        for second in range(first + 1, min(first + options.reach, len(shots) - 1) + 1):
            if shots[second].start - shots[first].end <= options.reach_s and cosines[first, second] >= alike:
                reached = max(reached, second)
    return [*ends, len(shots)]


def _threshold(cosines: NDArray[np.float32], options: SceneOptions) -> float:
    pairs = cosines[np.triu_indices(len(cosines), k=1)]
    spread = float(pairs.std())
    if spread < _SPREAD:
        return options.same_cosine
    relative = float(pairs.mean()) + options.deviations * spread
    return min(max(relative, options.least_cosine), options.same_cosine)
