"""Sounds as vectors: like sounds point in like directions, whatever is said in them.

A network turns sound into frames; the mean and spread of the frames, each measured against made sounds of many kinds,
are the vector. The frozen encoder of Whisper, which is here anyway, hears events well (Gong et al., 2023).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from featurization.extractor import Vectors
from featurization.media import Segment
from featurization.models import Registry
from featurization.pcm import PCM_RATE_HZ, Samples
from featurization.recognition.packs import Read
from featurization.sound_encoders.made_sounds import made_sounds

VERSION = 1  # raised when vectors change for another reason than the weights
WINDOW_S = 5.0  # heard at once; longer sounds are split evenly
_SILENT = 1e-4  # peak, -80 dBFS
Frames = NDArray[np.float32]  # (frame, dim)


@dataclass(frozen=True, slots=True)
class SoundVectorOptions:
    """Which network listens."""

    encoder: Literal["whisper", "yamnet", "vggish"] = "whisper"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 0  # 0: as many as the engine thinks best


class FrameEncoder(Protocol):
    """A network over sound. Weights are loaded at the first use."""

    identity: str  # name and digest of the weights

    def frames(self, samples: Samples) -> Frames:
        """At least one frame for up to `WINDOW_S` seconds of 16 kHz mono."""


class SoundEncoder(Protocol):
    """Sounds → unit vectors of one space."""

    @property
    def space(self) -> str:
        """`name@12 hex digits`, another one whenever the vectors would be others; known without loading weights."""

    @property
    def dim(self) -> int: ...

    def encode_sounds(self, sounds: Sequence[Samples]) -> Vectors:
        """Unit rows, (sound, dim), of 16 kHz mono sounds of any length; silence, also of no length, has one vector."""

    def encode_track(self, read: Read, spans: Sequence[Segment]) -> Vectors:
        """Unit rows, (span, dim), of spans of a recording, of which a window at a time is read."""

    def background(self) -> Vectors:
        """Unit rows that stand for sounds of anything at all, against which the score of a query is judged."""


def load_sound_encoder(options: SoundVectorOptions, registry: Registry) -> SoundEncoder:
    """The encoder that `options` name. ModelError says how to get it if it is not here."""
    if options.encoder == "whisper":
        from featurization.sound_encoders.whisper_frames import WhisperFrames

        return PooledFrames("whisper-sound", WhisperFrames(options, registry))
    from featurization.sound_encoders.audioset_frames import AudioSetFrames

    return PooledFrames(options.encoder, AudioSetFrames(options, registry))


class PooledFrames:
    """A `SoundEncoder` of any `FrameEncoder`."""

    def __init__(self, name: str, encoder: FrameEncoder) -> None:
        self._encoder = encoder
        made_of = f"{encoder.identity} {VERSION} {WINDOW_S}"
        self.space = f"{name}@{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    @property
    def dim(self) -> int:
        return len(self._usual[0])

    def encode_sounds(self, sounds: Sequence[Samples]) -> Vectors:
        """Unit rows, (sound, dim); equal sounds get equal vectors, alone or in a track."""
        return self._vectors(self._pooled(_windows(sound)) for sound in sounds)

    def encode_track(self, read: Read, spans: Sequence[Segment]) -> Vectors:
        """Unit rows, (span, dim). Each span is heard alone: nothing leaks from its neighbours."""
        return self._vectors(self._pooled(map(read, _parts(span))) for span in spans)

    def background(self) -> Vectors:
        """Vectors of the made sounds."""
        return self._vectors(self._made)

    @cached_property
    def _made(self) -> NDArray[np.float64]:
        return np.stack([self._pooled(_windows(sound)) for sound in made_sounds()])

    @cached_property
    def _usual(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation of each number over the made sounds; numbers that hardly vary are kept small."""
        deviations = self._made.std(axis=0)
        return self._made.mean(axis=0), deviations + 0.01 * deviations.mean()

    def _pooled(self, windows: Iterable[Samples]) -> NDArray[np.float64]:
        """Mean and deviation over all frames, (2 × frame,); sums, so that a long sound needs no more memory."""
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        for window in windows:
            frames = self._encoder.frames(_heard(window)).astype(np.float64)
            count, total, squares = count + len(frames), total + frames.sum(axis=0), squares + (frames**2).sum(axis=0)
        mean = total / count
        return np.concatenate([mean, np.sqrt(np.maximum(squares / count - mean**2, 0))])

    def _vectors(self, pooled: Iterable[NDArray[np.float64]]) -> Vectors:
        mean, deviation = self._usual
        rows = [(row - mean) / deviation for row in pooled]
        if not rows:
            return np.zeros((0, self.dim), dtype=np.float32)
        stacked = np.stack(rows)
        return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), dtype=np.float32)


def _heard(window: Samples) -> Samples:
    """The window, or a second of silence for any window without sound, so that all silence is alike."""
    sound = np.nan_to_num(window)
    return sound if np.abs(sound).max(initial=0.0) > _SILENT else np.zeros(PCM_RATE_HZ, dtype=np.float32)


def _parts(span: Segment) -> list[Segment]:
    count = max(1, math.ceil(span.duration / WINDOW_S))
    edges = np.linspace(span.start, span.end, count + 1)
    return [Segment(float(start), float(end)) for start, end in pairwise(edges)]


def _windows(sound: Samples) -> list[Samples]:
    return np.array_split(sound, max(1, math.ceil(len(sound) / (WINDOW_S * PCM_RATE_HZ))))
