"""Pictures as vectors: one Protocol, one space for pictures and words, and the encoders that fill it.

`conse` is the default: it needs no network, and knows things better than doings. CLIP and SigLIP read whole sentences
(docs/models/images.md). Vectors of different encoders are never compared: `space` tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from featurization.errors import ModelError
from featurization.extractor import Image, Vectors
from featurization.models import Registry
from featurization.text import TextEncoder

CONSE = "conse"
CONSE_MODELS = ("efficientnet-lite0", "minilm-l6-v2")  # what looks, what reads
_CPU_BATCH, _GPU_BATCH = 8, 64
TextEncoderFactory = Callable[[], TextEncoder]


@dataclass(frozen=True, slots=True)
class VisionOptions:
    """Which encoder, and how pictures are fed to it."""

    encoder: str = CONSE  # or a CLIP or SigLIP: a name in models.toml, a hub id, a local folder
    device: Literal["auto", "cpu", "cuda"] = "auto"
    batch_size: int = 0  # pictures a batch; 0: 8 on a CPU, where more only miss its caches, 64 on a GPU

    def __post_init__(self) -> None:
        if self.batch_size < 0:
            raise ValueError(f"batch_size must be 0 (chosen by device) or more, got {self.batch_size}")
        if not self.encoder:
            raise ValueError(f"encoder must be {CONSE!r}, a name in models.toml, a hub id or a folder")

    def place(self) -> str:
        """The torch device to run on."""
        import torch

        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    def batch_on(self, place: str) -> int:
        """Pictures a batch on that device."""
        return self.batch_size or (_CPU_BATCH if place == "cpu" else _GPU_BATCH)


class ImageEncoder(Protocol):
    """Pictures and words → unit vectors of one space. Weights are loaded at the first use."""

    @property
    def space(self) -> str:
        """`name@12 hex digits`, another one whenever the vectors would be others; known without loading weights."""

    @property
    def dim(self) -> int: ...

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Unit rows, (image, dim), in the order of `images`."""

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, (text, dim), comparable with those of pictures by cosine."""

    def background(self) -> Vectors:
        """Unit rows that stand for pictures of anything at all, against which the score of a query is judged."""

    @property
    def feature_space(self) -> str:
        """Identity of what `features` gives."""

    def features(self, images: Sequence[Image]) -> Vectors:
        """Unit rows, (image, features), for few-shot heads and for picture-to-picture similarity."""

    def encode_with_features(self, images: Sequence[Image]) -> tuple[Vectors, Vectors]:
        """`encode_images` and `features` by one forward pass."""


def load_image_encoder(
    options: VisionOptions, registry: Registry, text_encoder_factory: TextEncoderFactory
) -> ImageEncoder:
    """The encoder that `options` name. ModelError says how to get it if it is not here, or that it is none.

    `text_encoder_factory` gives the MiniLM that the default reads with; others never call it.
    """
    if options.encoder == CONSE:
        from featurization.image_encoders.conse import Conse

        folder = registry.locate(CONSE_MODELS[0])
        identities = (registry.identity(CONSE_MODELS[0]), registry.identity(CONSE_MODELS[1]))
        return Conse(folder, identities=identities, read=text_encoder_factory, options=options)
    from featurization.image_encoders.contrastive import Contrastive

    name, folder = _contrastive_folder(options.encoder, registry)
    return Contrastive(folder, name=name, options=options)


def _contrastive_folder(encoder: str, registry: Registry) -> tuple[str, Path]:
    """Name and folder of a CLIP or SigLIP; nothing is downloaded here."""
    for name, spec in registry.specs.items():
        if encoder in (name, spec.hub):
            return name, registry.locate(name)
    folder = Path(encoder).expanduser()
    if folder.is_dir():
        return folder.resolve().name, folder
    return encoder, _cached_from_hub(encoder)


def _cached_from_hub(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"image encoder {repository!r} is no folder, no model in models.toml and not in the local hub cache; "
            f"run `hf download {repository}` if it is a hub id, or use {CONSE!r}"
        ) from error
