"""Which shots to judge next: four feeds, and which of them teaches most now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Feed = Literal["positive", "negative", "borderline", "random"]
FEEDS: tuple[Feed, ...] = ("positive", "negative", "borderline", "random")
DECIDED = 0.5
ALIKE = 0.95  # cosine from which two shots teach the same
_WINDOW = 20  # candidates for each that is chosen
_FIRST = 3  # of each kind, before anything else is asked
_RANDOM_SHARE = 20  # one in so many judgements comes from anywhere, after twice as many
_FLAT = 0.01  # of average precision: what is no gain
_GOOD = 0.9
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a label is."""

    positives: int
    negatives: int
    by_feed: Mapping[Feed, int] = field(default_factory=dict)  # judgements that came from each
    precision: Sequence[float] = ()  # held-out average precision after each training, oldest first


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Which feed to open, and why, for an editor to read."""

    feed: Feed
    why: str


def feed(
    kind: Feed,
    probabilities: Floats,
    judged: NDArray[np.bool_],
    titles: Sequence[Any] | NDArray[Any],
    *,
    size: int,
    seed: int,
    features: NDArray[np.float32] | None = None,
) -> Ints:
    """Rows to judge, best first, (size or fewer,): none that is `judged` (n,), and from as many titles as there are.

    `features` (n, d), unit rows, keep out near-duplicates of what is chosen. Deterministic: ties go by `seed`.
    """
    open_rows = np.flatnonzero(~np.asarray(judged))
    near = _order(kind, np.asarray(probabilities)[open_rows], seed)
    ordered = open_rows[near[: _WINDOW * size]]
    apart = ordered if features is None else ordered[_distinct(features[ordered])]
    owners = np.asarray(titles)[apart]
    turn = _turns(owners) // max(1, -(-size // max(1, len(np.unique(owners)))))
    return np.asarray(apart[np.argsort(turn, kind="stable")][:size], dtype=np.int64)


def suggest(progress: Progress) -> Suggestion:
    """The feed that teaches most now."""
    positives, negatives = progress.positives, progress.negatives
    drawn, total = progress.by_feed.get("random", 0), positives + negatives
    history = list(progress.precision)
    if positives < _FIRST:
        return Suggestion("positive", f"{positives} of {_FIRST} first examples found: look where it is likeliest.")
    if negatives < _FIRST:
        return Suggestion("borderline", f"Only {negatives} shots are said not to show it: judge some it is unsure of.")
    long = total >= 2 * _RANDOM_SHARE
    if long and drawn * _RANDOM_SHARE < total:
        return Suggestion("random", f"{drawn} of {total} judgements came from anywhere: see what it has never met.")
    if long and history and history[-1] >= _GOOD and not progress.by_feed.get("negative", 0):
        return Suggestion("negative", "It scores well: make sure that nothing it rejects shows it after all.")
    if positives * 2 < negatives or (len(history) > 2 and history[-1] - history[-3] < _FLAT):
        return Suggestion("positive", f"{positives} positives to {negatives} negatives: more that show it teach most.")
    return Suggestion("borderline", "It has examples of both: what it is unsure of teaches most.")


def _order(kind: Feed, probabilities: Floats, seed: int) -> Ints:
    """Positions of `probabilities` (n,), the most wanted first."""
    chance = np.random.default_rng(seed).random(len(probabilities))
    if kind == "random":
        return np.argsort(chance)
    wanted = {
        "positive": -probabilities,
        "negative": probabilities,
        "borderline": np.abs(probabilities - DECIDED),
    }[kind]
    return np.lexsort((chance, wanted))


def _distinct(rows: NDArray[np.float32]) -> Ints:
    """Positions of `rows` (n, d), in order, that are no near-duplicates of an earlier one."""
    alike = rows @ rows.T > ALIKE
    kept: list[int] = []
    for at in range(len(rows)):
        if not alike[at, kept].any():
            kept.append(at)
    return np.array(kept, dtype=np.int64)


def _turns(owners: NDArray[Any]) -> Ints:
    """How many earlier rows are of the same title, (n,)."""
    order = np.argsort(owners, kind="stable")
    names = owners[order]
    starts = np.flatnonzero(np.append(True, names[1:] != names[:-1])) if len(names) else np.zeros(0, dtype=np.int64)
    lengths = np.diff(np.append(starts, len(names)))
    turns = np.empty(len(owners), dtype=np.int64)
    turns[order] = np.arange(len(owners)) - np.repeat(starts, lengths)
    return turns
