"""Zero-shot tags: labels of a vocabulary file, where a shot is far more like their words than pictures usually are.

A shot's likeness to a text is judged twice against what is usual: how much it is like all texts of the vocabulary, and
how much like this text the encoder's background pictures are. What is left, in standard deviations, becomes a
confidence through a logistic curve.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.errors import ConfigError
from featurization.extractor import Vectors
from featurization.media import Shot, Tag
from featurization.vision import ImageEncoder

VOCABULARY = Path(__file__).resolve().parent.parent / "config" / "tags.toml"


@dataclass(frozen=True, slots=True)
class TagOptions:
    """Which labels, and how sure a tag must be.

    The default curve was fitted on labelled photographs with the default encoder: of tags at .5, about half were right.
    """

    vocabulary: str = ""  # a file like config/tags.toml, which is used if this is empty
    min_confidence: float = 0.4
    most: int = 8  # tags a shot, the surest ones
    even_deviations: float = 3.9  # above the usual, where a tag is as likely right as wrong
    deviations_per_logit: float = 1.1

    def __post_init__(self) -> None:
        if not 0 < self.min_confidence < 1:
            raise ValueError(f"min_confidence must be between 0 and 1, got {self.min_confidence}")
        if self.most < 1 or self.deviations_per_logit <= 0:
            raise ValueError(
                f"need most >= 1 and deviations_per_logit > 0, got {self.most}, {self.deviations_per_logit}"
            )


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Labels, each with the texts of which any one is enough."""

    labels: tuple[tuple[str, tuple[str, ...]], ...] = field(default_factory=tuple)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for _, texts in self.labels for text in texts))

    @property
    def digest(self) -> str:
        """12 hex digits that stand for all labels and texts."""
        return hashlib.sha256(repr(self.labels).encode()).hexdigest()[:12]


def load_vocabulary(path: Path = VOCABULARY) -> Vocabulary:
    """The vocabulary in a TOML file of `label = ["text", …]`; ConfigError says what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the tag vocabulary {path} cannot be read: {error}") from error
    return Vocabulary(tuple((label, _texts(label, texts, path)) for label, texts in table.items()))


def _texts(label: str, texts: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ConfigError(f'{path}: label {label!r} needs a list of texts, such as {label} = ["{label}"]')
    return tuple(texts)


def zero_shot_tags(
    shots: Sequence[Shot],
    vectors: Vectors,
    encoder: ImageEncoder,
    options: TagOptions | None = None,
    *,
    vocabulary: Vocabulary | None = None,
) -> tuple[Tag, ...]:
    """Tags of `shots`, surest first within a shot; `vectors` has a row per shot. A zero row has no tags."""
    options = options or TagOptions()
    if vocabulary is None:
        vocabulary = load_vocabulary(Path(options.vocabulary) if options.vocabulary else VOCABULARY)
    if not vocabulary.labels or not len(vectors):
        return ()
    judge = _judge(encoder, vocabulary)  # type: ignore[arg-type]  # encoders are hashed by identity
    logits = (judge.deviations(vectors) - options.even_deviations) / options.deviations_per_logit
    confidences = np.where(np.any(vectors, axis=1)[:, None], 1 / (1 + np.exp(-logits)), 0)
    return tuple(
        Tag(shot.start, shot.end, vocabulary.labels[column][0], round(float(row[column]), 4), judge.source)
        for shot, row in zip(shots, confidences, strict=True)
        for column in np.argsort(-row, kind="stable")[: options.most]
        if row[column] >= options.min_confidence
    )


class _Judge:
    """A vocabulary read by an encoder."""

    def __init__(self, encoder: ImageEncoder, vocabulary: Vocabulary) -> None:
        self._encoder, self._vocabulary = encoder, vocabulary
        self.source = f"zero-shot {encoder.space} vocabulary@{vocabulary.digest}"

    def deviations(self, vectors: Vectors) -> NDArray[np.float64]:
        """How far above the usual each label is, (shot, label): that of its most fitting text."""
        mean, deviation = self._usual
        above = (self._likeness(vectors) - mean) / deviation
        places = {text: place for place, text in enumerate(self._vocabulary.texts)}
        columns = [[places[text] for text in texts] for _, texts in self._vocabulary.labels]
        return np.stack([above[:, column].max(axis=1) for column in columns], axis=1)

    def _likeness(self, vectors: Vectors) -> NDArray[np.float64]:
        """Cosines, (row, text), less the mean over all texts."""
        cosines = vectors.astype(np.float64) @ self._texts.T
        return np.asarray(cosines - cosines.mean(axis=1, keepdims=True))

    @cached_property
    def _texts(self) -> Vectors:
        return self._encoder.encode_text(self._vocabulary.texts)

    @cached_property
    def _usual(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        likeness = self._likeness(self._encoder.background())
        return likeness.mean(axis=0), np.maximum(likeness.std(axis=0), 1e-6)


@lru_cache(maxsize=4)
def _judge(encoder: ImageEncoder, vocabulary: Vocabulary) -> _Judge:
    """Kept, so that the vocabulary is read once for all assets of a task."""
    return _Judge(encoder, vocabulary)
