"""Whisper on CTranslate2, by faster-whisper: greedy, deterministic, one window at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from featurization.media import Word
from featurization.recognition.understanding import Guess
from featurization.recognition.whisper_output import BeliefOptions, Stretch, believed, is_repetitive, joined_words

Samples = NDArray[np.float32]


class FasterWhisper:
    """int8 on a CPU, float16 on a GPU; `folder` holds a CTranslate2 model.

    `device` is "auto", "cpu" or "cuda"; `threads` 0 leaves their number to the engine.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: str,
        device: str = "auto",
        threads: int = 0,
        belief: BeliefOptions | None = None,
    ) -> None:
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        kind = "float16" if device == "cuda" else "int8"
        self._model = _OneWindow(
            str(folder), device=device, compute_type=kind, cpu_threads=threads, local_files_only=True
        )
        self._belief = belief or BeliefOptions()
        self.name = f"faster-whisper/{identity.partition('@')[0]}"
        self.identity = identity

    def detect_language(self, samples: Samples) -> Guess:
        """The language spoken; an English-only model always guesses "en"."""
        if not self._model.model.is_multilingual:
            return Guess("en", 1.0)
        self._model.allow_one()
        language, probability, _ = self._model.detect_language(samples)
        return Guess(str(language), float(probability))

    def words(self, samples: Samples, *, language: str) -> tuple[Word, ...]:
        """The words in up to 30 s of float32 mono `samples` at 16 kHz; stops after the last whole segment."""
        stretches = list(self._hear(samples, language))
        if is_repetitive(stretches, self._belief):
            stretches = list(self._hear(samples, language, no_repeat_ngram_size=4))
        return believed(stretches, self._belief)

    def _hear(self, samples: Samples, language: str, **decoding: Any) -> Iterator[Stretch]:
        self._model.allow_one()
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            no_speech_threshold=self._belief.no_speech,
            log_prob_threshold=self._belief.min_logprob,
            **decoding,
        )
        try:
            for segment in segments:
                words = joined_words(((w.start, w.end, w.word, w.probability) for w in segment.words or ()), language)
                yield Stretch(words, segment.text, segment.no_speech_prob, segment.avg_logprob)
        except _SecondWindowError:
            return


class _SecondWindowError(Exception):
    """The engine wants another 30 s window for the last few words, which then are better heard with what follows."""


class _OneWindow(WhisperModel):  # type: ignore[misc]  # faster-whisper has no types
    """A model that encodes one window, then refuses: a window costs the same however little is in it."""

    def allow_one(self) -> None:
        self._allowed = 1

    def encode(self, features: NDArray[np.float32]) -> ctranslate2.StorageView:
        if self._allowed == 0:
            raise _SecondWindowError
        self._allowed -= 1
        return super().encode(features)
