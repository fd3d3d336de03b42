"""What people say of previews that were published: the rows, which of them stand, and what may be published instead.

Rows are added and never changed; whoever takes a verdict back adds a row that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from featurization.media import Segment
from ranking.gates import Rejected
from steps.feedback import REVIEW_ROWS, GoldenClip
from steps.previews import Preview
from steps.tables import Table

Decision = Literal["approved", "rejected", "adjusted"]
Reason = Literal["", "ad", "spoiler", "dull", "cut off", "wrong speaker", "other"]
REASONS: tuple[Reason, ...] = ("ad", "spoiler", "dull", "cut off", "wrong speaker", "other")
_GRADES: dict[Reason, int] = {"cut off": 1, "wrong speaker": 1}  # the moment may be right; all others are useless: 0
_APPROVED = 4
_SAME_S = 0.05


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody says of a preview. Times are seconds of the asset."""

    id: str
    who: str
    when: str  # ISO 8601, UTC
    decision: Decision
    moments: tuple[Segment, ...]  # those that were heard; of "adjusted", those that are wanted
    recipe: str  # of the preview that was judged
    reason: Reason = ""
    note: str = ""
    before: Preview | None = None  # what this took out of publication
    withdraws: str = ""  # id of the row that this one takes back; it says nothing itself


REVIEWS = Table(REVIEW_ROWS, Review)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was said of an asset's previews, for whoever chooses the next one."""

    rejected: tuple[Rejected, ...] = ()
    wanted: tuple[Segment, ...] = ()  # by the last editor who set the edges; empty leaves it to the ranker


NOT_REVIEWED = Reviewed()


def standing_reviews(rows: Iterable[Review]) -> list[Review]:
    """The reviews that nobody took back, oldest first."""
    said = sorted(rows, key=lambda row: (row.when, row.id))
    gone = {row.withdraws for row in said}
    return [row for row in said if not row.withdraws and row.id not in gone]


def reviewed(rows: Iterable[Review]) -> Reviewed:
    """What the rows of an asset leave to be published; what was said last of a stretch holds."""
    rejected: list[Rejected] = []
    wanted: tuple[Segment, ...] = ()
    for review in standing_reviews(rows):
        rejected = [one for one in rejected if not any(_same(one, moment) for moment in review.moments)]
        if review.decision == "rejected":
            rejected += [Rejected(m.start, m.end, review.reason) for m in review.moments]
            wanted = () if _all_same(wanted, review.moments) else wanted
        elif review.decision == "adjusted":
            wanted = review.moments
    return Reviewed(tuple(rejected), wanted)


def judged(preview: Preview, rows: Iterable[Review]) -> Review | None:
    """The last review of what a preview plays; None if nobody judged it yet."""
    about = [review for review in standing_reviews(rows) if _all_same(review.moments, preview.moments)]
    return about[-1] if about else None


def taught(review: Review, asset_id: str) -> list[GoldenClip]:
    """What a review teaches, or takes back, as a golden clip for each of its moments."""
    grade = _GRADES.get(review.reason, 0) if review.decision == "rejected" else _APPROVED
    note = ": ".join(filter(None, (review.reason or review.decision, review.note)))
    return [
        GoldenClip(
            moment.start,
            moment.end,
            id=f"{review.id}-{index}",
            asset=asset_id,
            who=review.who,
            when=review.when,
            grade=grade,
            note=note,
            source="verdict",
            withdraws=f"{review.withdraws}-{index}" if review.withdraws else "",
        )
        for index, moment in enumerate(review.moments)
    ]


def _same(one: Segment, other: Segment) -> bool:
    return max(abs(one.start - other.start), abs(one.end - other.end)) <= _SAME_S


def _all_same(some: Sequence[Segment], others: Sequence[Segment]) -> bool:
    return len(some) == len(others) and all(_same(one, other) for one, other in zip(some, others, strict=True))
