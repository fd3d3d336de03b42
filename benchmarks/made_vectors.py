"""Rows to search: shots of made films, each film around a direction of its own, with columns as real shots have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from search.vector_index import Collection, Vectors

SHOTS = 200  # in a film
SPACE = "made@1"
SPREAD = 1.5  # how far shots lie from the direction of their film, which has length 1
LABELS = ("boat", "car", "night", "crowd", "face", "sea", "street", "snow")
LONG_S = 5.0  # half of the shots last longer
WORDS = 5000  # in the vocabulary of the texts, the n-th of them said n times less often than the first


@dataclass(frozen=True, eq=False)
class Made:
    """Rows with the queries that are asked of them."""

    vectors: Vectors  # (rows, dim)
    durations: NDArray[np.float64]
    table: pa.Table
    queries: Vectors  # near a row each, none of them a row
    texts: tuple[str, ...]

    @property
    def collection(self) -> Collection:
        """What an index publishes."""
        return Collection("shots", SPACE, self.table, self.vectors, text="text")


def made(rows: int, dim: int, *, queries: int, seed: int = 11) -> Made:
    """The same rows and queries each time."""
    rng = np.random.default_rng(seed)
    films = _unit(rng.standard_normal((rows // SHOTS + 1, dim), dtype=np.float32))
    number = np.arange(rows)
    noise = _unit(rng.standard_normal((rows, dim), dtype=np.float32))
    vectors = _unit(films[number // SHOTS] + SPREAD * noise)
    asked = vectors[rng.integers(0, rows, queries)]
    asked = _unit(asked + _unit(rng.standard_normal((queries, dim), dtype=np.float32)))
    durations = rng.exponential(LONG_S / np.log(2), rows)
    texts = _texts(rng, rows)
    return Made(vectors, durations, _table(rng, number, durations, texts), asked, tuple(texts[:queries]))


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _texts(rng: np.random.Generator, rows: int) -> list[str]:
    shares = 1 / np.arange(1, WORDS + 1)
    words = rng.choice(WORDS, (rows, 8), p=shares / shares.sum())
    return [" ".join(f"word{word}" for word in row) for row in words]


def film_id(number: int) -> str:
    """The asset that a film would be."""
    return f"{number:016x}"


def _table(
    rng: np.random.Generator, number: NDArray[np.int64], durations: NDArray[np.float64], texts: list[str]
) -> pa.Table:
    films, shots = number // SHOTS, number % SHOTS
    starts = np.cumsum(durations) - durations
    tags = rng.choice(LABELS, (len(number), 2))
    return pa.table(
        {
            "id": [f"{film_id(film)}-{shot:04d}" for film, shot in zip(films, shots, strict=True)],
            "asset_id": [film_id(film) for film in films],
            "number": shots,
            "start": starts,
            "end": starts + durations,
            "duration": durations,
            "transition": ["cut"] * len(number),
            "brightness": rng.random(len(number)),
            "tags": [f"|{'|'.join(sorted(set(pair)))}|" for pair in tags],
            "text": texts,
        }
    )
