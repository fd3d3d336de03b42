"""Pictures of nothing in particular, for encoders that come with no sample of the world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurization.extractor import Image

COUNT = 64
_SIDE = 224


def backdrop() -> tuple[Image, ...]:
    """Made pictures, always the same: their spectra fall off as those of photographs do, their colours vary."""
    generator = np.random.default_rng(0)
    return tuple(_picture(generator) for _ in range(COUNT))


def _picture(generator: np.random.Generator) -> Image:
    steepness = generator.uniform(0.8, 1.8)  # amplitude falls with frequency to this power; photographs lie near 1.2
    layers = np.stack([_clouds(generator, steepness) for _ in range(3)], axis=-1)
    mixing = 0.6 * np.ones((3, 3)) / 3 + 0.4 * generator.dirichlet(np.ones(3), size=3)  # colours mostly agree
    light = generator.uniform(60, 190) + generator.uniform(-60, 60) * np.linspace(-1, 1, _SIDE)[:, None, None]
    tint = generator.normal(0, 20, 3)
    return np.clip(light + tint + generator.uniform(15, 60) * (layers @ mixing.T), 0, 255).astype(np.uint8)


def _clouds(generator: np.random.Generator, steepness: float) -> NDArray[np.float64]:
    """Noise of unit deviation, (side, side)."""
    frequencies = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :])
    frequencies[0, 0] = np.inf
    spectrum = np.fft.rfft2(generator.normal(size=(_SIDE, _SIDE))) / frequencies**steepness
    clouds = np.fft.irfft2(spectrum, s=(_SIDE, _SIDE))
    return np.asarray(clouds / clouds.std())
