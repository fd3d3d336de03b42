"""PyanNet (Bredin & Laurent 2021): who of up to three local speakers talks, 59 times a second.

SincNet (Ravanelli & Bengio 2018) hears the raw wave, four LSTM layers read it both ways. The weights are those of
pyannote/segmentation; the layers carry the names that they have there.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from featurization.errors import ModelError
from featurization.pcm import PCM_RATE_HZ

_SINC, _TAPS, _STRIDE, _POOL = 80, 251, 10, 3  # filters, their length, samples between outputs, outputs joined to one
_LEAST_HZ = 50.0  # of a filter's lower edge, and of its width
_HIDDEN, _LAYERS, _LINEAR, _LOCAL = 128, 4, 128, 3


class SegmentationNetwork(nn.Module):
    """(window, samples) of 16 kHz sound → probabilities (window, frame, local speaker)."""

    def __init__(self) -> None:
        super().__init__()
        self.sincnet = _SincNet()
        self.lstm = nn.LSTM(60, _HIDDEN, _LAYERS, batch_first=True, bidirectional=True)
        self.linear = nn.ModuleList([nn.Linear(2 * _HIDDEN, _LINEAR), nn.Linear(_LINEAR, _LINEAR)])
        self.classifier = nn.Linear(_LINEAR, _LOCAL)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.lstm(self.sincnet(sound[:, None]).transpose(1, 2))
        for layer in self.linear:
            hidden = nn.functional.leaky_relu(layer(hidden))
        probabilities: torch.Tensor = torch.sigmoid(self.classifier(hidden))
        return probabilities


class _SincNet(nn.Module):
    """(window, 1, samples) → (window, 60, frame)."""

    def __init__(self) -> None:
        super().__init__()
        self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
        self.conv1d = nn.ModuleList([_SincFilters(), nn.Conv1d(_SINC, 60, 5), nn.Conv1d(60, 60, 5)])
        self.norm1d = nn.ModuleList(nn.InstanceNorm1d(size, affine=True) for size in (_SINC, 60, 60))

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.wav_norm1d(sound)
        for place, (filters, norm) in enumerate(zip(self.conv1d, self.norm1d, strict=True)):
            filtered: torch.Tensor = filters(hidden)
            pooled = nn.functional.max_pool1d(filtered if place else filtered.abs(), _POOL)
            hidden = nn.functional.leaky_relu(norm(pooled))
        return hidden


class _SincFilters(nn.Module):
    """Band passes given by their edges alone: 40 even ones, then 40 odd ones over the same bands."""

    def __init__(self) -> None:
        super().__init__()
        self.filterbank = nn.ParameterDict(
            {
                "low_hz_": torch.zeros(_SINC // 2, 1),
                "band_hz_": torch.zeros(_SINC // 2, 1),
                "window_": torch.zeros(_TAPS // 2),
                "n_": torch.zeros(1, _TAPS // 2),
            }
        )

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv1d(sound, self._filters(), stride=_STRIDE)

    def _filters(self) -> torch.Tensor:
        """(filter, 1, tap): differences of two sincs, tapered; the left half is computed, the right mirrors it."""
        bank = self.filterbank
        low = _LEAST_HZ + bank["low_hz_"].abs()
        high = (low + _LEAST_HZ + bank["band_hz_"].abs()).clamp(_LEAST_HZ, PCM_RATE_HZ / 2)
        times, taper, width = bank["n_"] / 2, bank["window_"], high - low
        even = ((high @ bank["n_"]).sin() - (low @ bank["n_"]).sin()) / times * taper
        odd = ((low @ bank["n_"]).cos() - (high @ bank["n_"]).cos()) / times * taper
        both = [
            torch.cat([even, 2 * width, even.flip(1)], dim=1),
            torch.cat([odd, torch.zeros_like(width), -odd.flip(1)], dim=1),
        ]
        return torch.cat([half / (2 * width) for half in both])[:, None]


def load_network(folder: Path) -> SegmentationNetwork:
    """The network with the weights of `folder/model.safetensors`. Raises ModelError if they are another network's."""
    weights, network = folder / "model.safetensors", SegmentationNetwork()
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelError(f"{weights}: not the weights of pyannote/segmentation; fetch the models again") from error
    return network.eval()
