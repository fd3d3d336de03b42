"""How well picked clips agree with the clips that editors marked, and what they must not contain.

Sums and counts are kept, so that metrics of episodes add up to those of the corpus; ratios are properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from featurization.media import Segment, overlap_s

HIT_IOUS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class SegmentMetrics:
    """Counts over episodes. `a + b` pools them; `SegmentMetrics()` is the empty pool."""

    episodes: int = 0  # with at least one golden clip
    picks: int = 0  # of those, how many had a pick
    iou_sum: float = 0.0  # an episode without a pick adds 0
    hits_30: int = 0
    hits_50: int = 0
    hits_70: int = 0
    start_error_s: float = 0.0  # summed over picks, absolute
    end_error_s: float = 0.0
    picked_s: float = 0.0
    ad_s: float = 0.0
    music_s: float = 0.0

    def __add__(self, other: SegmentMetrics) -> SegmentMetrics:
        mine, theirs = ([getattr(m, name) for name in SegmentMetrics.__dataclass_fields__] for m in (self, other))
        return SegmentMetrics(*(a + b for a, b in zip(mine, theirs, strict=True)))

    @property
    def mean_iou(self) -> float:
        return self.iou_sum / self.episodes if self.episodes else 0.0

    @property
    def hit_rates(self) -> dict[float, float]:
        """Share of episodes whose pick reaches each IoU of HIT_IOUS."""
        hits = (self.hits_30, self.hits_50, self.hits_70)
        return {iou: n / self.episodes if self.episodes else 0.0 for iou, n in zip(HIT_IOUS, hits, strict=True)}

    @property
    def boundary_error_s(self) -> float:
        """Mean distance of a pick's edge from the edge of the golden clip it fits best."""
        return (self.start_error_s + self.end_error_s) / (2 * self.picks) if self.picks else 0.0

    @property
    def ad_share(self) -> float:
        return self.ad_s / self.picked_s if self.picked_s else 0.0

    @property
    def music_share(self) -> float:
        return self.music_s / self.picked_s if self.picked_s else 0.0


def iou(one: Segment, other: Segment) -> float:
    """Seconds shared by two spans over seconds covered by either; 0 if both are empty."""
    shared = (one & other).duration
    joint = one.duration + other.duration - shared
    return shared / joint if joint else 0.0


def judge_pick(
    pick: Segment | None, golden: Sequence[Segment], *, ads: Sequence[Segment] = (), music: Sequence[Segment] = ()
) -> SegmentMetrics:
    """Metrics of one episode, against the golden clip that fits best; `pick` is None if nothing was chosen.

    Raises ValueError without a golden clip: such an episode cannot be judged and must not be counted.
    """
    if not golden:
        raise ValueError("an episode without golden clips cannot be judged")
    if pick is None:
        return SegmentMetrics(episodes=1)
    best = min(golden, key=lambda clip: (-iou(pick, clip), _distance_s(pick, clip), clip.start))
    agreement = iou(pick, best)
    hits = [int(agreement >= threshold) for threshold in HIT_IOUS]
    return SegmentMetrics(
        episodes=1,
        picks=1,
        iou_sum=agreement,
        hits_30=hits[0],
        hits_50=hits[1],
        hits_70=hits[2],
        start_error_s=abs(pick.start - best.start),
        end_error_s=abs(pick.end - best.end),
        picked_s=pick.duration,
        ad_s=overlap_s(pick, ads),
        music_s=overlap_s(pick, music),
    )


def _distance_s(one: Segment, other: Segment) -> float:
    return abs(one.middle - other.middle)
