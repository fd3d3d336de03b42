"""What verdicts do to previews, whichever state of the store these are of: a rollback undoes runs, and no verdict."""

from __future__ import annotations

from collections.abc import Iterable

from steps.choose import CANDIDATES
from steps.feedback import FEEDBACK
from steps.previews import PREVIEWS, Preview
from steps.snapshots import Snapshot
from steps.store import Store, Writes
from steps.tables import only
from steps.verdicts import REVIEWS, Review, judged, standing_reviews

_RUN = "Review/"


def run_of(review: Review) -> str:
    """What stands where a run's name does, in what a review published or took back."""
    return f"{_RUN}{review.id}"


def withdrawn(shown: Preview, review: Review) -> Preview:
    """A refusal in the place of a preview; its recipe is none that a choice has, so that any choice replaces it."""
    told = ": ".join(filter(None, ("review", review.reason, review.note)))
    facts = (shown.model, shown.code, told)
    return Preview("refused", shown.title, "", run_of(review), *facts, gates=shown.gates, considered=shown.considered)


def roll_back_run(store: Store) -> Snapshot:
    """Make the state before the last run current again; what people judged stays, and holds for that state too."""
    return store.rollback(
        keep=FEEDBACK,
        passed=lambda snapshot: snapshot.run.startswith(_RUN),
        amended=lambda rolled: _held(rolled, store),
    )


def _held(rolled: Snapshot, store: Store) -> Writes:
    """What of an earlier state gives way: previews that were rejected, and those whose edges an editor moved since."""
    said = {asset_id: standing_reviews(rows) for asset_id, rows in store.read(REVIEWS).items()}
    earlier = store.read(PREVIEWS, [*said], at=rolled)
    now = store.read(PREVIEWS, [*said])
    moved = [a for a, reviews in said.items() if a in earlier and _moved(only(now.get(a, ())), reviews)]
    rejected = ((a, preview, judged(preview, said[a])) for a, (preview,) in earlier.items() if a not in moved)
    out = {a: [withdrawn(preview, by)] for a, preview, by in rejected if by and by.decision == "rejected"}
    candidates = store.read(CANDIDATES, moved)
    return {PREVIEWS: {**out, **{a: now[a] for a in moved}}, CANDIDATES: candidates}


def _moved(current: Preview | None, reviews: Iterable[Review]) -> bool:
    """Whether what is published is what an editor set, and nobody took that back."""
    adjusted = {run_of(review) for review in reviews if review.decision == "adjusted"}
    return current is not None and current.status == "published" and current.run in adjusted
