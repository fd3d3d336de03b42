"""Judgements of rankers on episodes, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.preview_metrics import PreviewMetrics, RankingMetrics
from eval.segment_metrics import SegmentMetrics
from featurization.media import Segment
from steps.golden import Golden
from steps.judging import Judgement, pooled

SHOWS = ("Night", "Night", "Day", "Day")


def judgement(
    number: int, iou: float, *, ndcg: float | None = None, title: str = "", pick: Segment | None = None
) -> Judgement:
    """What a ranker did with one of four episodes of two shows; without another figure, nDCG is as good as IoU."""
    show, value = SHOWS[number], iou if ndcg is None else ndcg
    pick = pick or Segment(60.0, 90.0)
    spans = SegmentMetrics(1, 1, iou, int(iou >= 0.3), int(iou >= 0.5), int(iou >= 0.7), 4.0, 6.0, 30.0, 0.0, 1.5)
    return Judgement(
        asset_id=f"{number}" * 16,
        title=title or f"Episode {number}",
        show=show,
        traits={"show": show, "language": "en"},
        pick=pick,
        metrics=PreviewMetrics(pick=spans, ranking=RankingMetrics(1, value, value, value), clean_starts=1),
    )


def judged(**ious: Sequence[float]) -> dict[str, list[Judgement]]:
    """Judgements by ranker, from the IoU of each in the four episodes."""
    return {name: [judgement(number, iou) for number, iou in enumerate(values)] for name, values in ious.items()}


def figures(of: Mapping[str, Sequence[Judgement]]) -> dict[str, dict[str, float]]:
    """The figures by ranker."""
    return {name: pooled(judgements).figures() for name, judgements in of.items()}


def clip(number: int, editor: str = "ann", start: float = 60.0, source: str = "studio") -> Golden:
    """Half a minute of an episode that an editor chose."""
    return Golden(start, start + 30.0, f"{number}" * 16, editor, source, 4, 1.0)  # type: ignore[arg-type]
