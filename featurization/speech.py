"""Voice activity: where somebody speaks, by Silero VAD v6, in memory that does not grow with the recording.

The network hears 32 ms at a time and carries its state from one to the next, so feeding a recording in blocks of any
size gives exactly what feeding it whole would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment
from featurization.models import Registry, load_registry

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Samples = NDArray[np.float32]

RATE_HZ = 16_000
FRAME = 512  # samples per decision of the network
FRAME_S = FRAME / RATE_HZ
_CONTEXT = 64  # samples of the frame before that the network wants to see again
_BATCH = 1000  # frames per call (32 s); always the same, so that block sizes cannot change a rounding
_MODEL = "silero-vad-v6"


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """When the probability of speech becomes a span of speech."""

    threshold: float = 0.5  # probability at which speech begins
    release: float = 0.35  # probability under which it may end
    min_speech_s: float = 0.1  # shorter spans are dropped
    min_silence_s: float = 0.25  # shorter pauses are speech
    pad_s: float = 0.03  # kept before and after each span, at most half of min_silence_s

    def __post_init__(self) -> None:
        if not 0 < self.release <= self.threshold < 1:
            raise ValueError(f"need 0 < release <= threshold < 1, got {self.release} and {self.threshold}")
        if not 0 <= 2 * self.pad_s <= self.min_silence_s:
            raise ValueError(f"pad_s must be at most half of min_silence_s, got {self.pad_s} and {self.min_silence_s}")


class SpeechDetector:
    """Push samples in, take spans of speech out.

    Feed float32 mono at 16 kHz in blocks of any size; `finish` returns what was still open.
    """

    def __init__(self, options: SpeechOptions | None = None, registry: Registry | None = None) -> None:
        folder = (registry or load_registry()).locate(_MODEL)
        self._session = _session(folder / "assets" / "silero_vad_v6.onnx")
        self._spans = _Spans(options or SpeechOptions())
        self._state = np.zeros((2, 1, 1, 128), dtype=np.float32)
        self._context: Samples = np.zeros(_CONTEXT, dtype=np.float32)
        self._waiting: list[Samples] = []
        self._waiting_samples = 0
        self._probabilities: list[Samples] = []
        self._samples = 0

    @property
    def probabilities(self) -> Samples:
        """Probability of speech for each frame of 32 ms heard so far (450 kB per hour)."""
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._probabilities])

    def feed(self, block: Samples) -> tuple[Segment, ...]:
        """Spans of speech that ended since the last call; `block` has shape (samples,)."""
        if len(block):
            self._waiting.append(np.array(block, dtype=np.float32))
        self._samples += len(block)
        self._waiting_samples += len(block)
        if self._waiting_samples < _BATCH * FRAME:
            return ()
        samples = np.concatenate(self._waiting)
        whole = len(samples) - len(samples) % (_BATCH * FRAME)
        self._waiting, self._waiting_samples = [samples[whole:]], len(samples) - whole
        batches = samples[:whole].reshape(-1, _BATCH * FRAME)
        return tuple(span for batch in batches for span in self._hear(batch))

    def finish(self) -> tuple[Segment, ...]:
        """The last spans of speech; nothing may be fed afterwards."""
        rest = np.concatenate([np.zeros(0, dtype=np.float32), *self._waiting])
        spans = self._hear(np.pad(rest, (0, -len(rest) % FRAME))) if len(rest) else ()
        return (*spans, *self._spans.finish(self._samples / RATE_HZ))

    def _hear(self, samples: Samples) -> tuple[Segment, ...]:
        frames = samples.reshape(-1, FRAME)
        before = np.concatenate([self._context[None], frames[:-1, -_CONTEXT:]])
        inputs = {"input": np.concatenate([before, frames], axis=1), "h": self._state[0], "c": self._state[1]}
        heard, *state = self._session.run(None, inputs)
        self._state, self._context = np.stack(state), frames[-1, -_CONTEXT:]
        self._probabilities.append(heard.reshape(-1))
        return tuple(self._spans.feed(heard.reshape(-1)))


def detect_speech(
    blocks: Iterable[Samples], options: SpeechOptions | None = None, registry: Registry | None = None
) -> Iterator[Segment]:
    """Spans of speech in a recording, in order and disjoint.

    `blocks` are float32 mono at 16 kHz, of any size; at most 32 s of them are held.
    Raises ModelError if the weights of the voice activity model are not there.
    """
    detector = SpeechDetector(options, registry)
    for block in blocks:
        yield from detector.feed(block)
    yield from detector.finish()


def voice_activity(blocks: Iterable[Samples], registry: Registry | None = None) -> Samples:
    """The probability of voice for each 32 ms of a recording, (frames,); see `detect_speech` for blocks and errors."""
    detector = SpeechDetector(registry=registry)
    for block in blocks:
        detector.feed(block)
    detector.finish()
    return detector.probabilities


def speech_spans(voice: Samples, duration_s: float, options: SpeechOptions | None = None) -> tuple[Segment, ...]:
    """What `detect_speech` finds in a recording of that length, from its voice activity."""
    spans = _Spans(options or SpeechOptions())
    return (*spans.feed(voice), *spans.finish(duration_s))


class _Spans:
    """Hysteresis over frame probabilities: speech begins at the threshold and ends with a long enough silence."""

    def __init__(self, options: SpeechOptions) -> None:
        self._options = options
        self._frame = 0
        self._start: int | None = None  # first frame of the span that is open
        self._quiet: int | None = None  # first frame of the silence that may end it

    def feed(self, probabilities: Samples) -> Iterator[Segment]:
        """Take the next probabilities; yields the spans that ended in them."""
        for probability in probabilities.tolist():
            span = self._step(probability)
            self._frame += 1
            if span:
                yield span

    def finish(self, duration_s: float) -> tuple[Segment, ...]:
        span = self._close(self._frame if self._quiet is None else self._quiet)
        return (Segment(min(span.start, duration_s), min(span.end, duration_s)),) if span else ()

    def _step(self, probability: float) -> Segment | None:
        if probability >= self._options.threshold:
            self._quiet = None
            if self._start is None:
                self._start = self._frame
        elif self._start is not None and probability < self._options.release:
            self._quiet = self._frame if self._quiet is None else self._quiet
            if (self._frame + 1 - self._quiet) * FRAME_S >= self._options.min_silence_s:
                return self._close(self._quiet)
        return None

    def _close(self, end: int) -> Segment | None:
        start, self._start, self._quiet = self._start, None, None
        if start is None or (end - start) * FRAME_S < self._options.min_speech_s:
            return None
        pad = self._options.pad_s
        return Segment(max(0.0, start * FRAME_S - pad), end * FRAME_S + pad)


def _session(weights: Path) -> InferenceSession:
    """One thread: the network is recurrent, and a second thread makes it slower."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
