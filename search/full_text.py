"""BM25 over short texts, in memory: Robertson & Zaragoza, The Probabilistic Relevance Framework (2009), k1 1.5, b .75.

Words are cut as Milvus's standard analyzer cuts them: runs of letters and digits, in lower case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

K1 = 1.5
B = 0.75
WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return WORD.findall(text.lower())


class FullText:
    """An inverted list per word: the rows that hold it, and how much each of them is about it."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._terms: dict[str, int] = {}
        terms, rows, counts, lengths = self._counted(texts)
        order = np.argsort(terms, kind="stable")
        self._rows, counts = rows[order], counts[order]
        self._starts = np.searchsorted(terms[order], np.arange(len(self._terms) + 1))
        self._total = len(lengths)
        length = lengths[self._rows] / max(float(lengths.mean()), 1.0) if self._total else counts
        self._weights = counts * (K1 + 1) / (counts + K1 * (1 - B + B * length))

    def _counted(self, texts: Iterable[str]) -> tuple[NDArray[np.int64], ...]:
        terms, rows, counts, lengths = [], [], [], []
        for row, text in enumerate(texts):
            words = words_of(text)
            lengths.append(len(words))
            for word, count in Counter(words).items():
                terms.append(self._terms.setdefault(word, len(self._terms)))
                rows.append(row)
                counts.append(count)
        return tuple(np.array(values, dtype=np.int64) for values in (terms, rows, counts, lengths))

    def scores(self, text: str) -> NDArray[np.float32]:
        """BM25 of every row for the words of `text`, (rows,); 0 where none of them stands."""
        total = np.zeros(self._total, dtype=np.float32)
        for word, times in Counter(words_of(text)).items():
            if (term := self._terms.get(word)) is None:
                continue
            held = slice(self._starts[term], self._starts[term + 1])
            rows = self._rows[held]
            rarity = np.log(1 + (self._total - rows.size + 0.5) / (rows.size + 0.5))
            total[rows] += times * rarity * self._weights[held]
        return total
