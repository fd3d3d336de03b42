"""How well advertising was told from the rest: sentence by sentence, so that a long ad weighs what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.detection_metrics import DetectionMetrics, Flags, judge_flags
from featurization.media import AdSpan, Segment, Sentence, merge, overlap_s

DECIDED = 0.5  # probability from which a sentence counts as an ad
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AdScores:
    """Probabilities of sentences beside the truth. `average_precision` is the area under precision over recall."""

    truth: Flags
    probabilities: Floats
    average_precision: float

    def at(self, threshold: float) -> DetectionMetrics:
        """Counts if sentences from this probability on are taken for ads."""
        return judge_flags(self.truth, self.probabilities >= threshold)

    @property
    def share(self) -> float:
        """Ads among all sentences."""
        return float(self.truth.mean()) if len(self.truth) else 0.0


@dataclass(frozen=True, slots=True)
class HeardSeconds:
    """What a listener notices if ads are cut out. `a + b` pools; seconds per episode are properties."""

    lost_s: float = 0.0  # of talk that was taken for an ad
    leaked_s: float = 0.0  # of ads that were taken for talk
    episodes: int = 0

    def __add__(self, other: HeardSeconds) -> HeardSeconds:
        return HeardSeconds(
            self.lost_s + other.lost_s,
            self.leaked_s + other.leaked_s,
            self.episodes + other.episodes,
        )

    @property
    def content_loss_s(self) -> float:
        """Talk that is lost in an episode, in seconds."""
        return self.lost_s / self.episodes if self.episodes else 0.0

    @property
    def ad_leak_s(self) -> float:
        """Ads that are left in an episode, in seconds."""
        return self.leaked_s / self.episodes if self.episodes else 0.0


def ad_probabilities(sentences: Sequence[Sentence], ads: Sequence[AdSpan]) -> Floats:
    """Probability that each sentence is part of an ad, (sentence,): that of the span around its middle, or 0."""
    return np.array([max((ad.confidence for ad in ads if s.middle in ad), default=0.0) for s in sentences])


def judge_ads(sentences: Sequence[Sentence], truth: Sequence[Segment], found: Sequence[AdSpan]) -> DetectionMetrics:
    """Metrics of one recording; a sentence is an ad if its middle lies in one of `truth`."""
    real = np.array([any(sentence.middle in span for span in truth) for sentence in sentences], dtype=bool)
    return judge_flags(real, ad_probabilities(sentences, found) >= DECIDED)


def cut_seconds(truth: Sequence[Segment], found: Sequence[AdSpan]) -> HeardSeconds:
    """Seconds of one recording by what would become of them if all spans that are decided on were cut out."""
    real, taken = merge(truth), merge(ad for ad in found if ad.confidence >= DECIDED)
    ads_s, cut_s = (sum(span.duration for span in spans) for spans in (real, taken))
    right_s = sum(overlap_s(span, taken) for span in real)
    return HeardSeconds(lost_s=cut_s - right_s, leaked_s=ads_s - right_s, episodes=1)


def judge_scores(truth: Flags, probabilities: Floats) -> AdScores:
    """Scores of sentences, (sentence,); equal probabilities are ranked in their order."""
    order = np.argsort(-probabilities, kind="stable")
    hits = truth[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return AdScores(truth, probabilities, float(precision[hits].mean()) if hits.any() else 0.0)


def best_threshold(truth: Flags, scores: Floats) -> float:
    """The score from which on sentences are taken for ads so that F1 is highest."""
    order = np.argsort(-scores, kind="stable")
    matched, taken = np.cumsum(truth[order]), np.arange(1, len(order) + 1)
    return float(scores[order][np.argmax(2 * matched / (taken + truth.sum()))])


def heard_seconds(lengths_s: Floats, truth: Flags, found: Flags) -> HeardSeconds:
    """Seconds of one episode by what would become of them, from the length of each sentence."""
    return HeardSeconds(
        lost_s=float(lengths_s[found & ~truth].sum()),
        leaked_s=float(lengths_s[truth & ~found].sum()),
        episodes=1,
    )


def f1_interval(
    files: Sequence[DetectionMetrics], *, level: float = 0.95, resamples: int = 2000, seed: int = 7
) -> tuple[float, float]:
    """Interval of the pooled F1 by bootstrap over files; (0, 0) without any."""
    if not files:
        return 0.0, 0.0
    counts = np.array([(one.matched, one.false_positives + one.false_negatives) for one in files], dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(len(files), size=(resamples, len(files)))
    matched, wrong = counts[drawn].sum(axis=1).T
    low, high = np.quantile(2 * matched / np.maximum(2 * matched + wrong, 1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
