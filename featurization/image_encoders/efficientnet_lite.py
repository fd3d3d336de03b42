"""EfficientNet-Lite0 (Tan and Le, 2019; the Lite variant has ReLU6 and no squeeze-and-excitation), for inference only.

Batch normalisation is folded into the convolutions, so a layer is one convolution and a clamp.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from featurization.errors import ModelError

SIDE = 224  # pixels, the resolution it was trained at
CLASSES = 1000
FEATURES = 1280
_STEM = 32
_EPSILON = 1e-3  # of batch normalisation, as in training
# repeats, kernel, stride, expansion, channels out: EfficientNet-B0's stages
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
State = Mapping[str, torch.Tensor]


class EfficientNetLite0(nn.Module):
    """Pictures (batch, 3, 224, 224) in [-1, 1] → pooled features (batch, 1280) and logits of the ImageNet classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, _STEM, kernel=3, stride=2)
        self.blocks = nn.Sequential(*_blocks())
        self.head = _Conv(_STAGES[-1][-1], FEATURES)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.head(self.blocks(self.stem(pictures))).mean(dim=(2, 3))
        return features, self.classifier(features)


class _Conv(nn.Module):
    """A convolution padded as TensorFlow's SAME does, that is more at the end than at the start; then ReLU6."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, groups: int = 1, clamp: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)
        total = kernel - stride if kernel > 1 else 0  # every side it meets is a multiple of the stride
        self.pad = nn.ZeroPad2d((total // 2, total - total // 2) * 2) if stride > 1 else nn.Identity()
        if stride == 1:
            self.conv.padding = (total // 2, total // 2)
        self.clamp = nn.ReLU6(inplace=True) if clamp else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.clamp(self.conv(self.pad(x)))
        return y


class _Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow; what came in is added where the shape allows."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide) if expansion > 1 else nn.Identity()
        self.depthwise = _Conv(wide, wide, kernel=kernel, stride=stride, groups=wide)
        self.project = _Conv(wide, outputs, clamp=False)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


def _blocks() -> list[_Block]:
    blocks, inputs = [], _STEM
    for repeats, kernel, stride, expansion, outputs in _STAGES:
        for number in range(repeats):
            step = stride if number == 0 else 1
            blocks.append(_Block(inputs, outputs, kernel=kernel, stride=step, expansion=expansion))
            inputs = outputs
    return blocks


def load_efficientnet(folder: Path) -> EfficientNetLite0:
    """The network with the weights in `folder`/model.safetensors; ModelError if they are not its weights."""
    path = folder / "model.safetensors"
    network = EfficientNetLite0()
    try:
        network.load_state_dict(folded(load_file(path)))
    except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelError(f"{path}: not the weights of EfficientNet-Lite0; fetch the models again") from error
    return network.eval()


def folded(state: State) -> dict[str, torch.Tensor]:
    """The state of `EfficientNetLite0` from that of efficientnet_lite_pytorch, whose layers have normalisations."""
    done = _fold(state, "_conv_stem", "_bn0", "stem") | _fold(state, "_conv_head", "_bn1", "head")
    for number, block in enumerate(_blocks()):
        source, target = f"_blocks.{number}.", f"blocks.{number}."
        if isinstance(block.expand, _Conv):
            done |= _fold(state, f"{source}_expand_conv", f"{source}_bn0", f"{target}expand")
        done |= _fold(state, f"{source}_depthwise_conv", f"{source}_bn1", f"{target}depthwise")
        done |= _fold(state, f"{source}_project_conv", f"{source}_bn2", f"{target}project")
    return done | {"classifier.weight": state["_fc.weight"], "classifier.bias": state["_fc.bias"]}


def _fold(state: State, conv: str, norm: str, target: str) -> dict[str, torch.Tensor]:
    scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _EPSILON)
    return {
        f"{target}.conv.weight": state[f"{conv}.weight"] * scale[:, None, None, None],
        f"{target}.conv.bias": state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale,
    }
