"""Audio to words: only speech reaches the recogniser, in full packs, and only sane words leave.

Engines stand behind `Transcriber`; which one and which weights is an option.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment, Word
from featurization.models import Registry
from featurization.recognition.packs import Read, pieces, take_pack
from featurization.recognition.understanding import Guess, LanguageOptions, is_doubtful, is_unknown
from featurization.recognition.whisper_output import BeliefOptions
from featurization.recognition.word_edges import EdgeOptions, on_time, refined
from featurization.recognition.words import WordOptions, sane

Samples = NDArray[np.float32]
Progress = Callable[[float], None]

WINDOW_S = 30  # what Whisper hears at once


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """Which recogniser, and how speech is laid before it."""

    engine: Literal["faster-whisper", "openai-whisper"] = "faster-whisper"
    model: str = "whisper-tiny.en"  # a name in models.toml; openai-whisper uses its NAME-openai form
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 0  # 0: as many as the engine thinks best
    language: str = ""  # ISO 639-1; empty: detected, and again where what is heard is doubtful
    pack_s: float = 29.5  # seconds of speech heard at once, at most Whisper's window
    pad_s: float = 0.3  # seconds of pause kept on each side of a span of speech
    unheard_s: float = 0.4  # seconds of speech after the last word of a pack that are worth hearing again
    words: WordOptions = field(default_factory=WordOptions)
    edges: EdgeOptions = field(default_factory=EdgeOptions)
    belief: BeliefOptions = field(default_factory=BeliefOptions)
    languages: LanguageOptions = field(default_factory=LanguageOptions)

    def __post_init__(self) -> None:
        if not 1 <= self.pack_s <= WINDOW_S:
            raise ValueError(f"pack_s must be between 1 and {WINDOW_S} seconds, got {self.pack_s}")
        if self.pad_s < 0 or self.unheard_s <= 0:
            raise ValueError(f"need pad_s >= 0 and unheard_s > 0, got {self.pad_s} and {self.unheard_s}")


class Transcriber(Protocol):
    """A recogniser of one pack of speech at a time."""

    name: str  # "engine/model"
    identity: str  # "model@12 hex of its sha256"

    def detect_language(self, samples: Samples) -> Guess:
        """The language spoken in float32 mono `samples` at 16 kHz; a model of one language always guesses that."""
        ...

    def words(self, samples: Samples, *, language: str) -> tuple[Word, ...]:
        """The words in up to 30 s of float32 mono `samples` at 16 kHz, timed from their start.

        It may stop early; what comes after the last word is heard again with what follows.
        """
        ...


def load_transcriber(options: TranscribeOptions, registry: Registry) -> Transcriber:
    """The recogniser that `options` name; ModelError says how to get the model if it is not here."""
    model = options.model
    if options.engine == "openai-whisper" and f"{model}-openai" in registry.names():
        model = f"{model}-openai"
    return _engine(options.engine)(
        registry.locate(model),
        identity=registry.identity(model),
        device=options.device,
        threads=options.threads,
        belief=options.belief,
    )


def _engine(name: str) -> Callable[..., Transcriber]:
    """The class of an engine; only its own runtime is loaded."""
    if name == "faster-whisper":
        from featurization.recognition.faster_whisper_engine import FasterWhisper

        return FasterWhisper
    from featurization.recognition.openai_whisper_engine import OpenAIWhisper

    return OpenAIWhisper


def transcribe(
    read: Read,
    speech: Sequence[Segment],
    *,
    transcriber: Transcriber,
    options: TranscribeOptions | None = None,
    progress: Progress = lambda _: None,
) -> tuple[Word, ...]:
    """The words of a recording, monotone, disjoint, at least 20 ms long, each within one span of `speech`.

    `read` gives the float32 mono samples at 16 kHz of a span of the recording; one pack of them is held at a time.
    `progress` gets the share of the speech that was heard, from 0 to 1. Speech in a language that the recogniser does
    not know has no words.
    """
    options = options or TranscribeOptions()
    waiting = deque(pieces(speech, pad_s=options.pad_s))
    language, total = options.language, sum(piece.duration for piece in waiting)
    model = transcriber.identity.partition("@")[0]
    packs: list[list[Word]] = []
    while waiting:
        pack = take_pack(waiting, read, pack_s=options.pack_s)
        language, said = _heard(pack.read(read), transcriber, language, options)
        words = [pack.to_recording(on_time(word, model)) for word in said]
        if words:
            waiting.extendleft(reversed(pack.unheard(words[-1].end, least_s=options.unheard_s)))
        packs.append(words)
        progress(1 - sum(piece.duration for piece in waiting) / total)
    if not options.language and is_unknown(packs, options.languages):
        return ()
    return refined(sane(list(chain.from_iterable(packs)), speech, options.words), speech, read, options.edges)


def _heard(
    samples: Samples, transcriber: Transcriber, language: str, options: TranscribeOptions
) -> tuple[str, tuple[Word, ...]]:
    """The language of a pack and its words; `language` is that of the pack before, which is tried first.

    Nothing is heard, and the language stays empty, while none is sure.
    """
    language = language or _sure_language(samples, transcriber, options)
    said = transcriber.words(samples, language=language) if language else ()
    if options.language or not is_doubtful(said, options.languages):
        return language, said
    other = _sure_language(samples, transcriber, options)
    if not other or other == language:
        return language, said
    return other, transcriber.words(samples, language=other)


def _sure_language(samples: Samples, transcriber: Transcriber, options: TranscribeOptions) -> str:
    guess = transcriber.detect_language(samples)
    return guess.language if guess.probability >= options.languages.sure else ""
