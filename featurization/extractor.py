"""How an algorithm joins: one object that says what it needs of a shot and what it yields, and nothing else to wire.

An extractor that an installed package offers under the entry point group `rushes.extractors` is run, cached, kept in a
table, indexed, searched, filtered, shown in the timeline and rolled back like our own (docs/extractors.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from featurization.errors import ExtractorError
from featurization.media import Segment, Sentence, Shot
from featurization.pcm import Samples

GROUP = "rushes.extractors"
Input = Literal["keyframes", "frames", "sound", "sentences"]
Image = NDArray[np.uint8]  # (height, width, 3), RGB, upright, square pixels
Vectors = NDArray[np.float32]  # (n, dim), rows of unit length


class ShotView(Protocol):
    """One shot as an extractor sees it. Only what the extractor names in `inputs` may be asked for."""

    @property
    def shot(self) -> Shot: ...

    @property
    def keyframes(self) -> tuple[Image, ...]:
        """The keyframes, the most telling one first; the longer side has at most 480 pixels."""

    @property
    def frames(self) -> NDArray[np.uint8]:
        """Every frame of the shot, small: (frames, 27, 48, 3), RGB."""

    @property
    def sound(self) -> Samples:
        """The sound under the shot, 16 kHz mono, (time,); empty if the asset has none."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What is said in the shot; a sentence may reach over its edges."""

    def hear(self, span: Segment) -> Samples:
        """Any stretch of the asset's sound, 16 kHz mono, (time,); what lies outside the asset is left out."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What an extractor found in the shots of one asset."""

    rows: tuple[Segment, ...] = ()  # of the class that it declares; spans in seconds of the asset
    vectors: Vectors | None = None  # one row per shot, if it declares a space
    features: Vectors | None = None  # one row per shot, any scale: what a few-shot head may read beside the vectors


class Extractor(Protocol):
    """An algorithm over the shots of an asset."""

    @property
    def name(self) -> str:
        """Lower case, digits and hyphens: names its table, its collection and its layer."""

    @property
    def version(self) -> str:
        """Raised when its results change."""

    @property
    def licence(self) -> str:
        """SPDX identifier of code and weights."""

    @property
    def inputs(self) -> frozenset[Input]:
        """What it asks of a shot."""

    @property
    def options(self) -> object:
        """Its repr is part of the key under which results are kept."""

    @property
    def row(self) -> type[Segment] | None:
        """A frozen dataclass of scalars, and of tuples of them; with `label` and `confidence` its rows are tags."""

    @property
    def space(self) -> str:
        """Identity of its vector space, with version or digest of the weights; "" if it yields no vectors."""

    def extract(self, shots: Sequence[ShotView]) -> Findings:
        """Look at all shots of one asset, in order."""


@runtime_checkable
class TextQueries(Protocol):
    """An encoder whose vectors can be searched with words."""

    def encode_text(self, texts: Sequence[str]) -> Vectors: ...


@runtime_checkable
class ImageQueries(Protocol):
    """An encoder whose vectors can be searched with pictures."""

    def encode_images(self, images: Sequence[Image]) -> Vectors: ...


@runtime_checkable
class SoundQueries(Protocol):
    """An encoder whose vectors can be searched with sound (16 kHz mono)."""

    def encode_sounds(self, sounds: Sequence[Samples]) -> Vectors: ...


def installed_extractors() -> tuple[Extractor, ...]:
    """The extractors of installed packages, by name. ExtractorError names the package whose extractor is broken."""
    found: dict[str, Extractor] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist else point.value
        try:
            loaded = point.load()
            extractor: Extractor = loaded() if isinstance(loaded, type) else loaded
            name = extractor.name
        except Exception as error:  # whatever a foreign package raises
            raise ExtractorError(
                f"extractor {point.name} of package {package} cannot be loaded ({error}); mend or uninstall the package"
            ) from error
        if name in found:
            raise ExtractorError(f"two extractors are called {name!r}; uninstall one (the second is of {package})")
        found[name] = extractor
    return tuple(found.values())
