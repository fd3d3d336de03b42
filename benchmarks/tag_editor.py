"""An editor who knows the answers: how many judgements until a label is good, by feed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.examples import Examples, Flags, Floats, HeadOptions, Rows, Statistics
from annotation.feeds import Feed, Progress, feed, suggest
from annotation.heads import Head, cross_fitted, fit_head
from eval.tag_metrics import average_precision

Way = Literal["suggested", "random"]
GOAL = 0.8  # average precision
BATCH = 5  # judgements between two trainings
MOST = 200
OPTIONS = HeadOptions()


@dataclass(frozen=True, eq=False)
class Corpus:
    """One label's training side and its test side, as flags over all pictures."""

    features: Rows
    likeness: Floats
    truth: Flags
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    statistics: Statistics  # of the training side

    @property
    def pool_likeness(self) -> Floats:
        return np.asarray(self.likeness[self.train][self.statistics.rows])

    def head(self, rows: NDArray[np.int64]) -> Head:
        """What learned from `rows`."""
        return fit_head(self._examples(rows), self.statistics, OPTIONS)

    def _examples(self, rows: NDArray[np.int64]) -> Examples:
        return Examples(self.features[rows], self.likeness[rows], self.truth[rows], rows, self.pool_likeness)

    def said(self, head: Head, of: NDArray[np.int64]) -> Floats:
        """Its probabilities of some pictures."""
        return head.probabilities(self.features[of], self.likeness[of])

    def held_precision(self, rows: NDArray[np.int64]) -> float | None:
        """Average precision of what was held out of `rows`; None if nothing could be."""
        held = cross_fitted(self._examples(rows), self.statistics, OPTIONS)
        return None if held.by == "none" else average_precision(held.probabilities, self.truth[rows])


@dataclass
class _Desk:
    """What one editor has judged."""

    rows: list[int] = field(default_factory=list)  # positions on the training side
    by_feed: Counter[Feed] = field(default_factory=Counter)
    precision: list[float] = field(default_factory=list)


def judgements_needed(corpus: Corpus, way: Way, seed: int) -> int | None:
    """Judgements until the test side has an average precision of GOAL; None if MOST, or all there are, do not do.

    Both ways start from the text search's best hits; then the suggested feeds, or random shots, in batches.
    """
    desk = _Desk()
    chances = corpus.likeness[corpus.train]
    while len(desk.rows) < min(MOST, len(corpus.train)):
        kind = _next(corpus, desk, way)
        judged = np.isin(np.arange(len(corpus.train)), desk.rows)
        chosen = feed(
            kind, chances, judged, corpus.train, size=BATCH, seed=seed, features=corpus.features[corpus.train]
        )
        desk.rows.extend(chosen.tolist())
        desk.by_feed[kind] += len(chosen)
        rows = corpus.train[desk.rows]
        if not corpus.truth[rows].any():
            continue
        head = corpus.head(rows)
        if average_precision(corpus.said(head, corpus.test), corpus.truth[corpus.test]) >= GOAL:
            return len(rows)
        chances = corpus.said(head, corpus.train)
        if way == "suggested" and (held := corpus.held_precision(rows)) is not None:
            desk.precision.append(held)
    return None


def _next(corpus: Corpus, desk: _Desk, way: Way) -> Feed:
    if not desk.rows:
        return "positive"
    if way == "random":
        return "random"
    holds = corpus.truth[corpus.train[desk.rows]]
    return suggest(Progress(int(holds.sum()), int((~holds).sum()), desk.by_feed, desk.precision)).feed
