"""How far editors agree with each other: the ceiling that a ranker is reported beside.

Counts are kept, so that the agreement of episodes adds up to that of the corpus; the ratio is a property.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from eval.segment_metrics import iou
from featurization.media import Segment


@dataclass(frozen=True, slots=True)
class Agreement:
    """Sums over pairs of editors of one episode. `a + b` pools them; `Agreement()` is the empty pool."""

    pairs: int = 0
    iou_sum: float = 0.0
    episodes: int = 0  # with two editors or more

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(self.pairs + other.pairs, self.iou_sum + other.iou_sum, self.episodes + other.episodes)

    @property
    def mean_iou(self) -> float:
        return self.iou_sum / self.pairs if self.pairs else 0.0


def agreement(clips_by_editor: Mapping[str, Sequence[Segment]]) -> Agreement:
    """How well the editors of one episode agree; whoever marked nothing is left out.

    A pair's agreement is the mean over both directions of how well each clip of one is met by the other's best.
    """
    marked = [clips for _, clips in sorted(clips_by_editor.items()) if clips]
    ious = [(_met(one, other) + _met(other, one)) / 2 for one, other in combinations(marked, 2)]
    return Agreement(len(ious), sum(ious), int(bool(ious)))


def _met(clips: Sequence[Segment], others: Sequence[Segment]) -> float:
    return sum(max(iou(clip, other) for other in others) for clip in clips) / len(clips)
