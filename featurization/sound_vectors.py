"""Sounds as vectors: one Protocol, and the encoders that fill it.

`whisper` is the default, since its weights are here anyway: the frozen encoder of Whisper hears what a sound is, not only
what is said (Gong et al., arXiv:2307.03183). YAMNet and VGGish read weights that a user brings
(docs/models/sound-vectors.md). Vectors of different encoders are never compared: `space` tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from featurization.extractor import Vectors
from featurization.media import Segment
from featurization.models import Registry
from featurization.pcm import Samples

Read = Callable[[Segment], Samples]  # 16 kHz mono of a stretch; shorter where the sound ends


@dataclass(frozen=True, slots=True)
class SoundVectorOptions:
    """Which encoder hears."""

    encoder: Literal["whisper", "yamnet", "vggish"] = "whisper"


class SoundEncoder(Protocol):
    """Sounds of any length, 16 kHz mono → unit vectors of one space. Weights are loaded at the first use."""

    @property
    def space(self) -> str:
        """`name@12 hex digits`, another one whenever the vectors would be others; known without loading weights."""

    @property
    def dim(self) -> int: ...

    def encode_sounds(self, sounds: Sequence[Samples]) -> Vectors:
        """Unit rows, (sound, dim). A sound of no samples is like digital silence."""

    def encode_track(self, read: Read, spans: Sequence[Segment]) -> Vectors:
        """Unit rows, (span, dim), for stretches of one long sound of which no more than a window is in memory."""

    def background(self) -> Vectors:
        """Unit rows that stand for any sound at all, against which the score of a query is judged."""


def load_sound_encoder(options: SoundVectorOptions, registry: Registry) -> SoundEncoder:
    """The encoder that `options` name. ModelError says how to get it if it is not here."""
    if options.encoder == "whisper":
        from featurization.sound_encoders.whisper_sound import MODEL, WhisperSound

        return WhisperSound(registry.locate(MODEL), identity=registry.identity(MODEL))
    from featurization.sound_encoders.audioset import AudioSetSound

    return AudioSetSound(registry.locate(options.encoder), identity=registry.identity(options.encoder))
