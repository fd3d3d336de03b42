"""Edges of words: where Whisper's attention puts them, moved to where the sound and the letters say they are.

Whisper's word times come from its attention and are off by a constant that depends on the model: measured against
synthesised speech with known times and against forced alignment, see docs/models/words.md. What is left is halved by
dynamic programming over all edges of a run of words: an edge prefers to lie near where it was heard, where it is quiet,
and so that words last as long as their letters say.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment, Word, merge
from featurization.recognition.packs import RATE_HZ, Read, Samples

LATE_S = {"whisper-tiny.en": 0.1, "whisper-tiny.en-openai": 0.1, "whisper-base": -0.05}  # measured, by model

HOP_S = 0.01
_HOP = round(HOP_S * RATE_HZ)
_SMOOTH = 5  # hops of a level that edges are drawn to
_RANGE_DB = 40.0  # under the loud parts; quieter is all the same
_PREEMPHASIS = 0.95
_RUN_S = 28.0  # samples held at once
_RUN_GAP_S = 0.3  # words further apart share no edge
_LEAST = 2  # hops of a word

Costs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """What moves an edge, and how far. The weights are relative to each other."""

    reach_s: float = 0.14  # farthest that an edge moves; 0 leaves all where they were heard
    distance: float = 1.2  # cost of moving an edge by 100 ms, growing with the square
    level: float = 0.6  # cost of an edge where it is 10 dB louder
    length: float = 6.0  # cost of a word e times as long, or as short, as its letters say
    pause_db: float = 30.0  # this far under the loud parts is a pause between two words
    pause_s: float = 0.1  # shorter ones are closures within words


def on_time(word: Word, model: str) -> Word:
    """The word moved by what `model` is late by; one of unknown models stays."""
    late = LATE_S.get(model, 0.0)
    return replace(word, start=max(0.0, word.start - late), end=max(0.0, word.end - late))


def refined(
    words: Sequence[Word], speech: Sequence[Segment], read: Read, options: EdgeOptions | None = None
) -> tuple[Word, ...]:
    """The words with the edges between neighbours moved; order, the outermost edges and the least length are kept.

    `words` are in order, disjoint, and each in one span of `speech`, where they stay; `read` gives the float32 mono
    samples at 16 kHz of a span of the recording, of which 28 s are held at a time.
    """
    options = options or EdgeOptions()
    if options.reach_s <= 0:
        return tuple(words)
    starts = [span.start for span in merge(speech)]
    return tuple(word for run in _runs(words, starts) for word in _refined_run(run, read, options))


def _runs(words: Sequence[Word], starts: Sequence[float]) -> Iterator[list[Word]]:
    """Words that follow each other closely in one span of speech, in portions that fit the memory."""
    run: list[Word] = []
    for word in words:
        if run and (
            word.start - run[-1].end > _RUN_GAP_S
            or word.end - run[0].start > _RUN_S
            or bisect_right(starts, word.start + 1e-6) != bisect_right(starts, run[0].start + 1e-6)
        ):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _refined_run(run: list[Word], read: Read, options: EdgeOptions) -> list[Word]:
    span = Segment(run[0].start, run[-1].end)
    samples = read(span)
    if len(run) < 2 or len(samples) < _HOP * _LEAST * len(run):
        return run
    edges = _best_edges(run, _levels(samples, _SMOOTH), options)
    if edges is None:
        return run
    quiet = _levels(samples, 3, range_db=_RANGE_DB + 20) < -options.pause_db
    pauses = [_pause(quiet, edge, round(options.pause_s / HOP_S)) for edge in edges]
    return list(_laid_out(run, edges, pauses))


def _levels(samples: Samples, smooth: int, *, range_db: float = _RANGE_DB) -> Costs:
    """Level per 10 ms in dB under the loud parts of the samples, which are 0; never under -`range_db`."""
    emphasised = np.append(samples[:1], samples[1:] - _PREEMPHASIS * samples[:-1]).astype(np.float64)
    hops = len(samples) // _HOP
    power = (emphasised[: hops * _HOP].reshape(hops, _HOP) ** 2).mean(axis=1)
    padded = np.pad(power, smooth // 2, mode="edge")
    decibels = 10 * np.log10(np.convolve(padded, np.full(smooth, 1 / smooth), "valid") + 1e-12)
    return np.asarray(np.clip(decibels - np.percentile(decibels, 95), -range_db, None), dtype=np.float64)


def _best_edges(run: Sequence[Word], levels: Costs, options: EdgeOptions) -> list[int] | None:
    """The cheapest place of each edge between two words, in hops from the first one's start; None if none fits."""
    last = len(levels)
    lengths = np.array([_spelled_length(word.text) for word in run])
    expected = lengths * (run[-1].end - run[0].start) / HOP_S / lengths.sum()
    places, best, trace = np.zeros(1, dtype=np.intp), np.zeros(1), []
    edges: list[NDArray[np.intp]] = []
    for number in range(len(run)):
        before = places
        places, own = _choices(run, number, levels, options) if number + 1 < len(run) else (np.array([last]), 0.0)
        total = best[:, None] + _length_costs(places[None] - before[:, None], expected[number], options.length)
        trace.append(total.argmin(axis=0))
        best = total.min(axis=0) + own
        edges.append(places)
    return _traced(edges, trace) if np.isfinite(best[0]) else None


def _choices(run: Sequence[Word], number: int, levels: Costs, options: EdgeOptions) -> tuple[NDArray[np.intp], Costs]:
    """Where the edge after a word may lie, and what that costs by itself."""
    heard = ((run[number].end + run[number + 1].start) / 2 - run[0].start) / HOP_S
    reach = options.reach_s / HOP_S
    low, high = max(0, int(np.ceil(heard - reach))), min(len(levels) - 1, int(heard + reach))
    places = np.arange(min(low, high), high + 1)
    moved = (places - heard) * HOP_S / 0.1
    return places, options.distance * moved**2 + options.level * levels[places] / 10


def _length_costs(lengths: NDArray[np.intp], expected: float, weight: float) -> Costs:
    costs: Costs = weight * np.log(np.maximum(lengths, 1) / expected) ** 2
    return np.where(lengths < _LEAST, np.inf, costs)


def _traced(edges: Sequence[NDArray[np.intp]], trace: Sequence[NDArray[np.intp]]) -> list[int]:
    """The edges between words along the best path, the last word's end left out."""
    at, found = 0, []
    for number in range(len(trace) - 1, 0, -1):
        at = int(trace[number][at])
        found.append(int(edges[number - 1][at]))
    return found[::-1]


def _spelled_length(text: str) -> float:
    """How long a word is to say, in letters; a digit is a word of four."""
    return 1.0 + sum(4 if character.isdigit() else character.isalpha() for character in text)


def _pause(quiet: NDArray[np.bool_], edge: int, least: int) -> tuple[int, int]:
    """The pause around an edge, [start, end) in hops; empty at the edge if there is none."""
    near = [at for at in range(max(0, edge - 3), min(len(quiet), edge + 4)) if quiet[at]]
    if not near:
        return edge, edge
    start = end = min(near, key=lambda at: abs(at - edge))
    while start > 0 and quiet[start - 1]:
        start -= 1
    while end < len(quiet) and quiet[end]:
        end += 1
    return (start, end) if end - start >= least else (edge, edge)


def _laid_out(run: Sequence[Word], edges: Sequence[int], pauses: Sequence[tuple[int, int]]) -> Iterator[Word]:
    """The words between the edges, without the pauses where that leaves enough of a word."""
    origin, last = run[0].start, (run[-1].end - run[0].start) / HOP_S
    whole = pairwise((0, *edges, last))
    starts = [0, *(max(edge, end) for edge, (_, end) in zip(edges, pauses, strict=True))]
    ends = [*(min(edge, start) for edge, (start, _) in zip(edges, pauses, strict=True)), last]
    for word, bounds, trimmed in zip(run, whole, zip(starts, ends, strict=True), strict=True):
        start, end = trimmed if trimmed[1] - trimmed[0] >= _LEAST else bounds
        yield replace(word, start=round(origin + start * HOP_S, 3), end=round(origin + end * HOP_S, 3))
