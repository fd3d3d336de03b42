"""Going back: the tables of the snapshot before, and everything readers see put in line with them."""

from __future__ import annotations

from featurization.media import Quarantined
from serving.commands.terminal import console, safe
from serving.configured import settings
from steps.commits import short_run
from steps.feed_copies.publish_copies import write_feed_copies
from steps.placing import restore_previews
from steps.previews import PREVIEWS
from steps.publish import Summary
from steps.reporting.run_report import REPORT, run_report
from steps.settings import Settings
from steps.snapshots import Snapshot
from steps.standing_verdicts import roll_back_run
from steps.store import Store
from steps.tables import QUARANTINE


def run_rollback() -> None:
    """Roll the store back and say where it stands."""
    store = Store()
    rolled = roll_back(settings=settings(), store=store)
    undone = next(s for s in store.snapshots.backwards() if s.run == rolled.run.removeprefix("rollback of "))
    console().print(
        f"undid snapshot {undone.number} ({safe(short_run(undone.run))}); snapshot {rolled.number} has the tables, "
        f"previews, feeds and report of snapshot {undone.parent}",
        soft_wrap=True,
    )


def roll_back(*, settings: Settings, store: Store) -> Snapshot:
    """Make the state before the last run current again, with its previews, copies of feeds and report.

    What people judged since stays, and holds: what was rejected is not shown again.
    """
    rolled = roll_back_run(store)
    restore_previews(store)
    kept = write_feed_copies(settings=settings, store=store)
    for name in store.files.list("feeds"):
        if f"feeds/{name}" not in kept:
            store.files.delete(f"feeds/{name}")
    summary = _published(store)
    if summary.published or summary.refused:
        run_report(summary, run=rolled.run, settings=settings, store=store)
    else:
        store.files.delete(REPORT)
    return rolled


def _published(store: Store) -> Summary:
    """What the current snapshot says was published, refused and could not be."""
    previews = {asset_id: rows[0].status for asset_id, rows in store.read(PREVIEWS).items()}
    problems: list[Quarantined] = [row for rows in store.read(QUARANTINE).values() for row in rows]
    return Summary(
        published=tuple(sorted(a for a, status in previews.items() if status == "published")),
        refused=tuple(sorted(a for a, status in previews.items() if status == "refused")),
        problems=tuple(problem for problem in problems if problem.stage == "publish"),
    )
