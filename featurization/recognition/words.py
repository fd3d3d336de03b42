"""Sane words: what a recogniser returns, made monotone, audible and confined to speech.

Whisper gives one word in fifteen no length at all, stretches words across pauses, repeats itself in loops, and now and
then speaks where nobody does. These are pure functions from words and speech to words; inside, time is counted in whole
milliseconds, so that the results are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from featurization.media import Segment, Word, merge

MIN_WORD_MS = 20
_LOOP_LIMITS = {1: 6, 2: 4}  # times a phrase of that many words may be said in a row before it counts as a loop
_LOOP_LIMIT = 3  # the same for longer phrases
_LONGEST_LOOP = 12  # words


@dataclass(frozen=True, slots=True)
class WordOptions:
    """How far a word may be moved to fit the speech."""

    reach_s: float = 0.5  # a word this far from any speech is dropped as invented
    snap_s: float = 0.3  # the first and last word of a span of speech are stretched this far to its edges


def sane(words: Sequence[Word], speech: Sequence[Segment], options: WordOptions | None = None) -> tuple[Word, ...]:
    """The words that were really said, in order, none overlapping, each at least 20 ms and within one span of speech.

    Words far from speech and repetitions of a loop are dropped; words that had no length are marked as estimated.
    Times are seconds, rounded to milliseconds. Applying it twice changes nothing more.
    """
    options = options or WordOptions()
    spans = [(math.ceil(s.start * 1000 - 1e-6), math.floor(s.end * 1000 + 1e-6)) for s in merge(speech)]
    spans = [span for span in spans if span[1] - span[0] >= MIN_WORD_MS]
    ordered = without_loops(sorted((w for w in words if w.text.strip()), key=lambda w: w.start))
    placed = [(_span_of(word, spans, options.reach_s), word) for word in ordered]
    kept = sorted(((index, word) for index, word in placed if index is not None), key=lambda pair: pair[0])
    return tuple(
        word
        for index, group in groupby(kept, key=lambda pair: pair[0])
        for word in _fit([word for _, word in group], spans[index], round(options.snap_s * 1000))
    )


def without_loops(words: Sequence[Word]) -> list[Word]:
    """The words with each phrase that repeats itself implausibly often kept once."""
    kept = list(words)
    while (loop := _find_loop([_bare(word.text) for word in kept])) is not None:
        start, end = loop
        del kept[start:end]
    return kept


def _find_loop(texts: list[str]) -> tuple[int, int] | None:
    """The repetitions, without the first time, of the first loop of the shortest phrase; None if there is none."""
    for length in range(1, _LONGEST_LOOP + 1):
        limit = _LOOP_LIMITS.get(length, _LOOP_LIMIT)
        run = 0  # words in a row that equal the word one phrase earlier
        for at in range(length, len(texts) + 1):
            if at < len(texts) and texts[at] == texts[at - length]:
                run += 1
                continue
            if run // length + 1 >= limit:
                return at - run, at - run % length
            run = 0
    return None


def _bare(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _span_of(word: Word, spans: Sequence[tuple[int, int]], reach_s: float) -> int | None:
    """Index of the span that holds most of the word, else of the nearest one within reach."""
    start, end, middle = word.start * 1000, word.end * 1000, word.middle * 1000
    best, best_score = None, -reach_s * 1000
    for index in _around(spans, start, end):
        low, high = spans[index]
        shared = min(end, high) - max(start, low)
        score = shared if shared > 0 else -max(low - middle, middle - high, 0.0)
        if (best is None and score >= best_score) or score > best_score:
            best, best_score = index, score
    return best


def _around(spans: Sequence[tuple[int, int]], start: float, end: float) -> range:
    """Indices of the spans that touch [start, end), with one neighbour on each side."""
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if spans[middle][1] < start else (low, middle)
    last = low
    while last < len(spans) and spans[last][0] <= end:
        last += 1
    return range(max(0, low - 1), min(len(spans), last + 1))


def _fit(words: list[Word], span: tuple[int, int], snap: int) -> list[Word]:
    """Lay the words of one span, in milliseconds, out within it."""
    low, high = span
    words = _most_probable(words, (high - low) // MIN_WORD_MS)
    starts = [min(max(round(word.start * 1000), low), high - MIN_WORD_MS) for word in words]
    ends = [min(max(round(word.end * 1000), low), high) for word in words]
    if starts[0] - low <= snap:
        starts[0] = low
    if high - ends[-1] <= snap:
        ends[-1] = high
    free = low
    for i in range(len(words)):
        starts[i] = max(starts[i], free)
        ends[i] = free = max(ends[i], starts[i] + MIN_WORD_MS)
    limit = high
    for i in reversed(range(len(words))):
        ends[i] = min(ends[i], limit)
        starts[i] = limit = min(starts[i], ends[i] - MIN_WORD_MS)
    return [_timed(word, start, end) for word, start, end in zip(words, starts, ends, strict=True)]


def _most_probable(words: list[Word], room: int) -> list[Word]:
    """As many words as there is room for, the least probable dropped first, in their order."""
    if len(words) <= room:
        return words
    best = sorted(range(len(words)), key=lambda i: (-words[i].probability, i))[:room]
    return [words[i] for i in sorted(best)]


def _timed(word: Word, start: int, end: int) -> Word:
    estimated = word.estimated or word.duration <= 0
    return replace(word, start=start / 1000, end=end / 1000, text=word.text.strip(), estimated=estimated)
