"""Whisper on PyTorch, by openai-whisper, from samples and from the registry's safetensors: no ffmpeg, no pickle."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from whisper import log_mel_spectrogram, pad_or_trim
from whisper.tokenizer import get_tokenizer

from featurization.media import Word
from featurization.recognition.understanding import Guess
from featurization.recognition.whisper_checkpoint import load_whisper
from featurization.recognition.whisper_output import BeliefOptions, Stretch, believed, joined_words

Samples = NDArray[np.float32]


class OpenAIWhisper:
    """float32 on a CPU, float16 on a GPU; `folder` holds model.safetensors.

    `device` is "auto", "cpu" or "cuda"; `threads` 0 leaves their number to PyTorch.
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
        if threads:
            torch.set_num_threads(threads)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._half = device == "cuda"
        self._model = load_whisper(folder / "model.safetensors", device)
        with warnings.catch_warnings():  # whisper leaves its vocabulary file open; what it read is kept for good
            warnings.simplefilter("ignore", ResourceWarning)
            get_tokenizer(self._model.is_multilingual, num_languages=self._model.num_languages)
        self._belief = belief or BeliefOptions()
        self.name = f"openai-whisper/{identity.partition('@')[0]}"
        self.identity = identity

    def detect_language(self, samples: Samples) -> Guess:
        """The language spoken; an English-only model always guesses "en"."""
        if not self._model.is_multilingual:
            return Guess("en", 1.0)
        mel = log_mel_spectrogram(pad_or_trim(samples), self._model.dims.n_mels).to(self._model.device)
        _, chances = self._model.detect_language(mel)
        language = max(chances, key=chances.get)
        return Guess(str(language), float(chances[language]))

    def words(self, samples: Samples, *, language: str) -> tuple[Word, ...]:
        """The words in up to 30 s of float32 mono `samples` at 16 kHz."""
        heard: dict[str, Any] = self._model.transcribe(
            samples,
            language=language,
            temperature=0.0,
            fp16=self._half,
            condition_on_previous_text=False,
            word_timestamps=True,
            no_speech_threshold=self._belief.no_speech,
            logprob_threshold=self._belief.min_logprob,
            verbose=None,
        )
        return believed([_stretch(segment, language) for segment in heard["segments"]], self._belief)


def _stretch(segment: dict[str, Any], language: str) -> Stretch:
    timed = ((w["start"], w["end"], w["word"], w["probability"]) for w in segment["words"])
    return Stretch(joined_words(timed, language), segment["text"], segment["no_speech_prob"], segment["avg_logprob"])
