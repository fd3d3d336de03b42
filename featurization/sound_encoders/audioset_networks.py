"""YAMNet and VGGish for inference, with the layer names of the checkpoints that torch-vggish-yamnet loads.

Both take log-mel patches (patch, 1, 96, 64). The package itself cannot be imported without torchaudio.
"""

from __future__ import annotations

import torch
from torch import nn

# of YAMNet's layers after the first: stride, channels out
_SEPARABLE = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *((1, 512),) * 5, (2, 1024), (1, 1024))
_VGG = (64, 0, 128, 0, 256, 256, 0, 512, 512, 0)  # channels out; 0: halve by maxima


class YamNet(nn.Module):
    """MobileNet v1 over sound, up to its 1024 pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.ModuleDict({"fused": _Normed(1, 32, kernel=3, stride=2)})
        channels = 32
        for number, (stride, outputs) in enumerate(_SEPARABLE, start=2):
            parts = {
                "depthwise_conv": _Normed(channels, channels, kernel=3, stride=stride, groups=channels),
                "pointwise_conv": _Normed(channels, outputs, kernel=1),
            }
            self.add_module(f"layer{number}", nn.ModuleDict(parts))
            channels = outputs
        self.classifier = nn.Linear(channels, 521)  # not asked; it is in the checkpoint

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        for name, layer in self.named_children():
            if name != "classifier":
                for part in layer.children():
                    patches = part(patches)
        return patches.mean(dim=(2, 3))


class VggIsh(nn.Module):
    """A VGG over sound, up to its 128 features before quantisation."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for outputs in _VGG:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()] if outputs else [nn.MaxPool2d(2)]
            channels = outputs or channels
        self.features = nn.Sequential(*layers)
        wide = (nn.Linear(512 * 4 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU())
        self.embeddings = nn.Sequential(*wide, nn.Linear(4096, 128), nn.ReLU())

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        seen = self.features(patches).permute(0, 2, 3, 1)  # channels last, as where it was trained
        embedded: torch.Tensor = self.embeddings(seen.flatten(1))
        return embedded


class _Normed(nn.Module):
    """Convolution padded as TensorFlow's SAME does, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-4)
        self._widen = nn.ZeroPad2d((0, 1, 0, 1)) if stride > 1 else nn.Identity()  # sides are even where strides are 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.bn(self.conv(self._widen(x))))
