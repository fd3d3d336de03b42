"""Nearest vectors with scores that mean something: each cosine is judged against a background of the same query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from featurization.errors import RushesError, SearchError, SearchIndexError
from featurization.extractor import Image, ImageQueries, SoundQueries, TextQueries
from featurization.pcm import Samples
from search.calibrate import calibrated
from search.corpus import NotFound
from search.vector_index import Generation, Hit, VectorIndex, Vectors, Where

FUSED = "fused"  # the collection of shots in their context; it can be asked with shots alone
DEPTH = 200  # hits that are looked at, at least; confident ones are few
_BACKGROUND = 1000  # vectors of the collection that a query is judged against
NOT_BUILT = "no index was published yet; run `python flows/featurize_media.py run`, or `rushes index rebuild`"


class QueryEncoder(Protocol):
    """What makes queries for one collection: at least one of TextQueries, ImageQueries and SoundQueries."""

    @property
    def space(self) -> str: ...


@runtime_checkable
class HasBackground(Protocol):
    """An encoder that knows what vectors are like that mean nothing in particular."""

    def background(self) -> Vectors: ...


Encoders = Mapping[str, Callable[[], QueryEncoder]]  # by collection, loaded when first needed


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row near the query."""

    hit: Hit
    confidence: float
    background: float  # median cosine of the background to the query

    @property
    def why(self) -> str:
        return f"similarity {self.hit.score:.2f}, where {self.background:.2f} is usual"


@dataclass(frozen=True, eq=False)
class Nearest:
    """The index with what is needed to ask it."""

    index: VectorIndex | None
    encoders: Encoders
    _backgrounds: dict[tuple[int, str, str], Vectors] = field(default_factory=dict)

    @property
    def generation(self) -> Generation | None:
        """The state of the index that queries see."""
        return self.index.current() if self.index else None

    def _opened(self, collection: str) -> tuple[VectorIndex, Generation]:
        generation = self.generation
        if self.index is None or generation is None:
            raise SearchIndexError(NOT_BUILT)
        if collection not in generation.stamps:
            known = f"{collection[:80]!r}; there are {', '.join(sorted(generation.stamps)) or 'none'}"
            if collection in self.encoders or collection == FUSED:
                raise SearchIndexError(f"the index has no collection {known}. {_HOW_TO_FILL}")
            raise NotFound(f"there is no collection {known}")
        return self.index, generation

    def encoder(self, collection: str) -> QueryEncoder:
        """The encoder of a collection; SearchError if there is none."""
        if collection not in self.encoders:
            raise SearchError(f"{collection[:80]} can be asked with a shot alone; ask with like=")
        return self.encoders[collection]()

    def of_texts(self, collection: str, texts: Sequence[str]) -> Vectors:
        """Texts in the space of a collection."""
        self._opened(collection)
        encoder = self.encoder(collection)
        if not isinstance(encoder, TextQueries):
            raise SearchError(f"{collection} cannot be asked with words; ask with like=, or with a picture or sound")
        return _encoded(collection, encoder.encode_text, texts)

    def of_images(self, collection: str, images: Sequence[Image]) -> Vectors:
        """Pictures in the space of a collection."""
        self._opened(collection)
        encoder = self.encoder(collection)
        if not isinstance(encoder, ImageQueries):
            raise SearchError(f"{collection} cannot be asked with pictures; ask with like=")
        return _encoded(collection, encoder.encode_images, images)

    def of_sounds(self, collection: str, sounds: Sequence[Samples]) -> Vectors:
        """Sounds (16 kHz mono) in the space of a collection."""
        self._opened(collection)
        encoder = self.encoder(collection)
        if not isinstance(encoder, SoundQueries):
            raise SearchError(f"{collection} cannot be asked with sound; ask with like=")
        return _encoded(collection, encoder.encode_sounds, sounds)

    def of_row(self, collection: str, name: str) -> Vectors:
        """The vector that a row has in a collection."""
        index, _ = self._opened(collection)
        return index.vectors(collection, [name])

    def search(
        self, collection: str, query: Vectors, *, known_space: bool, where: Where, depth: int
    ) -> list[Neighbour]:
        """Rows by cosine to the mean of `query`, best first. `known_space`: the query came out of the index itself."""
        index, generation = self._opened(collection)
        stamp = generation.stamps[collection]
        space = stamp.space if known_space else self.encoder(collection).space
        vector = _mean(query)
        (hits,) = index.search(collection, vector, space=space, limit=depth, where=where)
        # Not a matrix product: so small a one costs more in waking the threads of BLAS than in multiplying.
        usual = np.einsum("nd,d->n", self._background(collection, generation, known_space), vector[0])
        sure = calibrated(np.array([hit.score for hit in hits]), usual, n=stamp.rows)
        middle = float(np.median(usual)) if len(usual) else 0.0
        return [Neighbour(hit, float(p), middle) for hit, p in zip(hits, sure, strict=True)]

    def match(self, collection: str, text: str, *, where: Where, depth: int) -> list[Hit]:
        """Rows by BM25, best first."""
        index, _ = self._opened(collection)
        return index.match(collection, text, limit=depth, where=where)

    def _background(self, collection: str, generation: Generation, known_space: bool) -> Vectors:
        key = (generation.number, collection, "" if known_space else self.encoder(collection).space)
        if key not in self._backgrounds:
            self._backgrounds[key] = self._sampled(collection, known_space)
        return self._backgrounds[key]

    def _sampled(self, collection: str, known_space: bool) -> Vectors:
        index, _ = self._opened(collection)
        sample = index.sample(collection, _BACKGROUND)
        encoder = None if known_space else self.encoder(collection)
        return np.concatenate([encoder.background(), sample]) if isinstance(encoder, HasBackground) else sample


def _encoded(collection: str, encode: Callable[[Sequence[Any]], Vectors], given: Sequence[Any]) -> Vectors:
    """The query as a vector. An encoder may be anybody's and raise anything; here it becomes a refusal."""
    try:
        return np.asarray(encode(given), np.float32)
    except RushesError:
        raise
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise SearchError(f"the encoder of {collection} cannot take this query ({what}); ask otherwise") from error


_HOW_TO_FILL = "Run featurize_media on media that has it, or `rushes index rebuild`"


def _mean(vectors: Vectors) -> Vectors:
    """The direction of all vectors together, (1, dim)."""
    total = vectors.mean(axis=0, keepdims=True)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)
