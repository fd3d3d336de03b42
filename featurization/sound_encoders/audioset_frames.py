"""YAMNet and VGGish (Hershey et al., 2017) with the checkpoints of torch-vggish-yamnet, which a user brings."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.errors import ModelError
from featurization.model_files import sha256_of
from featurization.models import Registry
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.sound_vectors import Frames, SoundVectorOptions

_FFT, _WINDOW, _HOP, _MELS = 512, 400, 160, 64
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_PATCH = 96  # frames of 10 ms that the networks look at together
_FLOORS = {"yamnet": 0.001, "vggish": 0.01}  # added before the logarithm, each as in its training
_RELEASES = {
    "yamnet": "https://github.com/w-hc/torch_audioset/releases/download/v0.1/yamnet.pth",
    "vggish": "https://github.com/w-hc/vggish/releases/download/v0.1/vggish_orig.pth",
}


class AudioSetFrames:
    """One frame per .96 s: 1024 numbers of YAMNet, or 128 of VGGish."""

    def __init__(self, options: SoundVectorOptions, registry: Registry) -> None:
        """ModelError, with the way out, if the weights are not here."""
        self._options, self._name = options, options.encoder
        address = _RELEASES[self._name]
        self._weights = registry.folder / self._name / Path(address).name
        if not self._weights.is_file():
            raise ModelError(f"sound encoder {self._name} needs its weights; put {address} at {self._weights}")
        self.identity = f"{self._name}@{sha256_of(self._weights)[:12]}"

    def frames(self, samples: Samples) -> Frames:
        """One row per patch; a sound shorter than a patch is followed by silence."""
        import torch

        floor = _FLOORS[self._name]
        mels = _log_mels(samples, self._filters, floor)
        whole = max(1, len(mels) // _PATCH) * _PATCH
        padded = np.pad(mels, ((0, max(0, whole - len(mels))), (0, 0)), constant_values=np.log(floor))[:whole]
        patches = torch.from_numpy(padded.reshape(-1, 1, _PATCH, _MELS)).to(self._device)
        with torch.inference_mode():
            return np.asarray(self._network(patches).cpu().numpy(), dtype=np.float32)

    @cached_property
    def _filters(self) -> NDArray[np.float32]:
        return mel_filters()

    @cached_property
    def _device(self) -> str:
        import torch

        if self._options.device != "auto":
            return self._options.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def _network(self) -> Any:
        import torch

        from featurization.sound_encoders.audioset_networks import VggIsh, YamNet

        network = YamNet() if self._name == "yamnet" else VggIsh()
        try:
            network.load_state_dict(torch.load(self._weights, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, ValueError, AttributeError, EOFError, UnpicklingError) as error:
            raise ModelError(
                f"{self._weights}: not the weights of {self._name}; download {_RELEASES[self._name]} again"
            ) from error
        return network.eval().to(self._device)


def _log_mels(samples: Samples, filters: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Logarithms of mel magnitudes, (frame, 64), frames centred on multiples of 10 ms."""
    import torch

    shortest = _PATCH * _HOP  # also what the reflection at the edges needs
    sound = torch.from_numpy(np.pad(samples.astype(np.float32), (0, max(0, shortest - len(samples)))))
    taper = torch.hann_window(_WINDOW)
    spectra = torch.stft(sound, _FFT, _HOP, _WINDOW, window=taper, center=True, return_complex=True).abs()
    return np.asarray(np.log(filters @ spectra.numpy() + floor).T, dtype=np.float32)


def mel_filters() -> NDArray[np.float32]:
    """Triangular filters of height 1 on the HTK mel scale, (mel, frequency bin)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, _MELS + 2) / 2595) - 1)
    bins = np.linspace(0, PCM_RATE_HZ / 2, _FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
