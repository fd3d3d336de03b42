"""Figures by slice: show, language, length, speakers, loudness; and where a ranker got worse since the last run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eval.bootstrap import Interval
from steps.judging import Judgement, difference, interval

FIGURE: Final = "iou"  # what people hear: how much of the golden clip the preview is
_ENOUGH = 5  # episodes in both runs, below which a bootstrap interval is too narrow to believe


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """How well a ranker does on the episodes that share a trait, and how much better than in the last run."""

    trait: str
    value: str
    episodes: int
    iou: Interval
    since: Interval | None = None  # against the last run, on the episodes that both judged

    @property
    def dropped(self) -> bool:
        """Whether it surely got worse."""
        return self.since is not None and self.since.count >= _ENOUGH and self.since.high < 0

    def __str__(self) -> str:
        change = f", {self.since} against the last run" if self.since else ""
        return f"{self.trait} {self.value}: IoU {self.iou} on {self.episodes} episodes{change}"


def slices(now: Sequence[Judgement], before: Sequence[Judgement] = (), *, level: float = 0.95) -> list[SliceFigures]:
    """Figures of every slice, by trait and value; `before` are the judgements of the last run, of any episodes.

    Many slices are looked at, so the intervals against the last run share their error (Bonferroni).
    """
    known = {judgement.asset_id: judgement for judgement in before}
    found = list(_sliced(now))
    shared = 1 - (1 - level) / max(1, len(found))
    return [_figures(trait, value, among, known, level=level, since_level=shared) for trait, value, among in found]


def _sliced(judgements: Sequence[Judgement]) -> Iterator[tuple[str, str, list[Judgement]]]:
    found = {(trait, value) for judgement in judgements for trait, value in judgement.traits.items()}
    for trait, value in sorted(found):
        yield trait, value, [j for j in judgements if j.traits.get(trait) == value]


def _figures(
    trait: str,
    value: str,
    among: Sequence[Judgement],
    known: dict[str, Judgement],
    *,
    level: float,
    since_level: float,
) -> SliceFigures:
    common = [judgement for judgement in among if judgement.asset_id in known]
    earlier = [known[judgement.asset_id] for judgement in common]
    since = difference(common, earlier, FIGURE, level=since_level) if common else None
    return SliceFigures(trait, value, len(among), interval(among, FIGURE, level=level), since)
