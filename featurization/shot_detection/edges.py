"""How alike two small pictures are in their edges: what neither the light nor a small movement takes away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SHIFT = (3, 5)  # rows and columns that the picture may move between two frames and still be known


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of two pictures' edges where they fit best, -1 to 1; 0 if one of them has none."""
    import cv2

    rows, columns = _SHIFT
    template = _edges(other)[rows:-rows, columns:-columns]
    if not template.any():
        return 0.0
    fits = cv2.matchTemplate(_edges(one), np.ascontiguousarray(template), cv2.TM_CCORR_NORMED)
    return float(np.nan_to_num(fits, posinf=0.0, neginf=0.0).max())


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How brightness changes across and down, (height, width, 2)."""
    down, across = np.gradient(picture.mean(axis=2, dtype=np.float32))
    return np.stack([across, down], axis=2)
