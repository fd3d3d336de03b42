"""CLIP (Radford et al., 2021) and SigLIP (Zhai et al., 2023): pictures and sentences trained into one space."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from featurization.errors import ModelError
from featurization.extractor import Image, Vectors
from featurization.image_encoders.backdrop import backdrop
from featurization.image_encoders.preparation import Preparation, preparation_of
from featurization.model_files import digest_of, sha256_of
from featurization.vision import VisionOptions

KINDS = {"clip": "CLIPModel", "siglip": "SiglipModel"}
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
_OTHERS = ("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json", "vocab.json")
_CLIP_COLOURS = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_SIGLIP_COLOURS = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_TEXTS = 64  # a batch


class Contrastive:
    """A CLIP or SigLIP checkpoint in a folder, as an `ImageEncoder`: half precision on a GPU, float32 on a CPU."""

    def __init__(self, folder: Path, *, name: str, options: VisionOptions) -> None:
        """Reads the config only. ModelError if the folder holds neither a CLIP nor a SigLIP."""
        self._folder, self._name, self._options = folder, name, options
        self._config = _config_of(folder)
        self._kind = str(self._config.get("model_type"))
        if self._kind not in KINDS:
            raise ModelError(
                f"{folder}: holds a model of type {self._kind!r}; an image encoder must be a CLIP or a SigLIP "
                f"(model_type {' or '.join(KINDS)} in config.json)"
            )

    @cached_property
    def space(self) -> str:
        """`name@12 hex digits` over the weights, the config and the tokenizer."""
        weights = [*self._folder.glob("model*.safetensors")] or [*self._folder.glob("pytorch_model*.bin")]
        if not weights:
            raise ModelError(f"{self._folder}: has none of {', '.join(_WEIGHTS)}; fetch the model again")
        others = (self._folder / name for name in _OTHERS)
        digests = {path.name: sha256_of(path) for path in (*weights, *others) if path.is_file()}
        return f"{self._name}@{digest_of(digests)[:12]}"

    @property
    def feature_space(self) -> str:
        """Features are the vectors themselves."""
        return self.space

    @property
    def dim(self) -> int:
        config = self._model.config
        return int(config.projection_dim if self._kind == "clip" else config.vision_config.hidden_size)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Unit rows, (image, dim)."""
        step = self._options.batch_on(self._device)
        return self._in_batches(images, step, self._look)

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, (text, dim); a text beyond the model's length is cut."""
        return self._in_batches(texts, _TEXTS, self._read)

    def features(self, images: Sequence[Image]) -> Vectors:
        return self.encode_images(images)

    def encode_with_features(self, images: Sequence[Image]) -> tuple[Vectors, Vectors]:
        vectors = self.encode_images(images)
        return vectors, vectors

    def background(self) -> Vectors:
        """Vectors of made pictures: this encoder comes with no sample of the world."""
        return self._backdrop

    @cached_property
    def _backdrop(self) -> Vectors:
        return self.encode_images(backdrop())

    def _in_batches(self, items: Sequence[Any], step: int, encode: Callable[[Any], Any]) -> Vectors:
        import torch

        with torch.inference_mode():
            parts = [_unit(encode(items[at : at + step])) for at in range(0, len(items), step)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), dtype=np.float32)

    def _look(self, images: Sequence[Image]) -> Any:
        import torch

        pixels = torch.from_numpy(self._preparation(images)).to(self._device, self._model.dtype)
        return self._model.get_image_features(pixel_values=pixels).pooler_output

    def _read(self, texts: Sequence[str]) -> Any:
        length = int(self._model.config.text_config.max_position_embeddings)
        cleaned = [_canonical(text) for text in texts] if self._kind == "siglip" else list(texts)
        # SigLIP was trained on texts filled up to its full length, without a mask
        padding = "max_length" if self._kind == "siglip" else True
        tokens = self._tokenizer(cleaned, padding=padding, truncation=True, max_length=length, return_tensors="pt")
        mask = {} if self._kind == "siglip" else {"attention_mask": tokens["attention_mask"].to(self._device)}
        return self._model.get_text_features(input_ids=tokens["input_ids"].to(self._device), **mask).pooler_output

    @cached_property
    def _device(self) -> str:
        return self._options.place()

    @cached_property
    def _model(self) -> Any:
        import torch
        import transformers

        dtype = torch.float32 if self._device == "cpu" else torch.float16
        with _load_errors(self._folder):
            model = getattr(transformers, KINDS[self._kind]).from_pretrained(
                self._folder, local_files_only=True, dtype=dtype
            )
        return model.eval().to(self._device)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer, PreTrainedTokenizerFast

        # SigLIP's own class wants sentencepiece even where the folder has a tokenizer.json
        whole = (self._folder / "tokenizer.json").is_file()
        with _load_errors(self._folder):
            return (PreTrainedTokenizerFast if whole else AutoTokenizer).from_pretrained(
                self._folder, local_files_only=True
            )

    @cached_property
    def _preparation(self) -> Preparation:
        side = int(self._config.get("vision_config", {}).get("image_size", 224))
        mean, deviation = _CLIP_COLOURS if self._kind == "clip" else _SIGLIP_COLOURS
        edge = side if self._kind == "clip" else 0
        return preparation_of(self._folder, Preparation((side, side), mean, deviation, edge))


def _config_of(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: has no readable config.json; an image encoder must be the folder of a CLIP or SigLIP checkpoint"
        ) from error
    return config


def _canonical(text: str) -> str:
    """As SigLIP's tokenizer prepares texts: lower case, no punctuation, single spaces."""
    return " ".join(re.sub(r"[^\w\s]|_", "", text.lower()).split())


def _unit(rows: Any) -> Vectors:
    import torch

    vectors: Vectors = torch.nn.functional.normalize(rows.float(), dim=1).cpu().numpy()
    return vectors


@contextmanager
def _load_errors(folder: Path) -> Iterator[None]:
    """Whatever transformers raises over a checkpoint, as one line."""
    from safetensors import SafetensorError

    from featurization.text import no_progress_bar

    try:
        with no_progress_bar():
            yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{folder}: cannot be loaded as an image encoder ({reason}); fetch the model again") from error
