"""How well advertising was told from the rest: sentence by sentence, so that a long ad weighs what it says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eval.detection_metrics import DetectionMetrics, judge_flags
from featurization.media import AdSpan, Segment, Sentence

DECIDED = 0.5  # probability from which a sentence counts as an ad


def ad_probabilities(sentences: Sequence[Sentence], ads: Sequence[AdSpan]) -> NDArray[np.float64]:
    """Probability that each sentence is part of an ad, (sentence,): that of the span around its middle, or 0."""
    return np.array([max((ad.confidence for ad in ads if s.middle in ad), default=0.0) for s in sentences])


def judge_ads(sentences: Sequence[Sentence], truth: Sequence[Segment], found: Sequence[AdSpan]) -> DetectionMetrics:
    """Metrics of one recording; a sentence is an ad if its middle lies in one of `truth`."""
    real = np.array([any(sentence.middle in span for span in truth) for sentence in sentences], dtype=bool)
    return judge_flags(real, ad_probabilities(sentences, found) >= DECIDED)
