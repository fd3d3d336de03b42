"""Topic segments on sentence edges: the publisher's chapters if there are any, else TextTiling on sentence vectors.

M. Hearst, "TextTiling: Segmenting Text into Multi-paragraph Subtopic Passages", Computational Linguistics 23 (1997).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.keywords import topic_keywords
from featurization.media import AdSpan, Chapter, Sentence, Topic, merge

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TopicOptions:
    """How finely the talk is divided."""

    window: int = 6  # sentences compared on each side of a border
    smoothing: int = 1  # neighbours on each side that the similarity curve is averaged over
    cutoff_std: float = 0.5  # a border's depth exceeds the mean depth by this many standard deviations
    min_length_s: float = 60.0  # no topic is shorter, unless a chapter says so
    keywords: int = 8  # keywords kept for each topic
    title_words: int = 2  # keywords that make the title of a topic without a chapter


def find_topics(
    sentences: Sequence[Sentence],
    vectors: NDArray[np.float32],
    *,
    chapters: Sequence[Chapter] = (),
    ads: Sequence[AdSpan] = (),
    options: TopicOptions | None = None,
) -> tuple[Topic, ...]:
    """Topics in order, each from the start of its first sentence to the end of its last; together all sentences.

    `vectors` are the unit vectors of the sentences, (n, dim). Chapters win; each begins at the nearest sentence start.
    Sentences in `ads` have no say in borders and keywords.
    """
    options = options or TopicOptions()
    if not sentences:
        return ()
    titles = _chapter_starts(sentences, chapters) if chapters else {}
    talk = _outside(sentences, ads)
    starts = sorted(titles) or _tiled(sentences, vectors, talk, options)
    groups = [sentences[start:stop] for start, stop in pairwise([*starts, len(sentences)])]
    texts = [
        [sentences[i].text for i in talk if start <= i < start + len(g)]
        for start, g in zip(starts, groups, strict=True)
    ]
    terms = topic_keywords(texts, limit=options.keywords)
    return tuple(
        Topic(
            group[0].start,
            max(sentence.end for sentence in group),
            title=titles.get(start) or _title(found, group, options.title_words),
            keywords=found,
        )
        for start, group, found in zip(starts, groups, terms, strict=True)
    )


def _outside(sentences: Sequence[Sentence], ads: Sequence[AdSpan]) -> list[int]:
    """Indices of the sentences whose middle is in no ad."""
    spans = merge(ads)
    starts = [span.start for span in spans]
    places = [bisect_right(starts, sentence.middle) for sentence in sentences]
    return [i for i, place in enumerate(places) if not place or sentences[i].middle >= spans[place - 1].end]


def _tiled(
    sentences: Sequence[Sentence], vectors: NDArray[np.float32], talk: Sequence[int], options: TopicOptions
) -> list[int]:
    """Topic starts found on the talk alone, as indices of all sentences."""
    if not talk:
        return [0]
    found = topic_starts([sentences[place] for place in talk], vectors[list(talk)], options)
    return [0, *(talk[start] for start in found[1:])]


def topic_starts(sentences: Sequence[Sentence], vectors: NDArray[np.float32], options: TopicOptions) -> list[int]:
    """Indices of the sentences that open a topic, the first included: the deepest valleys of similarity come first."""
    depths = depth_scores(_similarities(vectors, options.window), smoothing=options.smoothing)
    if not depths.size:
        return [0]
    cutoff = depths.mean() + options.cutoff_std * depths.std()
    times = np.array([sentence.start for sentence in sentences])
    end = max(sentence.end for sentence in sentences)
    taken: list[int] = [0]
    for border in np.argsort(-depths, kind="stable").tolist():
        if depths[border] <= max(cutoff, 0.0):
            break
        start = border + 1
        room = min(abs(times[start] - times[other]) for other in taken)
        if min(room, end - times[start]) >= options.min_length_s:
            taken.append(start)
    return sorted(taken)


def depth_scores(similarities: Floats, *, smoothing: int) -> Floats:
    """Depth of each valley: the rise to the nearest peak on the left plus that on the right; 0 if it is no valley."""
    width = 2 * smoothing + 1
    padded = np.pad(similarities, smoothing, mode="edge") if similarities.size else similarities
    smooth = np.convolve(padded, np.ones(width) / width, mode="valid") if similarities.size else similarities
    left, right = _climb(smooth), _climb(smooth[::-1])[::-1]
    valley = np.array([smooth[max(0, i - 1) : i + 2].min() == value for i, value in enumerate(smooth)], dtype=bool)
    return np.where(valley, left + right - 2 * smooth, 0.0) if smooth.size else smooth


def _similarities(vectors: NDArray[np.float32], window: int) -> Floats:
    """Cosine between the mean vectors before and after each border, (n - 1,)."""
    sums = np.vstack([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0, dtype=np.float64)])
    borders = np.arange(1, len(vectors))
    before = sums[borders] - sums[np.maximum(borders - window, 0)]
    after = sums[np.minimum(borders + window, len(vectors))] - sums[borders]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    cosines: Floats = (before * after).sum(axis=1) / np.maximum(lengths, 1e-12)
    return cosines


def _climb(values: Floats) -> Floats:
    """For each value, the peak reached by walking left as long as it does not go down."""
    peaks = values.copy()
    for place in range(1, len(values)):
        if values[place - 1] >= values[place]:
            peaks[place] = peaks[place - 1]
    return peaks


def _chapter_starts(sentences: Sequence[Sentence], chapters: Sequence[Chapter]) -> dict[int, str]:
    """Sentence index → title. A chapter without a sentence is left out; what comes before the first gets no title."""
    times = [sentence.start for sentence in sentences]
    titles: dict[int, str] = {}
    for chapter in sorted(chapters):
        place = bisect_left(times, chapter.start)
        if place and (place == len(times) or chapter.start - times[place - 1] < times[place] - chapter.start):
            place -= 1
        titles[place] = " ".join(chapter.title.split())
    return titles if 0 in titles else {0: "", **titles}


def _title(keywords: Sequence[str], sentences: Sequence[Sentence], words: int) -> str:
    """The first keywords, else the beginning of what is said."""
    title = ", ".join(keywords[:words]) or " ".join(sentences[0].text.split()[:6])
    return title[:1].upper() + title[1:]
