"""TransNetV2 (Souček & Lokoč 2020, arXiv:2008.04838), for inference only.

Its 3D convolutions are separable: a 3×3 convolution within each frame, then a dilated one over three frames. They are
computed as that, with batch normalisation folded in, on one sequence of any length: nothing is computed twice, as it
is where windows overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

_DILATIONS = (1, 2, 4, 8)
_STACKS = 3
_BLOCKS = 2
_NEIGHBOURS = 50  # frames that similarities look at, to either side
_BATCH_NORM_EPSILON = 1e-3
Weights = Mapping[str, Tensor]


class _DilatedBlock:
    """Four separable convolutions over time, side by side, that see ever farther."""

    def __init__(self, weights: Weights, name: str) -> None:
        scale = weights[f"{name}.bn.weight"] / torch.sqrt(weights[f"{name}.bn.running_var"] + _BATCH_NORM_EPSILON)
        bias = weights[f"{name}.bn.bias"] - weights[f"{name}.bn.running_mean"] * scale
        self._branches = [
            _Branch(weights, f"{name}.Conv3D_{dilation}.layers", dilation, scale=part, bias=offset)
            for dilation, part, offset in zip(_DILATIONS, scale.chunk(4), bias.chunk(4), strict=True)
        ]

    def __call__(self, frames: Tensor) -> Tensor:
        """(time, in, height, width) → (time, out, height, width)."""
        time, _, height, width = frames.shape
        seen = torch.cat([branch(frames) for branch in self._branches], dim=1)
        return seen.permute(0, 2, 3, 1).reshape(time, height, width, -1).permute(0, 3, 1, 2)


class _Branch:
    """A convolution within each frame, then one over three frames that lie `dilation` apart."""

    def __init__(self, weights: Weights, name: str, dilation: int, *, scale: Tensor, bias: Tensor) -> None:
        self._spatial = weights[f"{name}.0.weight"][:, :, 0].contiguous(memory_format=torch.channels_last)
        temporal = weights[f"{name}.1.weight"][:, :, :, 0] * scale.view(-1, 1, 1, 1)
        self._temporal = temporal.contiguous(memory_format=torch.channels_last)
        self._bias, self._dilation = bias, dilation

    def __call__(self, frames: Tensor) -> Tensor:
        """(time, in, height, width) → (1, out, time, height × width)."""
        spatial = functional.conv2d(frames, self._spatial, padding=1)
        film = spatial.permute(0, 2, 3, 1).flatten(1, 2).unsqueeze(0).permute(0, 3, 1, 2)
        step = self._dilation
        return functional.conv2d(film, self._temporal, self._bias, padding=(step, 0), dilation=(step, 1))


class _Stack:
    """Two dilated blocks with a shortcut around the second, then half the width and height."""

    def __init__(self, weights: Weights, name: str) -> None:
        self._first, self._second = (_DilatedBlock(weights, f"{name}.DDCNN.{block}") for block in range(_BLOCKS))

    def __call__(self, frames: Tensor) -> Tensor:
        first = functional.relu(self._first(frames))
        return functional.avg_pool2d(functional.relu(self._second(first)).add_(first), 2)


class TransNetV2:
    """The network with its two heads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._stacks = [_Stack(weights, f"SDDCNN.{stack}") for stack in range(_STACKS)]
        self._heads = torch.cat([weights["cls_layer1.weight"], weights["cls_layer2.weight"]])
        self._heads_bias = torch.cat([weights["cls_layer1.bias"], weights["cls_layer2.bias"]])

    @torch.inference_mode()
    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities, (time, 2), for frames as (time, 27, 48, 3) RGB.

        The first column says that the frame is the middle of a transition (for a cut: the last of the old shot), the
        second that it belongs to one. Time is padded with zeros at both ends, so give about 25 frames of context.
        """
        given = torch.from_numpy(np.ascontiguousarray(frames))
        features = [given.permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)]
        for stack in self._stacks:
            features.append(stack(features[-1]))
        seen = features[-1].permute(0, 2, 3, 1).flatten(1)
        joined = torch.cat([self._colours(given), self._look(features[1:]), seen], dim=1)
        hidden = functional.relu(self._linear("fc1", joined))
        return torch.sigmoid(functional.linear(hidden, self._heads, self._heads_bias)).numpy()

    def _linear(self, name: str, values: Tensor) -> Tensor:
        return functional.linear(values, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _look(self, features: list[Tensor]) -> Tensor:
        """How much each frame looks like those around it, by what the stacks saw."""
        means = torch.cat([feature.mean(dim=(2, 3)) for feature in features], dim=1)
        return self._neighbourhood("frame_sim_layer", self._linear("frame_sim_layer.projection", means))

    def _colours(self, frames: Tensor) -> Tensor:
        """How much each frame's colours are those of the frames around it, by histograms of 8 × 8 × 8 colours."""
        red, green, blue = (frames.flatten(1, 2) >> 5).int().unbind(dim=2)
        bins = ((red << 6) + (green << 3) + blue).long()
        histograms = torch.zeros(len(frames), 512).scatter_add_(1, bins, torch.ones(bins.shape))
        return self._neighbourhood("color_hist_layer", histograms)

    def _neighbourhood(self, name: str, vectors: Tensor) -> Tensor:
        units = functional.normalize(vectors, dim=1)
        padded = functional.pad(units @ units.T, (_NEIGHBOURS, _NEIGHBOURS))
        rows = torch.arange(len(units)).unsqueeze(1)
        around = padded[rows, rows + torch.arange(2 * _NEIGHBOURS + 1)]
        return functional.relu(self._linear(f"{name}.fc", around))


def load_transnetv2(folder: Path) -> TransNetV2:
    """The network with the weights that the registry keeps in `folder`."""
    from safetensors.torch import load_file

    return TransNetV2(load_file(folder / "model.safetensors"))
