"""The models of a run, checked before any work and loaded when first needed."""

from __future__ import annotations

from functools import cached_property

from featurization.models import Registry, load_registry
from featurization.speakers import Encoder
from featurization.text import TextEncoder
from featurization.transcribe import Transcriber, load_transcriber
from steps.settings import Settings

TEXT_MODEL = "minilm-l6-v2"
SPEAKER_MODEL = "resemblyzer"
SPEECH_MODEL = "silero-vad-v6"


class Models:
    """One of each model that hearing needs, shared by all assets of a task."""

    def __init__(self, settings: Settings, registry: Registry | None = None) -> None:
        self.settings, self.registry = settings, registry or load_registry()

    def check(self) -> None:
        """Raise ModelError, which names the way out, if a model is unknown, missing, or has other bytes than pinned."""
        for name in (self.settings.transcribe.model, TEXT_MODEL, SPEAKER_MODEL, SPEECH_MODEL):
            self.registry.locate(name)

    def identity(self, name: str) -> str:
        """`name@12 hex of the sha256`."""
        return self.registry.identity(name)

    @property
    def transcriber_name(self) -> str:
        """Engine and model, e.g. `faster-whisper/whisper-tiny.en`; loads nothing."""
        return f"{self.settings.transcribe.engine}/{self.settings.transcribe.model}"

    @cached_property
    def transcriber(self) -> Transcriber:
        return load_transcriber(self.settings.transcribe, self.registry)

    @cached_property
    def text(self) -> TextEncoder:
        return TextEncoder(self.registry.locate(TEXT_MODEL), options=self.settings.text)

    @cached_property
    def speakers(self) -> Encoder:
        from featurization.speaker_encoder import SpeakerEncoder  # brings torch

        return SpeakerEncoder(self.registry.locate(SPEAKER_MODEL))
