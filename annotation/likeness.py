"""What words say of pictures, on a scale that is the same for all words and encoders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TO_DEVIATION = 1.4826  # of a normal distribution: standard deviation over median absolute deviation


def likeness(
    vectors: NDArray[np.float32], texts: NDArray[np.float32], background: NDArray[np.float32]
) -> NDArray[np.float64]:
    """How far above the usual each picture is like the text that fits it best, in spreads of the usual, (n,).

    `vectors` (n, d), `texts` (t, d) and `background` (m, d) are unit rows of one space; the background stands for
    pictures of anything at all. Medians, since some of these may well be what is looked for.
    """
    usual = (background @ texts.T).astype(np.float64)
    middle = np.median(usual, axis=0)
    spread = _TO_DEVIATION * np.median(np.abs(usual - middle), axis=0)
    above = ((vectors @ texts.T) - middle) / np.maximum(spread, 1e-6)
    return np.asarray(above.max(axis=1), dtype=np.float64)
