"""Voices as vectors: the GE2E speaker encoder (Wan et al. 2018) with the weights that Resemblyzer trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from featurization.diarization.local_speakers import VOICE_S, Vectors
from featurization.errors import ModelError
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.torch_threads import one_thread

_WINDOW = round(VOICE_S * PCM_RATE_HZ)
_FFT, _HOP, _MELS, _HIDDEN, _LAYERS = 400, 160, 40, 256, 3
_BATCH = 64
_TARGET_RMS = 10 ** (-30 / 20)  # quieter windows are raised to -30 dBFS, as in training


class SpeakerEncoder:
    """Maps 1.6 s of 16 kHz speech to a unit vector of 256 non-negative numbers; same voice, similar direction."""

    def __init__(self, folder: Path) -> None:
        """Load model.safetensors from `folder`. Raises ModelError if it is not this network."""
        weights = folder / "model.safetensors"
        self._network = _Network()
        try:
            state = load_file(weights)
            known = {key: state[key] for key in self._network.state_dict()}
            self._network.load_state_dict(known)
        except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
            raise ModelError(f"{weights}: not the weights of the speaker encoder; fetch the models again") from error
        self._network.eval()
        self._filters = torch.from_numpy(mel_filters())
        self._taper = torch.hann_window(_FFT)

    def __call__(self, windows: Sequence[Samples]) -> Vectors:
        """Vectors of `windows`, (window, 256); a window shorter than 1.6 s is repeated, a longer one cut."""
        if not windows:
            return np.zeros((0, _HIDDEN), dtype=np.float32)
        batches = [self._embed(windows[at : at + _BATCH]) for at in range(0, len(windows), _BATCH)]
        return np.concatenate(batches)

    def _embed(self, windows: Sequence[Samples]) -> Vectors:
        sound = torch.from_numpy(np.stack([_fit(window) for window in windows]))
        with one_thread():
            return np.asarray(self._network(self._mels(sound)).numpy(), dtype=np.float32)

    def _mels(self, sound: torch.Tensor) -> torch.Tensor:
        """Mel power spectra, (window, frame, mel), frames centred on multiples of 10 ms."""
        spectra = torch.stft(
            sound, _FFT, _HOP, window=self._taper, center=True, pad_mode="constant", return_complex=True
        )
        power = spectra.real**2 + spectra.imag**2
        return torch.matmul(self._filters, power).transpose(1, 2)[:, : _WINDOW // _HOP]


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_MELS, _HIDDEN, _LAYERS, batch_first=True)
        self.linear = nn.Linear(_HIDDEN, _HIDDEN)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(mels)
        raw = torch.relu(self.linear(hidden[-1]))
        return torch.nn.functional.normalize(raw, eps=1e-9)


def _fit(window: Samples) -> Samples:
    if not len(window):
        return np.zeros(_WINDOW, dtype=np.float32)
    fitted = np.resize(window, _WINDOW).astype(np.float32)
    rms = float(np.sqrt(np.mean(np.square(fitted, dtype=np.float64))))
    return fitted * np.float32(_TARGET_RMS / rms) if 0 < rms < _TARGET_RMS else fitted


def mel_filters() -> NDArray[np.float32]:
    """Triangular filters of equal area on Slaney's mel scale over 0..8 kHz, (mel, frequency bin)."""
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(PCM_RATE_HZ / 2), _MELS + 2))
    bins = np.linspace(0.0, PCM_RATE_HZ / 2, _FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None], dtype=np.float32)


# Slaney's Auditory Toolbox: linear to 1 kHz at 200/3 Hz a mel, then logarithmic with 27 mels for a factor of 6.4
_LINEAR_HZ, _KNEE_HZ, _LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    return float(_KNEE_HZ / _LINEAR_HZ + np.log(hz / _KNEE_HZ) / _LOG_STEP) if hz > _KNEE_HZ else hz / _LINEAR_HZ


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / _LINEAR_HZ
    return np.where(mels < knee, mels * _LINEAR_HZ, _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mels, knee) - knee)))
