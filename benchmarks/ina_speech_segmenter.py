"""The peer of sounds: the network of inaSpeechSegmenter 0.6.8 (Doukhan et al. 2018), its own weights in torch.

Written from the package's description of itself: 24 log-mel bands of which it hears 21, patches of 68 frames of 10 ms
every 20 ms, each patch normalised, where the energy is high enough; a Viterbi path over speech, music and noise. One
label at a time, so speech over music is one of both.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import relu

from featurization.media import SoundLabel, SoundSpan
from featurization.models import load_registry
from featurization.pcm import PCM_RATE_HZ, Samples

MODEL = "ina-speech-music-noise"
_FILE = "keras_speech_music_noise_cnn.hdf5"
_LABELS: tuple[SoundLabel, ...] = ("speech", "music", "noise")
_PATCH, _HEARD = 68, 21
_STEP_S = 0.02
_STAY_LABEL, _STAY_ENERGY = 80 * np.log(10), 150 * np.log(10)  # costs of a change on the Viterbi path
_QUIET, _ENERGY_RATIO, _ENERGY_COST = 1e-10, 0.03, 5.0
_BATCH = 512
Array = NDArray[np.float64]


class InaNetwork(nn.Module):
    """Patches (batch, 1, 68, 21) to probabilities of speech, music and noise."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        import h5py

        with h5py.File(weights) as file:
            stored = {
                f"{layer}/{name.partition(':')[0]}": torch.from_numpy(np.asarray(value))
                for layer, group in file["model_weights"].items()
                for name, value in group.get(layer, {}).items()
            }
        self._convolutions = [_convolution(stored, 12 + k, 15 + k) for k in range(4)]
        self._dense = [_dense(stored, 6 + k, 19 + k) for k in range(4)]
        self._last = stored["dense_10/kernel"], stored["dense_10/bias"]

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        pools = (nn.MaxPool2d((4, 2), ceil_mode=True), None, nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d((4, 1)))
        state = patches
        for (kernel, bias), pool in zip(self._convolutions, pools, strict=True):
            state = relu(nn.functional.conv2d(state, kernel, bias))
            state = pool(state) if pool else state
        state = state.permute(0, 2, 3, 1).flatten(1)  # as the weights were trained: bands last
        for kernel, bias in self._dense:
            state = relu(state @ kernel + bias)
        return torch.softmax(state @ self._last[0] + self._last[1], dim=1)


def _norm(stored: dict[str, torch.Tensor], number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift of a batch normalisation."""
    gamma, beta, mean, variance = (
        stored[f"batch_normalization_{number}/{name}"] for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / torch.sqrt(variance + 1e-3)
    return scale, beta - mean * scale


def _convolution(stored: dict[str, torch.Tensor], number: int, norm: int) -> tuple[torch.Tensor, torch.Tensor]:
    scale, shift = _norm(stored, norm)
    kernel, bias = stored[f"conv2d_{number}/kernel"], stored[f"conv2d_{number}/bias"]
    return (kernel * scale).permute(3, 2, 0, 1).contiguous(), bias * scale + shift


def _dense(stored: dict[str, torch.Tensor], number: int, norm: int) -> tuple[torch.Tensor, torch.Tensor]:
    scale, shift = _norm(stored, norm)
    return stored[f"dense_{number}/kernel"] * scale, stored[f"dense_{number}/bias"] * scale + shift


@cache
def load_ina() -> InaNetwork:
    """The network with its weights; ModelError if they were not fetched."""
    return InaNetwork(load_registry().locate(MODEL) / _FILE).eval()


def ina_sounds(samples: Samples) -> list[SoundSpan]:
    """What it hears in 16 kHz samples: speech, music or noise where there is energy, silence elsewhere."""
    mels, energy = _features(samples)
    if not len(mels):
        return []
    loud = _energetic(energy)[::2]
    patches = _patches(mels[:, :_HEARD])[: len(loud)]
    finite = np.isfinite(patches).all(axis=(1, 2))
    path = np.full(len(loud), len(_LABELS))
    for first, last in _runs(loud[: len(patches)]):
        held = _probabilities(np.nan_to_num(patches[first:last]))
        held[~finite[first:last]] = 0.5
        path[first:last] = _viterbi(np.log(held + 1e-30), _STAY_LABEL)
    names = (*_LABELS, "silence")
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return [SoundSpan(a * _STEP_S, b * _STEP_S, names[path[a]]) for a, b in pairwise(edges) if b > a]


@torch.inference_mode()
def _probabilities(patches: NDArray[np.float32]) -> Array:
    parts = torch.from_numpy(patches[:, None].astype(np.float32)).split(_BATCH)
    return torch.cat([load_ina()(part) for part in parts]).numpy().astype(np.float64)


def _features(samples: Samples) -> tuple[Array, Array]:
    """24 log-mel bands and log energy of frames of 25 ms every 10 ms; pre-emphasis within the frame."""
    if len(samples) < 400:
        return np.zeros((0, 24)), np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160].astype(np.float64)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    with np.errstate(divide="ignore"):
        energy = np.log(np.square(frames).sum(axis=1))
        power = np.square(np.abs(np.fft.rfft(frames * np.hanning(400), 512, axis=1)))
        mels = np.log(power @ _filters())
    if len(mels) < _PATCH:
        mels = np.concatenate([mels, np.full((_PATCH - len(mels), 24), mels.min())])
    return mels, energy


@cache
def _filters() -> Array:
    """Triangles of unit area from 100 to 8000 Hz, (bins, 24)."""
    edges = 700 * (10 ** (np.linspace(*(2595 * np.log10(1 + hz / 700) for hz in (100, 8000)), 26) / 2595) - 1)
    bins = np.arange(257) * PCM_RATE_HZ / 512
    rising = (bins[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[None, 2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])


def _patches(mels: Array) -> NDArray[np.float32]:
    """Normalised patches every second frame, the first and last repeated so that each 20 ms has one."""
    windows = np.lib.stride_tricks.sliding_window_view(mels, _PATCH, axis=0)[::2].transpose(0, 2, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, spread = (of(windows, axis=(1, 2), keepdims=True) for of in (np.mean, np.std))
        normal = ((windows - mean) / spread).astype(np.float32)
    before, after = _PATCH // 4, _PATCH // 4 - 1 + len(mels) % 2
    return np.concatenate([np.repeat(normal[:1], before, 0), normal, np.repeat(normal[-1:], after, 0)])


def _energetic(energy: Array) -> NDArray[np.bool_]:
    finite = energy[np.isfinite(energy)]
    if not len(finite):
        return np.zeros(len(energy), dtype=bool)
    raw = energy > finite.mean() + np.log(_ENERGY_RATIO)
    emission = np.log(np.where(np.stack([~raw, raw], axis=1), 1 - _QUIET, _QUIET))
    return _viterbi(emission, _STAY_ENERGY, stay=(-_ENERGY_COST, 0.0)) == 1


def _viterbi(emission: Array, change: float, stay: tuple[float, ...] = ()) -> NDArray[np.int64]:
    """The best path through log probabilities (time, states), where a change of state costs."""
    states = emission.shape[1]
    cost = np.full((states, states), -change)
    np.fill_diagonal(cost, stay or 0.0)
    best, came = emission[0].copy(), np.zeros(emission.shape, dtype=np.int64)
    for time in range(1, len(emission)):
        reached = best[:, None] + cost
        came[time] = reached.argmax(axis=0)
        best = reached.max(axis=0) + emission[time]
    path = np.zeros(len(emission), dtype=np.int64)
    path[-1] = best.argmax()
    for time in range(len(emission) - 1, 0, -1):
        path[time - 1] = came[time, path[time]]
    return path


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1))).reshape(-1, 2)
    return [(int(first), int(last)) for first, last in edges]
