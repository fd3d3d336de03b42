"""One episode prepared for features: everything that is summed over clips, as prefix sums, computed once and lazily."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featurization.keywords import POSSESSIVE
from featurization.media import Hearing, Shot, SoundLabel
from ranking.candidates import Candidate
from ranking.screen import Screen
from ranking.spans import Coverage, Floats
from ranking.word_cues import Cue, sentence_cues, words_of

Ints = NDArray[np.int64]
FeatureGroup = Literal["words", "sound", "speakers", "place", "risk", "picture"]

LEVEL_HOP_S = 0.1  # one level per 100 ms
_QUIET_DB = 30.0  # a level this far below the loud parts of the episode is a pause, not speech
_FLOOR_DBFS = -80.0


@dataclass(frozen=True, eq=False)
class Clips:
    """The columns of many candidates: sentences [first, last) and seconds [start, end), each of shape (n,)."""

    first: Ints
    last: Ints
    start: Floats
    end: Floats

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> Clips:
        """The columns of these candidates, in their order."""
        return cls(
            np.array([candidate.first for candidate in candidates], dtype=np.int64),
            np.array([candidate.last for candidate in candidates], dtype=np.int64),
            np.array([candidate.start for candidate in candidates], dtype=np.float64),
            np.array([candidate.end for candidate in candidates], dtype=np.float64),
        )

    @property
    def duration(self) -> Floats:
        return self.end - self.start

    @property
    def spoken(self) -> NDArray[np.bool_]:
        """Whether anything is said: a run of shots may hold no sentence."""
        return np.asarray(self.last > self.first)


def _no_vectors() -> NDArray[np.float32]:
    return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class EpisodeContext:
    """What is known of an episode when its clips are judged."""

    hearing: Hearing
    duration_s: float
    levels: NDArray[np.float32]  # RMS in dBFS, one per LEVEL_HOP_S
    vectors: NDArray[np.float32]  # (sentences, dimensions), unit length, in the order of hearing.sentences
    keywords: tuple[str, ...]  # the episode's most frequent, words or phrases
    target_s: float = 30.0  # wanted length of a clip
    shots: tuple[Shot, ...] = ()  # none if there are no pictures
    pictures: NDArray[np.float32] = field(default_factory=_no_vectors)  # one per shot, or none at all

    def __post_init__(self) -> None:
        if len(self.pictures) not in (0, len(self.shots)):
            raise ValueError(f"{len(self.pictures)} picture vectors for {len(self.shots)} shots")
        if len(self.vectors) != len(self.hearing.sentences):
            raise ValueError(f"{len(self.vectors)} sentence vectors for {len(self.hearing.sentences)} sentences")

    def total(self, clips: Clips, cue: Cue) -> Floats:
        """Sum of a cue over the sentences of each clip."""
        return _column(self._cues, clips.last, cue) - _column(self._cues, clips.first, cue)

    def opening(self, clips: Clips, cue: Cue, *, sentences: int = 2) -> Floats:
        """Sum of a cue over the first sentences of each clip."""
        until = np.minimum(clips.first + sentences, clips.last)
        return _column(self._cues, until, cue) - _column(self._cues, clips.first, cue)

    def at(self, sentence: Ints, cue: Cue) -> Floats:
        """A cue of one sentence for each clip; 0 before the first and after the last sentence."""
        known = (sentence >= 0) & (sentence < len(self.hearing.sentences))
        first, last = np.where(known, sentence, 0), np.where(known, sentence + 1, 0)
        return _column(self._cues, last, cue) - _column(self._cues, first, cue)

    def keywords_in(self, clips: Clips) -> Floats:
        """Number of distinct episode keywords said in each clip."""
        return np.asarray((self._keywords[clips.last] > self._keywords[clips.first]).sum(axis=1), dtype=np.float64)

    def distinct_words(self, clips: Clips) -> Floats:
        """Number of different words in each clip."""
        return np.array(
            [len(set().union(*self._vocabulary[a:b])) for a, b in zip(clips.first, clips.last, strict=True)],
            dtype=np.float64,
        )

    def probability(self, clips: Clips) -> Floats:
        """Mean probability of the words of each clip, as the recogniser judged them."""
        return ratio(self._sure[clips.last] - self._sure[clips.first], self.total(clips, Cue.WORDS))

    def mean_vectors(self, first: Ints, last: Ints) -> Floats:
        """Unit mean of the sentence vectors [first, last), (n, dimensions); zero where there is none."""
        return unit(self._vectors[last] - self._vectors[first])

    def loudness(self, start: Floats, end: Floats) -> Floats:
        """Mean level while somebody speaks in each [start, end), in dB above the mean of the whole episode."""
        count, total, _ = self._level_sums(start, end)
        frames, everywhere, _ = self._levels[-1]
        return np.where(count > 0, ratio(total, count) - ratio(everywhere, frames), 0.0)

    def loudness_spread(self, clips: Clips) -> Floats:
        """Standard deviation of the level in each clip while somebody speaks, in dB."""
        count, total, squares = self._level_sums(clips.start, clips.end)
        return np.sqrt(np.maximum(0.0, ratio(squares, count) - ratio(total, count) ** 2))

    def speaker_seconds(self, clips: Clips) -> Floats:
        """Seconds that each speaker talks in each clip, (n, speakers)."""
        columns = [coverage.within(clips.start, clips.end) for coverage in self._speakers]
        return np.stack(columns, axis=1) if columns else np.zeros((len(clips.start), 0))

    @cached_property
    def screen(self) -> Screen:
        return Screen(self.shots, self.pictures)

    @cached_property
    def music(self) -> Coverage:
        return self._sounds("music")

    @cached_property
    def ads(self) -> Coverage:
        return Coverage(self.hearing.ads)

    @cached_property
    def spoken(self) -> Coverage:
        """Where words are; sentences where the words carry no times of their own."""
        return Coverage(self.hearing.words or self.hearing.sentences)

    @cached_property
    def topic_starts(self) -> Floats:
        """Topic starts in seconds, ascending; the episode's start counts as one."""
        return np.unique([0.0, *(topic.start for topic in self.hearing.topics)])

    @cached_property
    def turn_starts(self) -> Floats:
        """Times at which another speaker than before begins."""
        turns = sorted(self.hearing.turns, key=lambda turn: (turn.start, turn.end))
        changes = [b.start for a, b in pairwise(turns) if a.speaker != b.speaker]
        return np.array(changes, dtype=np.float64)

    def _sounds(self, label: SoundLabel) -> Coverage:
        return Coverage(span for span in self.hearing.sounds if span.label == label)

    @cached_property
    def _cues(self) -> Floats:
        return _prefix([sentence_cues(sentence.text) for sentence in self.hearing.sentences], width=len(Cue))

    @cached_property
    def _vocabulary(self) -> list[frozenset[str]]:
        return [frozenset(map(str.lower, words_of(sentence.text))) for sentence in self.hearing.sentences]

    @cached_property
    def _keywords(self) -> Floats:
        phrases = [_plain(keyword) for keyword in self.keywords]
        texts = [_plain(sentence.text) for sentence in self.hearing.sentences]
        return _prefix([[phrase in text for phrase in phrases] for text in texts], width=len(phrases))

    @cached_property
    def _sure(self) -> Floats:
        words = np.diff(self._cues[:, Cue.WORDS])
        sure = np.array([sentence.probability for sentence in self.hearing.sentences], dtype=np.float64)
        return np.concatenate([[0.0], np.cumsum(words * sure)])

    @cached_property
    def _vectors(self) -> Floats:
        return np.concatenate([np.zeros((1, self.vectors.shape[1])), np.cumsum(self.vectors, axis=0, dtype=np.float64)])

    @cached_property
    def _speakers(self) -> tuple[Coverage, ...]:
        names = sorted({turn.speaker for turn in self.hearing.turns})
        return tuple(Coverage(turn for turn in self.hearing.turns if turn.speaker == name) for name in names)

    @cached_property
    def _levels(self) -> Floats:
        """Prefix sums over frames loud enough for speech: count, dB, dB squared."""
        levels = np.maximum(np.nan_to_num(self.levels.astype(np.float64), neginf=_FLOOR_DBFS), _FLOOR_DBFS)
        active = levels > (np.percentile(levels, 95) - _QUIET_DB if levels.size else 0.0)
        columns = np.stack([active, levels * active, levels**2 * active], axis=1)
        return np.concatenate([np.zeros((1, 3)), np.cumsum(columns, axis=0)])

    def _level_sums(self, start: Floats, end: Floats) -> tuple[Floats, Floats, Floats]:
        first, last = (np.clip(np.rint(time / LEVEL_HOP_S).astype(int), 0, len(self.levels)) for time in (start, end))
        sums = self._levels[last] - self._levels[first]
        return sums[:, 0], sums[:, 1], sums[:, 2]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix: what it is called, what it means, and how it is computed for all clips at once."""

    name: str
    group: FeatureGroup
    description: str
    compute: Callable[[Clips, EpisodeContext], Floats]


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """part / whole, 0 where the whole is 0."""
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below != 0)


def unit(rows: Floats) -> Floats:
    """Rows scaled to length 1; zero rows stay zero."""
    return ratio(rows, np.linalg.norm(rows, axis=-1, keepdims=True))


def _plain(text: str) -> str:
    """Lower-case words without possessives, a space around each."""
    return f" {' '.join(POSSESSIVE.sub('', word) for word in words_of(text.lower()))} "


def _column(table: Floats, rows: Ints, column: int) -> Floats:
    return np.asarray(table[rows, column], dtype=np.float64)


def _prefix(rows: Sequence[Sequence[float]], *, width: int) -> Floats:
    table = np.array(rows, dtype=np.float64).reshape(len(rows), width)
    return np.concatenate([np.zeros((1, width)), np.cumsum(table, axis=0)])
