"""Excerpts of invented shows with their ads labelled, and programmes spliced together from them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.cues import KINDS
from featurization.ad_evidence.surroundings import strengths, surroundings
from featurization.ad_evidence.words import cue_hits, word_features
from featurization.errors import SourceError
from featurization.models import CONFIG
from steps.truth.formats import read_csv

CORPUS = CONFIG.parent / "corpora" / "ads"
STATES: tuple[str, ...] = ("O", *KINDS)
FOLDS = 5
Matrix = NDArray[np.float32]
States = NDArray[np.int64]
Encode = Callable[[Sequence[str]], Matrix]


@dataclass(frozen=True)
class Excerpt:
    """Consecutive sentences of one show, or of several spliced together."""

    name: str
    texts: NDArray[np.object_]  # (sentence,)
    states: States  # (sentence,) places in STATES
    vectors: Matrix  # (sentence, 384)
    words: Matrix  # (sentence, len(words.NAMES))
    strength: Matrix  # (sentence,) of telling phrases

    @property
    def fold(self) -> int:
        """Which of the networks never sees it."""
        return zlib.crc32(self.name.encode()) % FOLDS

    @property
    def features(self) -> Matrix:
        """What the network is told beside the vectors."""
        return np.concatenate([self.words, surroundings(self.vectors, self.strength)], axis=1)

    def part(self, places: slice | NDArray[np.int64]) -> Excerpt:
        """Some of its sentences."""
        return Excerpt(
            self.name,
            self.texts[places],
            self.states[places],
            self.vectors[places],
            self.words[places],
            self.strength[places],
        )

    @property
    def talk(self) -> Excerpt:
        """It without its ads."""
        return self.part(np.flatnonzero(self.states == 0))

    def messages(self) -> Iterator[Excerpt]:
        """Its ads, each for itself."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.states != 0, [0]]).astype(np.int64)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            yield self.part(slice(int(start), int(end)))


def read_corpus(folder: Path, encode: Encode, *, cache: Path) -> list[Excerpt]:
    """The excerpts of all NAME.csv in `folder`; vectors are kept in the folder `cache`.

    Raises SourceError if there is no file, or a label is none of STATES.
    """
    files = {path.stem: _rows(path) for path in sorted(folder.glob("*.csv"))}
    if not files:
        raise SourceError(f"{folder}: no NAME.csv in it; the corpus of ads has the columns label and sentence")
    texts = [text for _, of_file in files.values() for text in of_file]
    vectors = _encoded(texts, encode, cache)
    starts = np.cumsum([0, *(len(states) for states, _ in files.values())]).tolist()
    return [
        excerpt(name, states, of_file, vectors[start : start + len(states)])
        for start, (name, (states, of_file)) in zip(starts[:-1], files.items(), strict=True)
    ]


def excerpt(name: str, states: States, texts: Sequence[str], vectors: Matrix) -> Excerpt:
    """Sentences with their labels and vectors, ready to be learned from."""
    hits = [cue_hits(text) for text in texts]
    return Excerpt(name, np.array(texts, object), states, vectors, word_features(texts, hits), strengths(hits))


def joined(name: str, parts: Sequence[Excerpt]) -> Excerpt:
    """Excerpts one after the other."""
    return Excerpt(
        name,
        np.concatenate([part.texts for part in parts]),
        np.concatenate([part.states for part in parts]),
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.words for part in parts]),
        np.concatenate([part.strength for part in parts]),
    )


def spliced(excerpts: Sequence[Excerpt], messages: Sequence[Excerpt], rng: np.random.Generator) -> Excerpt:
    """A stretch of programme: an excerpt beside other talk, or talk with other shows' ads put in."""
    if rng.random() < 0.5:
        parts = [_drawn(excerpts, rng), _stretch(_drawn(excerpts, rng).talk, rng)]
        return joined("spliced", parts if rng.random() < 0.5 else parts[::-1])
    parts = [_stretch(_drawn(excerpts, rng).talk, rng) for _ in range(2)]
    for _ in range(int(rng.choice([0, 1, 1, 2]))):
        place = int(rng.integers(len(parts)))
        length = len(parts[place].states)
        cut = int(rng.choice([0, length, *rng.integers(0, length + 1, 4)]))
        whole = parts[place]
        parts[place : place + 1] = [whole.part(slice(0, cut)), _drawn(messages, rng), whole.part(slice(cut, length))]
    return joined("spliced", parts)


def with_sentences_merged(one: Excerpt, rng: np.random.Generator, *, share: float = 0.08) -> Excerpt:
    """It as a recogniser might have cut it: some neighbours of one kind are one sentence."""
    same = one.states[1:] == one.states[:-1]
    starts = np.concatenate([[True], ~(same & (rng.random(len(same)) < share))])
    at = np.flatnonzero(starts)
    sums = np.add.reduceat(one.vectors, at)
    return Excerpt(
        one.name,
        np.array([" ".join(group) for group in np.split(one.texts, at[1:])], object),
        one.states[at],
        (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32),
        np.maximum.reduceat(one.words, at),
        1 - np.multiply.reduceat(1 - one.strength, at),
    )


def diluted(one: Excerpt, others: Sequence[Excerpt], rng: np.random.Generator, *, times: int = 3) -> Excerpt:
    """An episode around an excerpt: talk of other shows before and after it, so that ads are as rare as in life."""
    parts = [one]
    for _ in range(times):
        parts.insert(int(rng.integers(len(parts) + 1)), _drawn(others, rng).talk)
    return joined(one.name, parts)


def strange_episodes(corpus: Sequence[Excerpt], *, times: int, seed: int) -> Iterator[tuple[int, Excerpt]]:
    """An episode around each excerpt, from one fold alone, with the number of the network that knows none of it."""
    rng = np.random.default_rng(seed)
    for fold in range(FOLDS):
        strangers = [one for one in corpus if one.fold == fold]
        for one in strangers:
            yield fold, diluted(one, strangers, rng, times=times)


def _drawn(excerpts: Sequence[Excerpt], rng: np.random.Generator) -> Excerpt:
    return excerpts[int(rng.integers(len(excerpts)))]


def _stretch(one: Excerpt, rng: np.random.Generator) -> Excerpt:
    start = int(rng.integers(max(1, len(one.states) - 20)))
    return one.part(slice(start, start + int(rng.integers(15, 60))))


def _rows(path: Path) -> tuple[States, list[str]]:
    rows = [row for row in read_csv(path, "label", "sentence") if row["sentence"].strip()]
    if unknown := sorted({row["label"].strip() for row in rows} - set(STATES)):
        raise SourceError(f"{path}: unknown label {', '.join(unknown)}; known: {', '.join(STATES)}")
    states = np.array([STATES.index(row["label"].strip()) for row in rows], dtype=np.int64)
    return states, [row["sentence"].strip() for row in rows]


def _encoded(texts: Sequence[str], encode: Encode, cache: Path) -> Matrix:
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    kept = cache / f"ads-{digest}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), dtype=np.float32)
    vectors = encode(texts)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, vectors)
    return vectors
