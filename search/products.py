"""Questions that come together are answered together: one pass over the vectors serves all who wait for it.

Comparing one query with every vector is bound by memory, not by arithmetic, so thirty queries in one matrix product
cost little more than one; thirty products side by side would only fight for the cores.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from search.vector_index import Vectors

AT_ONCE = 64  # queries in one product; bounds the scores held in memory
Scores = NDArray[np.float32]  # (queries, rows)


class _Question:
    def __init__(self, queries: Vectors) -> None:
        self.queries = queries
        self.scores: Scores | None = None
        self.leads = False  # its thread answers for all who wait
        self.called = threading.Event()  # answered, or to lead


class Products:
    """Inner products of queries with the rows of a matrix."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._lock = threading.Lock()
        self._waiting: list[_Question] = []
        self._busy = False

    def of(self, queries: Vectors) -> Scores:
        """Products of up to `AT_ONCE` queries with all rows."""
        question = _Question(queries)
        with self._lock:
            self._waiting.append(question)
            question.leads, self._busy = not self._busy, True
        if not question.leads:
            question.called.wait()
        if question.leads:
            self._answer(self._taken())
        return queries @ self._vectors.T if question.scores is None else question.scores

    def _taken(self) -> list[_Question]:
        """The longest waiting questions that fit into one product."""
        with self._lock:
            count = np.cumsum([len(question.queries) for question in self._waiting])
            fitting = max(1, int(np.searchsorted(count, AT_ONCE, side="right")))
            taken, self._waiting = self._waiting[:fitting], self._waiting[fitting:]
            return taken

    def _answer(self, questions: Sequence[_Question]) -> None:
        with suppress(ValueError, MemoryError):  # what fails together is tried alone, and fails there if it must
            scores = np.concatenate([question.queries for question in questions]) @ self._vectors.T
            starts = np.cumsum([len(question.queries) for question in questions])[:-1]
            for question, each in zip(questions, np.split(scores, starts), strict=True):
                question.scores = each
        self._hand_over(questions)

    def _hand_over(self, questions: Sequence[_Question]) -> None:
        with self._lock:
            following = self._waiting[:1]
            self._busy = bool(following)
            for question in following:
                question.leads = True
        for question in (*following, *questions):
            question.called.set()
