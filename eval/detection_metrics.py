"""Precision, recall and F1 of anything that is either there or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DetectionMetrics:
    """Counts over items (frames, sentences). `a + b` pools them; `DetectionMetrics()` is the empty pool."""

    matched: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0

    def __add__(self, other: DetectionMetrics) -> DetectionMetrics:
        return DetectionMetrics(
            self.matched + other.matched,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
            self.true_negatives + other.true_negatives,
        )

    @property
    def items(self) -> int:
        return self.matched + self.false_positives + self.false_negatives + self.true_negatives

    @property
    def precision(self) -> float:
        found = self.matched + self.false_positives
        return self.matched / found if found else 0.0

    @property
    def recall(self) -> float:
        true = self.matched + self.false_negatives
        return self.matched / true if true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if there is nothing to find and nothing was found."""
        wrong = self.false_positives + self.false_negatives
        return 2 * self.matched / (2 * self.matched + wrong) if self.matched else 0.0


def judge_flags(truth: Flags, found: Flags) -> DetectionMetrics:
    """Metrics of one recording or text: two boolean arrays, (item,)."""
    if truth.shape != found.shape:
        raise ValueError(f"truth and found must have one flag per item, got {truth.shape} and {found.shape}")
    return DetectionMetrics(
        matched=int((truth & found).sum()),
        false_positives=int((~truth & found).sum()),
        false_negatives=int((truth & ~found).sum()),
        true_negatives=int((~truth & ~found).sum()),
    )
