"""How well shot transitions were found: one-to-one, within a tolerance in frames, cuts and gradual ones apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eval.detection_metrics import DetectionMetrics

Frames = int


@dataclass(frozen=True, slots=True, order=True)
class TransitionSpan:
    """The frames of a transition, both ends included; a cut is the first frame of the new shot alone."""

    first: Frames
    last: Frames
    gradual: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"a transition must satisfy 0 <= first <= last, got {self.first}..{self.last}")


@dataclass(frozen=True, slots=True)
class ShotMetrics:
    """Counts of all transitions, of cuts and of gradual ones. `a + b` pools them; `ShotMetrics()` is the empty pool.

    What was matched or missed counts by what it really is, what was wrongly found by what it was taken for.
    """

    cuts: DetectionMetrics = field(default_factory=DetectionMetrics)
    gradual: DetectionMetrics = field(default_factory=DetectionMetrics)

    def __add__(self, other: ShotMetrics) -> ShotMetrics:
        return ShotMetrics(self.cuts + other.cuts, self.gradual + other.gradual)

    @property
    def pooled(self) -> DetectionMetrics:
        return self.cuts + self.gradual


def judge_transitions(
    truth: Sequence[TransitionSpan], found: Sequence[TransitionSpan], *, tolerance: Frames
) -> ShotMetrics:
    """Metrics of one film. A pair matches if the spans, each end moved out by `tolerance` in all, share a frame.

    As in TRECVID each true transition takes the first found one that is free, in order of time.
    """
    free = sorted(found)
    hits: list[TransitionSpan] = []
    for span in sorted(truth):
        match = next((other for other in free if _overlap(span, other, tolerance)), None)
        if match is not None:
            free.remove(match)
            hits.append(span)
    return ShotMetrics(*(_counts(truth, hits, free, gradual=gradual) for gradual in (False, True)))


def _counts(
    truth: Sequence[TransitionSpan], hits: Sequence[TransitionSpan], wrong: Sequence[TransitionSpan], *, gradual: bool
) -> DetectionMetrics:
    true, matched, false = (sum(span.gradual == gradual for span in spans) for spans in (truth, hits, wrong))
    return DetectionMetrics(matched, false, true - matched)


def _overlap(one: TransitionSpan, other: TransitionSpan, tolerance: Frames) -> bool:
    return one.first - tolerance <= other.last and other.first <= one.last + tolerance
