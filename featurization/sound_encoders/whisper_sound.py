"""The encoder of Whisper as an ear for any sound: mean and spread of its frames, standardised against made sounds.

Gong, Khurana, Karlinsky and Glass, "Whisper-AT: Noise-robust automatic speech recognizers are also strong general audio
event taggers", Interspeech 2023 (arXiv:2307.03183).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.extractor import Vectors
from featurization.media import Segment
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.shot_vectors import unit
from featurization.sound_encoders.made_sounds import SECONDS, made_sounds
from featurization.sound_vectors import Read

MODEL = "whisper-tiny.en"
_POOLING = "1"  # raised when the same frames give other vectors
_WINDOW_S = 30.0  # what Whisper looks at; shorter sound is padded
_FRAME_S = 0.02  # of the encoder's output
_Frames = NDArray[np.float32]  # (time, width)


class WhisperSound:
    """Vectors of 2 x 384 numbers, from the weights that recognise speech."""

    def __init__(self, folder: Path, *, identity: str) -> None:
        self._folder = folder
        self.space = f"whisper-sound-{_POOLING}@{identity.partition('@')[2]}"
        self.dim = 768

    def encode_sounds(self, sounds: Sequence[Samples]) -> Vectors:
        """Each sound by itself, in windows of 30 s."""
        rows = [self._pooled(_reader(sound), [Segment(0.0, len(sound) / PCM_RATE_HZ)]) for sound in sounds]
        return self._standardised(np.concatenate(rows) if rows else np.zeros((0, self.dim), dtype=np.float32))

    def encode_track(self, read: Read, spans: Sequence[Segment]) -> Vectors:
        """The track once, in windows of 30 s, pooled over each span."""
        return self._standardised(self._pooled(read, spans))

    def background(self) -> Vectors:
        return unit((self._made - self._made.mean(axis=0)) / self._scale)

    def _standardised(self, pooled: Vectors) -> Vectors:
        return unit((pooled - self._made.mean(axis=0)) / self._scale)

    @cached_property
    def _made(self) -> Vectors:
        sounds = made_sounds()
        spans = [Segment(n * SECONDS, (n + 1) * SECONDS) for n in range(len(sounds))]
        return self._pooled(_reader(np.concatenate(sounds)), spans)

    @cached_property
    def _scale(self) -> NDArray[np.float32]:
        return np.asarray(np.maximum(self._made.std(axis=0), 1e-3), dtype=np.float32)

    def _pooled(self, read: Read, spans: Sequence[Segment]) -> Vectors:
        """Mean and standard deviation of the frames of each span, (span, dim)."""
        sums = np.zeros((len(spans), 2, self.dim // 2))
        counts = np.zeros(len(spans))
        for window in _windows(spans):
            frames = self._frames(read(window))
            for row, span in enumerate(spans):
                if not (span.overlaps(window) or span.start == window.start):
                    continue
                part = _part(frames, span, window)
                sums[row] += (part.sum(axis=0), (part**2).sum(axis=0))
                counts[row] += len(part)
        mean, square = np.moveaxis(sums / np.maximum(counts, 1)[:, None, None], 1, 0)
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        return np.concatenate([mean, spread], axis=1).astype(np.float32)

    def _frames(self, sound: Samples) -> _Frames:
        """The encoder's output over 30 s, (1500, 384)."""
        import ctranslate2

        padded = np.zeros(round(_WINDOW_S * PCM_RATE_HZ), dtype=np.float32)
        padded[: len(sound)] = sound[: len(padded)]
        mel = self._mel(padded, padding=0)[None, :, : round(_WINDOW_S * 100)]
        encoded = self._encoder.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(mel)), to_cpu=True)
        return np.array(encoded, dtype=np.float32)[0]

    @cached_property
    def _encoder(self) -> Any:
        import ctranslate2

        return ctranslate2.models.Whisper(str(self._folder), device="cpu", compute_type="int8_float32")

    @cached_property
    def _mel(self) -> Any:
        from faster_whisper.feature_extractor import FeatureExtractor

        return FeatureExtractor(feature_size=80)


def _reader(sound: Samples) -> Read:
    def read(span: Segment) -> Samples:
        return sound[round(span.start * PCM_RATE_HZ) : round(span.end * PCM_RATE_HZ)]

    return read


def _windows(spans: Sequence[Segment]) -> list[Segment]:
    """The windows that the spans touch; one that lasts no time touches the window it lies in."""
    edges = [(int(span.start // _WINDOW_S), int(-(-span.end // _WINDOW_S))) for span in spans]
    touched = {number for first, last in edges for number in range(first, max(last, first + 1))}
    return [Segment(number * _WINDOW_S, (number + 1) * _WINDOW_S) for number in sorted(touched)]


def _part(frames: _Frames, span: Segment, window: Segment) -> _Frames:
    """The frames of a window that belong to a span: at least one."""
    first = min(max(round((span.start - window.start) / _FRAME_S), 0), len(frames) - 1)
    last = min(round((span.end - window.start) / _FRAME_S), len(frames))
    return frames[first : max(last, first + 1)]
