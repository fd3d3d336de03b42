"""The encoder half of Whisper tiny.en, which the recogniser ships: 50 frames of 384 numbers a second."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.models import Registry
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.sound_vectors import Frames, SoundVectorOptions

MODEL = "whisper-tiny.en"
_TAIL = PCM_RATE_HZ  # a second of silence after the sound: Whisper was trained on windows that end in some
_HOP = 320  # samples a frame


class WhisperFrames:
    """Whisper's encoder by CTranslate2, on windows as short as the sound: it costs what the sound is long."""

    def __init__(self, options: SoundVectorOptions, registry: Registry) -> None:
        """ModelError if the weights are not here."""
        self._options, self._folder = options, registry.locate(MODEL)
        self.identity = registry.identity(MODEL)

    def frames(self, samples: Samples) -> Frames:
        """The frames of the sound itself, without those of the silence put after it."""
        encoded = self._encode(self._mels(np.pad(samples, (0, _TAIL)), padding=0)[None])
        return encoded[0, : max(1, len(samples) // _HOP)]

    def _encode(self, mels: NDArray[np.float32]) -> Frames:
        import ctranslate2

        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(mels, dtype=np.float32))
        return np.asarray(self._model.encode(view, to_cpu=True), dtype=np.float32)

    @cached_property
    def _mels(self) -> Any:
        from faster_whisper.feature_extractor import FeatureExtractor

        return FeatureExtractor()

    @cached_property
    def _model(self) -> Any:
        import ctranslate2

        device = self._options.device
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        kind = "float16" if device == "cuda" else "int8"
        return ctranslate2.models.Whisper(
            str(self._folder), device=device, compute_type=kind, intra_threads=self._options.threads
        )
