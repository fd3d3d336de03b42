"""The voices of local speakers: whoever talks in a window, as a vector of what was heard of nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from featurization.diarization.segmentation import (
    FRAME_S,
    WINDOW_FRAMES,
    Activities,
    Reader,
    Segmenter,
    frame_samples,
    read_windows,
    window_starts,
)
from featurization.media import Segment
from featurization.pcm import PCM_RATE_HZ, Samples

Vectors = NDArray[np.float32]
Encoder = Callable[[Sequence[Samples]], Vectors]  # windows of VOICE_S at 16 kHz -> unit vectors (window, 256)

VOICE_S = 1.6  # what the encoder was trained on
ACTIVE = 0.5  # probability from which a local speaker talks
_HOP_S = 1.0  # between windows of one voice, at most
_LEAST_S = 0.2  # who talks less in a window is not looked at
_ENOUGH_S = 0.5  # of a voice alone; with less, what others talk over is taken too
_BATCH = 16  # windows whose sound is held at a time


@dataclass(frozen=True, slots=True)
class LocalSpeaker:
    """One of the speakers of a window."""

    window: int
    place: int  # 0, 1 or 2: column of the activities
    spoken_s: float
    alone_s: float


@dataclass(frozen=True, slots=True, eq=False)
class LocalVoices:
    """All windows of a recording. `vectors[i]` is the voice of `speakers[i]`, (speaker, 256), of length 1."""

    activities: NDArray[np.uint8]  # (window, frame, local speaker), of 255
    step_frames: int
    speakers: tuple[LocalSpeaker, ...]
    vectors: Vectors

    @property
    def frames(self) -> int:
        """Frames from the start of the first window to the end of the last."""
        return (len(self.activities) - 1) * self.step_frames + WINDOW_FRAMES

    def of_window(self, window: int) -> slice:
        """The frames of the recording that a window covers."""
        return slice(window * self.step_frames, window * self.step_frames + WINDOW_FRAMES)


def hear_voices(
    read: Reader, span: Segment, *, segmenter: Segmenter, encoder: Encoder, step_frames: int
) -> LocalVoices:
    """Local speakers of all windows of `span`, with their vectors."""
    starts = window_starts(span, step_frames)
    kept: list[NDArray[np.uint8]] = []
    speakers: list[LocalSpeaker] = []
    vectors: list[Vectors] = []
    for first in range(0, len(starts), _BATCH):
        windows = list(read_windows(read, span, starts[first : first + _BATCH]))
        activities = segmenter(windows)
        found = list(_talking(activities, windows, first=first))
        speakers += [speaker for speaker, _ in found]
        vectors.append(_mean_vectors([sound for _, sound in found], encoder))
        kept.append(np.round(activities * 255).astype(np.uint8))
    return LocalVoices(np.concatenate(kept), step_frames, tuple(speakers), np.concatenate(vectors))


def _talking(
    activities: Activities, windows: Sequence[Samples], *, first: int
) -> Iterator[tuple[LocalSpeaker, Samples]]:
    """Local speakers with the sound that tells their voice."""
    for number, (talks, sound) in enumerate(zip(activities >= ACTIVE, windows, strict=True), start=first):
        alone = talks & (talks.sum(axis=1, keepdims=True) == 1)
        for place in range(talks.shape[1]):
            spoken_s, alone_s = (float(which[:, place].sum()) * FRAME_S for which in (talks, alone))
            chosen = (alone if alone_s >= _ENOUGH_S else talks)[:, place]
            samples = frame_samples(np.flatnonzero(chosen))
            voice = sound[samples[samples < len(sound)]]
            if spoken_s >= _LEAST_S and len(voice):
                yield LocalSpeaker(number, place, spoken_s, alone_s), voice


def _mean_vectors(sounds: Sequence[Samples], encoder: Encoder) -> Vectors:
    """One vector for each of `sounds`, whatever its length: the mean over windows that cover it."""
    parts = [list(_windows(sound)) for sound in sounds]
    owner = np.repeat(np.arange(len(parts)), [len(its) for its in parts])
    vectors = encoder(list(chain.from_iterable(parts)))
    sums = np.zeros((len(parts), vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, owner, vectors)
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _windows(sound: Samples) -> Iterator[Samples]:
    length, hop = round(VOICE_S * PCM_RATE_HZ), _HOP_S * PCM_RATE_HZ
    last = max(0, len(sound) - length)
    for start in np.linspace(0, last, 1 + int(np.ceil(last / hop))).astype(int):
        yield sound[start : start + length]
