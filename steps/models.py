"""The models of a run, checked before any work and loaded when first needed."""

from __future__ import annotations

import hashlib
from functools import cache, cached_property
from pathlib import Path

from featurization.ads import MODEL as AD_MODEL
from featurization.diarization.voices import Diarizer
from featurization.extractor import Extractor, installed_extractors
from featurization.image_tags import VOCABULARY, Vocabulary, load_vocabulary
from featurization.models import Registry, load_registry
from featurization.shot_vectors import IMAGE, SOUND, ImageExtractor, SoundExtractor
from featurization.sound_vectors import SoundEncoder, load_sound_encoder
from featurization.sounds import MODEL as SOUND_MODEL
from featurization.speakers import load_diarizer
from featurization.text import TextEncoder
from featurization.transcribe import Transcriber, load_transcriber
from featurization.vision import ImageEncoder, load_image_encoder
from steps.extracted import FUSED, SENTENCE, checked
from steps.settings import Settings

TEXT_MODEL = "minilm-l6-v2"
SPEECH_MODEL = "silero-vad-v6"
SHOT_MODEL = "transnetv2"


@cache
def _has_gpu() -> bool:
    import ctranslate2

    return bool(ctranslate2.get_cuda_device_count())


class Models:
    """One of each model that hearing needs, shared by all assets of a task."""

    def __init__(self, settings: Settings, registry: Registry | None = None) -> None:
        self.settings, self.registry = settings, registry or load_registry()

    def check(self) -> None:
        """Raise ModelError, which names the way out, if a model is unknown, missing, or has other bytes than pinned."""
        hearing = (self.settings.transcribe.model, TEXT_MODEL, *self.settings.speakers.models, SPEECH_MODEL)
        for name in (*hearing, SOUND_MODEL, AD_MODEL, SHOT_MODEL):
            self.registry.locate(name)
        _ = self.spaces, self.vocabulary

    def on_gpu(self, extractor: str) -> bool:
        """Whether the model of one of our extractors runs on an accelerator, as configured and found."""
        settings = self.settings
        devices = {
            "words": settings.transcribe.device,
            f"{IMAGE}-vectors": settings.vision.device,
            f"{SOUND}-vectors": settings.sound_vectors.device,
        }
        device = devices.get(extractor, "cpu")
        return device == "cuda" or (device == "auto" and _has_gpu())

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
    def images(self) -> ImageEncoder:
        return load_image_encoder(self.settings.vision, self.registry, lambda: self.text)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The labels that zero-shot tags may have. ConfigError if the file is not readable."""
        return load_vocabulary(Path(self.settings.tags.vocabulary or VOCABULARY))

    @cached_property
    def sound_vectors(self) -> SoundEncoder:
        return load_sound_encoder(self.settings.sound_vectors, self.registry)

    @cached_property
    def image_extractor(self) -> ImageExtractor:
        return ImageExtractor(self.images)

    @cached_property
    def sound_extractor(self) -> SoundExtractor:
        return SoundExtractor(self.sound_vectors)

    @cached_property
    def extractors(self) -> tuple[Extractor, ...]:
        """Those of installed packages."""
        return checked(installed_extractors())

    @property
    def fused_space(self) -> str:
        """Identity of the late-fused vectors: it changes with each of the spaces that they join."""
        parts = (self.image_extractor.space, self.sound_extractor.space, self.identity(TEXT_MODEL))
        text = repr((parts, self.settings.context))
        return f"fused@{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @cached_property
    def spaces(self) -> dict[str, str]:
        """The space of each kind of vectors, as configured; loads nothing."""
        ours = {
            SENTENCE: self.identity(TEXT_MODEL),
            IMAGE: self.image_extractor.space,
            SOUND: self.sound_extractor.space,
            FUSED: self.fused_space,
        }
        return {**ours, **{extractor.name: extractor.space for extractor in self.extractors if extractor.space}}

    @property
    def seen_with(self) -> tuple[str, ...]:
        """Every model and extractor that looks at films, as provenance."""
        foreign = (f"{extractor.name} {extractor.version}" for extractor in self.extractors)
        return (self.identity(SHOT_MODEL), self.image_extractor.space, self.sound_extractor.space, *foreign)

    @cached_property
    def diarizer(self) -> Diarizer:
        return load_diarizer(self.settings.speakers, self.registry)

    @property
    def voice_space(self) -> str:
        """Identity of what makes the vectors of voices."""
        return self.identity(self.settings.speakers.models[-1])
