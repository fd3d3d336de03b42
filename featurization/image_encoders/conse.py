"""ConSE (Norouzi et al., 2013): what a classifier believes to see, as a mean of the class names' text vectors.

The network's likeliest classes weigh the vectors of their descriptions; a query is read by the same text encoder.
All vectors have the mean class vector taken off, so that pictures of different things point in different directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featurization.extractor import Image, Vectors
from featurization.image_encoders.class_vectors import class_vectors, classes_digest
from featurization.image_encoders.preparation import Preparation
from featurization.text import TextEncoder
from featurization.vision import TextEncoderFactory, VisionOptions

if TYPE_CHECKING:
    import torch

    from featurization.image_encoders.efficientnet_lite import EfficientNetLite0

VERSION = 1  # raised when the vectors change for another reason than the weights and the class texts
TOP = 50  # classes that count; the rest is noise
TEMPERATURE = 2.0  # softens beliefs, so that also the second and third guess are heard
_GREY = (127 / 255,) * 3  # the Lite networks were trained on (pixel - 127) / 128
_SPREAD = (128 / 255,) * 3


class Conse:
    """EfficientNet-Lite0 and MiniLM as an `ImageEncoder`."""

    def __init__(
        self, folder: Path, *, identities: tuple[str, str], read: TextEncoderFactory, options: VisionOptions
    ) -> None:
        """`identities` are those of the two models; `read` gives the text encoder at the first use."""
        self._folder, self._load_text, self._options = folder, read, options
        self.feature_space = identities[0]
        self._reading = identities[1]
        made_of = "\n".join((*identities, classes_digest(), f"{VERSION} {TOP} {TEMPERATURE}"))
        self.space = f"conse@{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
        self._prepare = Preparation((224, 224), _GREY, _SPREAD)

    @property
    def dim(self) -> int:
        return self._text.dim

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Unit rows, (image, dim)."""
        return self.encode_with_features(images)[0]

    def features(self, images: Sequence[Image]) -> Vectors:
        """The penultimate layer as unit rows, (image, 1280)."""
        return self._seen(images)[0]

    def encode_with_features(self, images: Sequence[Image]) -> tuple[Vectors, Vectors]:
        features, logits = self._seen(images)
        return _unit(_beliefs(logits) @ self._centred), features

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, (text, dim)."""
        return _unit(self._text.encode(texts) - self._mean) if texts else np.zeros((0, self.dim), dtype=np.float32)

    def background(self) -> Vectors:
        """One sure picture of each class."""
        return _unit(self._centred)

    @cached_property
    def _text(self) -> TextEncoder:
        return self._load_text()

    @cached_property
    def _classes(self) -> Vectors:
        return class_vectors(self._text, identity=self._reading)

    @cached_property
    def _mean(self) -> Vectors:
        return np.asarray(self._classes.mean(axis=0))

    @cached_property
    def _centred(self) -> Vectors:
        return self._classes - self._mean

    @cached_property
    def _device(self) -> str:
        return self._options.place()

    @cached_property
    def _network(self) -> EfficientNetLite0:
        import torch

        from featurization.image_encoders.efficientnet_lite import load_efficientnet

        network = load_efficientnet(self._folder).to(self._device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a third faster
        return network

    def _seen(self, images: Sequence[Image]) -> tuple[Vectors, Vectors]:
        """Unit features (image, 1280) and logits (image, 1000)."""
        import torch

        from featurization.image_encoders.efficientnet_lite import CLASSES, FEATURES

        step = self._options.batch_on(self._device)
        features, logits = [np.zeros((0, FEATURES), np.float32)], [np.zeros((0, CLASSES), np.float32)]
        with torch.inference_mode():
            for at in range(0, len(images), step):
                pooled, scores = self._network(self._batch(images[at : at + step]))
                features.append(pooled.cpu().numpy())
                logits.append(scores.cpu().numpy())
        return _unit(np.concatenate(features)), np.concatenate(logits)

    def _batch(self, images: Sequence[Image]) -> torch.Tensor:
        import torch

        pixels = torch.from_numpy(self._prepare(images)).to(self._device)
        return pixels.contiguous(memory_format=torch.channels_last)


def _beliefs(logits: Vectors) -> Vectors:
    """Weights of the classes, (image, 1000): softened probabilities of the likeliest, zero for the rest."""
    cooled = np.exp((logits - logits.max(axis=1, keepdims=True)) / TEMPERATURE)
    least = np.partition(cooled, -TOP, axis=1)[:, -TOP, None] if len(cooled) else cooled
    kept = np.where(cooled >= least, cooled, 0)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True), dtype=np.float32)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)
