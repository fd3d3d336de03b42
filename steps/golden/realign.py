"""Where words are said in a transcript, although some were heard differently: clips find their place in other bytes.

Sellers, "The theory and computation of evolutionary distances: pattern recognition", Journal of Algorithms 1(4), 1980:
edit distance to the best matching run of a longer text. Work and memory grow with the transcript, whatever is repeated
in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from featurization.media import Segment, Word
from search.spoken import Spoken, words_of

Floats = NDArray[np.float64]
Alike = Mapping[int, float]  # number of a word → how like it is
_AS_GOOD = 0.05  # share of the words: places that differ by less are told apart by their time alone


@dataclass(frozen=True)
class RealignOptions:
    """How sure it must be that the same is said."""

    min_score: float = 0.6  # share of the words that must be found again; recognisers disagree on up to a third
    min_words: int = 5  # shorter texts are said too often

    def __post_init__(self) -> None:
        if not (0 < self.min_score <= 1 and self.min_words >= 1):
            raise ValueError(
                f"min_score must be above 0 and at most 1, min_words 1 or more, got {self.min_score}, {self.min_words}"
            )


@dataclass(frozen=True, eq=False)
class Transcript:
    """The words of a recording, in order, and the same as numbers."""

    words: tuple[Word, ...]
    spoken: Spoken

    @classmethod
    def of(cls, words: Sequence[Word]) -> Transcript:
        """The transcript of these words; those of several channels are put in one order."""
        ordered = tuple(sorted(words, key=lambda word: (word.start, word.end)))
        return cls(ordered, Spoken.of(pa.array([word.text for word in ordered], pa.string())))

    def within(self, span: Segment) -> tuple[Word, ...]:
        """Words whose middle lies in `span`."""
        return tuple(word for word in self.words if word.middle in span)


def move(clip: Segment, to: Transcript, *, said: Sequence[Word], options: RealignOptions) -> Segment | None:
    """Where `clip` lies in another recording, its edges as far from the words `said` in it as before; None: nowhere."""
    found = find(" ".join(word.text for word in said), to, near=clip, options=options)
    if found is None:
        return None
    start = max(0.0, found.start - (said[0].start - clip.start))
    return Segment(start, max(start, found.end + clip.end - said[-1].end))


def find(text: str, transcript: Transcript, *, near: Segment, options: RealignOptions) -> Segment | None:
    """The stretch in which `text` is said: of places that fit about equally well, the one nearest to `near`.

    None if there are too few words to tell, or if no place has enough of them.
    """
    tokens, codes = words_of(text), transcript.spoken.words
    if len(tokens) < options.min_words or not len(codes):
        return None
    alike = [_alike(token, transcript.spoken) for token in tokens]
    costs, limit = _costs(alike, codes), (1 - options.min_score) * len(tokens)
    if costs.min() > limit:
        return None
    ends = np.flatnonzero(costs <= min(limit, costs.min() + _AS_GOOD * len(tokens)))
    rows, end = transcript.spoken.rows, _nearest(ends, costs, transcript, near)
    behind = codes[max(0, end - 2 * len(tokens)) : end][::-1]
    length = _last_minimum(_costs(alike[::-1], behind, anchored=True))
    first, last = transcript.words[rows[end - length]], transcript.words[rows[end - 1]]
    return Segment(first.start, max(first.start, last.end))


def _alike(token: str, spoken: Spoken) -> Alike:
    """Words of the transcript that may stand for `token`: itself, else what is spelt nearly so."""
    known = spoken.numbers.get(token)
    return spoken.similar(token) if known is None else {known: 1.0}


def _costs(alike: Sequence[Alike], codes: NDArray[np.int32], *, anchored: bool = False) -> Floats:
    """Edits between the words looked for and the best run that ends before each place, (places + 1,).

    `anchored` runs begin at the first place, others anywhere.
    """
    places = np.arange(len(codes) + 1, dtype=np.float64)
    costs = places.copy() if anchored else np.zeros_like(places)
    for words in alike:
        likeness = np.zeros(len(codes))
        for word, value in words.items():
            likeness[codes == word] = value
        following = costs + 1  # the word is missing here
        np.minimum(following[1:], costs[:-1] + 1 - likeness, out=following[1:])
        costs = np.minimum.accumulate(following - places) + places  # or others stand between
    return costs


def _nearest(ends: NDArray[np.intp], costs: Floats, transcript: Transcript, near: Segment) -> int:
    """Of the places before which a run may end, the one that is nearest in time; neighbours are one place."""
    runs = np.split(ends, np.flatnonzero(np.diff(ends) > 1) + 1)
    best = [int(run[_last_minimum(costs[run])]) for run in runs]
    return min(best, key=lambda end: (abs(transcript.words[transcript.spoken.rows[end - 1]].end - near.end), end))


def _last_minimum(costs: Floats) -> int:
    """Of equally good ends the last: a word heard differently belongs to the run, too."""
    return len(costs) - 1 - int(np.argmin(costs[::-1]))
