"""Splits by show: episodes of one show resemble each other, so a split between them would measure memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.context import Ints


def show_folds(shows: Sequence[str], k: int, seed: int) -> Ints:
    """The fold of each episode, (episodes,), 0 to k - 1: whole shows, about as many episodes in each fold.

    With fewer shows than `k` there are as many folds as shows. With a single show its episodes are split, which
    flatters whatever is measured: it says nothing of other shows.
    """
    if k < 2:
        raise ValueError(f"there must be at least 2 folds, got {k}")
    counts = Counter(shows)
    if len(counts) < 2:
        return np.asarray(np.random.default_rng(seed).permutation(len(shows)) % k, dtype=np.int64)
    names = sorted(counts)
    shuffled = [names[number] for number in np.random.default_rng(seed).permutation(len(names))]
    sizes = [0] * min(k, len(names))
    fold: dict[str, int] = {}
    for show in sorted(shuffled, key=lambda name: -counts[name]):
        fold[show] = int(np.argmin(sizes))
        sizes[fold[show]] += counts[show]
    return np.array([fold[show] for show in shows], dtype=np.int64)


def held_out(shows: Sequence[str], share: float, seed: int, *, at_least: int = 1) -> NDArray[np.bool_]:
    """Which episodes are kept back for the last judgement, (episodes,): about `share` of the shows, whole.

    A show's side follows from its name alone, so that it does not change when other shows come in; only where that
    would keep back fewer than `at_least`, or all, do some change sides. With a single show nothing is kept back.
    """
    names = set(shows)
    if len(names) < 2:
        return np.zeros(len(shows), dtype=np.bool_)
    by_chance = sorted(names, key=lambda name: (_chance(name, seed), name))
    count = sum(_chance(name, seed) < share for name in by_chance)
    kept = set(by_chance[: min(max(count, at_least), len(names) - 1)])
    return np.array([show in kept for show in shows], dtype=np.bool_)


def _chance(name: str, seed: int) -> float:
    """A number in [0, 1) that only the name and the seed decide."""
    hashed = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(hashed[:8], "big") / 2**64
