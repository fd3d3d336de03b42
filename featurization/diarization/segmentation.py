"""A recording in overlapping windows of five seconds, and who of up to three local speakers talks in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment
from featurization.pcm import PCM_RATE_HZ, Samples

Activities = NDArray[np.float32]  # (window, frame, local speaker), probabilities
Segmenter = Callable[[Sequence[Samples]], Activities]  # windows of WINDOW_S at 16 kHz -> activities
Reader = Callable[[Segment], Samples]

WINDOW_S = 5.0  # what the network was trained on
WINDOW_FRAMES = 293
FRAME = 270  # samples between frames
FRAME_S = FRAME / PCM_RATE_HZ
FIRST_S = (991 - FRAME) / 2 / PCM_RATE_HZ  # where the first frame's share of the time begins: it hears 991 samples
_WINDOW = round(WINDOW_S * PCM_RATE_HZ)


class SpeakerSegmenter:
    """Windows of 16 kHz sound → activities of local speakers, by pyannote/segmentation."""

    def __init__(self, folder: Path) -> None:
        """Load model.safetensors from `folder`. Raises ModelError if it is not this network."""
        from featurization.diarization.segmentation_network import load_network  # brings torch

        self._network = load_network(folder)

    def __call__(self, windows: Sequence[Samples]) -> Activities:
        """Probabilities, (window, 293, 3); a window that is too short is heard with silence after it."""
        import torch

        from featurization.torch_threads import one_thread

        sound = np.zeros((len(windows), _WINDOW), dtype=np.float32)
        for row, window in zip(sound, windows, strict=True):
            row[: len(window)] = window[:_WINDOW]
        with one_thread():
            return np.asarray(self._network(torch.from_numpy(sound)).numpy(), dtype=np.float32)


def window_starts(span: Segment, step_frames: int) -> list[float]:
    """Starts of the windows that cover `span`, `step_frames` apart."""
    further_s, step_s = max(0.0, span.duration - WINDOW_S), step_frames * FRAME_S
    return [span.start + number * step_s for number in range(1 + int(np.ceil(further_s / step_s)))]


def read_windows(read: Reader, span: Segment, starts: Sequence[float]) -> Iterator[Samples]:
    """The sound of each window, cut at the end of `span`."""
    for start in starts:
        yield read(Segment(start, max(start, min(start + WINDOW_S, span.end))))


def frame_samples(frames: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices of the samples that the given frames of a window stand for."""
    first = round(FIRST_S * PCM_RATE_HZ)
    return (first + frames[:, None] * FRAME + np.arange(FRAME)).ravel()
