"""Everything that is measured of previews against golden clips: counts that add up over episodes, and figures."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar

from eval.segment_metrics import HIT_IOUS, SegmentMetrics
from eval.topic_coverage import TopicCoverage

Counts = TypeVar("Counts", "RankingMetrics", "PreviewMetrics")


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Sums over episodes that have at least one clip with a grade. `a + b` pools them."""

    episodes: int = 0
    ndcg_1: float = 0.0
    ndcg_5: float = 0.0
    reciprocal_rank: float = 0.0  # of the first clip with an IoU of .5

    def __add__(self, other: RankingMetrics) -> RankingMetrics:
        return _summed(self, other)


@dataclass(frozen=True, slots=True)
class PreviewMetrics:
    """Counts of one ranker over episodes. `a + b` pools them; `PreviewMetrics()` is the empty pool."""

    pick: SegmentMetrics = field(default_factory=SegmentMetrics)
    ranking: RankingMetrics = field(default_factory=RankingMetrics)
    topics: TopicCoverage = field(default_factory=TopicCoverage)
    clean_starts: int = 0  # picks that begin on a sentence edge
    clean_ends: int = 0
    spoilers: int = 0  # picks that touch what a spoiler detector marked

    def __add__(self, other: PreviewMetrics) -> PreviewMetrics:
        return _summed(self, other)

    def figures(self) -> dict[str, float]:
        """The figures that tables show, by name; seconds are per pick."""
        picks, ranked = max(1, self.pick.picks), max(1, self.ranking.episodes)
        hits = {f"hit@1 IoU {iou:g}": self.pick.hit_rates[iou] for iou in HIT_IOUS}
        return {
            "IoU": self.pick.mean_iou,
            **hits,
            "nDCG@1": self.ranking.ndcg_1 / ranked,
            "nDCG@5": self.ranking.ndcg_5 / ranked,
            "MRR": self.ranking.reciprocal_rank / ranked,
            "boundary error s": self.pick.boundary_error_s,
            "starts on an edge": self.clean_starts / picks,
            "ends on an edge": self.clean_ends / picks,
            "ad s": self.pick.ad_s / picks,
            "music s": self.pick.music_s / picks,
            "spoilers": self.spoilers / picks,
            "topic coverage": self.topics.coverage,
            "topic coverage, random clip": self.topics.random_coverage,
        }


LOWER_IS_BETTER = frozenset({"boundary error s", "ad s", "music s", "spoilers"})


def _summed(one: Counts, other: Counts) -> Counts:
    names = [f.name for f in fields(one)]
    return type(one)(*(getattr(one, name) + getattr(other, name) for name in names))
