"""Where two recordings share a stretch of sound or picture, however far into each it lies.

Equal halves of codes give candidates for how far one lies behind the other; along each such offset the share of
differing bits tells shared stretches from chance: about one bit in six differs in copies, half of them in strangers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.fingerprints import BITS, HOP_S, Codes
from featurization.media import Fingerprint, Segment

# Share of differing bits that divides copies from strangers: for sound as in the paper; moments of a picture resemble
# their neighbours, so that strangers agree for longer, and coding changes them less.
_CHANCE = {"sound": 0.35, "picture": 0.2}
_SMOOTH = round(1.6 / HOP_S)  # moments over which it is averaged
_EDGE = round(2.0 / HOP_S)  # so far around the end of a smoothed run its true end is looked for
_COMMON = 64  # a half that occurs more often tells nothing
_CELL = round(3.0 / HOP_S)  # moments that vote together for an offset
_VOTES = 3
_MOST_OFFSETS = 400


@dataclass(frozen=True, slots=True)
class Shared(Segment):
    """A stretch of one recording that another has from `there` seconds on."""

    there: float
    likeness: float  # 1: all bits equal, 0: as many as in strangers


def shared_stretches(one: Fingerprint, other: Fingerprint, *, at_least_s: float) -> list[Shared]:
    """Stretches of `one` that are also in `other`, in order of time; where several offsets fit, the most alike.

    Both fingerprints are of the same kind.
    """
    ours, theirs = (np.array(print_.codes, dtype=np.uint32) for print_ in (one, other))
    found: list[Shared] = []
    for offset in _offsets(ours, theirs):
        for first, last, likeness in _runs(ours, theirs, offset, _CHANCE[one.kind], at_least=round(at_least_s / HOP_S)):
            start = first * HOP_S + one.lead_s
            there = (first - offset) * HOP_S + other.lead_s
            found.append(Shared(start, start + (last - first) * HOP_S, max(0.0, there), likeness))
    return _best(found)


def _offsets(ours: Codes, theirs: Codes) -> list[int]:
    """How many moments later a stretch may lie in `ours` than in `theirs`, most votes first."""
    votes = np.concatenate([_votes(ours, theirs, half) for half in (0, 1)])
    if not len(votes):
        return []
    cells, counts = np.unique(votes, axis=0, return_counts=True)
    kept = counts >= _VOTES
    ranked = cells[kept][np.argsort(-counts[kept], kind="stable")]
    return list(dict.fromkeys(int(offset) for offset in ranked[:_MOST_OFFSETS, 0]))


def _votes(ours: Codes, theirs: Codes, half: int) -> NDArray[np.int64]:
    """(offset, cell of time) of every pair of moments whose codes agree in one half, (pair, 2)."""
    mine, yours = ((codes >> np.uint32(16 * half)) & np.uint32(0xFFFF) for codes in (ours, theirs))
    order = np.argsort(yours, kind="stable")
    order = order[theirs[order] != 0]
    first = np.searchsorted(yours[order], mine, side="left")
    counts = np.searchsorted(yours[order], mine, side="right") - first
    counts[(ours == 0) | (counts > _COMMON)] = 0
    moments = np.repeat(np.arange(len(ours)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    offsets = moments - order[np.repeat(first, counts) + within]
    # Copies lie between two moments, so that their votes go to two neighbouring offsets.
    near = np.concatenate([offsets, offsets + 1])
    return np.stack([near, np.tile(moments // _CELL, 2)], axis=1)


def _runs(ours: Codes, theirs: Codes, offset: int, chance: float, *, at_least: int) -> Iterator[tuple[int, int, float]]:
    """[first, last) moments of `ours` that are like `theirs` at this offset, with their likeness."""
    begin, end = max(0, offset), min(len(ours), len(theirs) + offset)
    mine, yours = ours[begin:end], theirs[begin - offset : end - offset]
    if len(mine) < at_least:
        return
    told = (mine != 0) & (yours != 0)
    gain = np.where(told, chance - np.bitwise_count(mine ^ yours) / BITS, 0.0)
    gain[(mine != 0) != (yours != 0)] = chance - 0.5  # one is silent where the other is not
    risen = np.concatenate([[0.0], np.cumsum(gain)])
    half = min(_SMOOTH, len(mine)) // 2
    low, high = np.maximum(np.arange(len(mine)) - half, 0), np.minimum(np.arange(len(mine)) + half, len(mine))
    edges = np.flatnonzero(np.diff(np.pad((risen[high] > risen[low]).astype(np.int8), 1)))
    settled = 0
    for first, last in edges.reshape(-1, 2):
        start, stop = _settled(risen, int(first), int(last), settled)
        settled = max(settled, stop)
        while start < stop and not told[start]:
            start += 1
        while start < stop and not told[stop - 1]:
            stop -= 1
        if stop - start >= at_least and told[start:stop].sum() >= at_least / 2:
            differing = np.bitwise_count(mine[start:stop] ^ yours[start:stop])[told[start:stop]].mean() / BITS
            if differing < chance:
                yield begin + start, begin + stop, round(float(1 - 2 * differing), 4)


def _settled(risen: NDArray[np.float64], first: int, last: int, free: int) -> tuple[int, int]:
    """The ends of a smoothed run where what speaks for a copy begins and ceases to add up."""
    early, middle = max(free, first - _EDGE), (first + last) // 2
    start = early + int(np.argmin(risen[early : max(early, min(middle, first + _EDGE)) + 1]))
    late = max(middle, last - _EDGE)
    return start, late + int(np.argmax(risen[late : min(len(risen) - 1, last + _EDGE) + 1]))


def _best(found: list[Shared]) -> list[Shared]:
    """Without stretches of which another, longer or more alike, covers most."""
    kept: list[Shared] = []
    for one in sorted(found, key=lambda s: (-s.duration * s.likeness, s.start, s.there)):
        if not any((one & other).duration > one.duration / 2 for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda s: (s.start, s.there))
