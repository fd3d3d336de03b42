"""The report of an ingest: what came in, what it took to fetch it, and what could not be had."""

from __future__ import annotations

from steps.costs import PriceOptions, RunRecord, storage_cost
from steps.ingest import Summary
from steps.intake.listing import Listing
from steps.reporting.cost_sections import costs_sections, money, seconds, sized
from steps.reporting.hearing_report import quarantine_section
from steps.reporting.numbers import counted
from steps.reporting.page import document, heading, joined, note, provenance, tiles
from steps.version import VERSION

_TITLE = "What came in"


def ingest_report(listing: Listing, summary: Summary, record: RunRecord, prices: PriceOptions) -> str:
    """A self-contained HTML document, light and dark; nothing is fetched, and every text is escaped."""
    parts = [
        heading(_TITLE, record.run, listing.title),
        tiles(_figures(listing, summary)),
        note(_kept(summary, prices)),
        quarantine_section(summary.problems),
        costs_sections(record, prices),
        provenance([("run", record.run), ("code", f"rushes {VERSION}")]),
    ]
    return document(_TITLE, joined(parts))


def _figures(listing: Listing, summary: Summary) -> list[tuple[str, str]]:
    shown = [
        (f"{len(listing.items):,}", f"listed by the {listing.kind}"),
        (f"{len(summary.assets):,}", "assets"),
        (f"{summary.media_s / 3600:,.2f} h", "of media"),
        (f"{summary.downloads:,}", "fetched"),
        (sized(summary.fetched_bytes), "moved for them"),
        (seconds(summary.fetch_s), "of waiting for sources"),
    ]
    return [*shown, (f"{len(summary.problems):,}", "quarantined")] if summary.problems else shown


def _kept(summary: Summary, prices: PriceOptions) -> str:
    known = len(summary.assets) - summary.downloads
    told = f"{counted(known, 'asset')} had not changed since they were last fetched." if known > 0 else ""
    if not summary.fetched_bytes:
        return told or "Nothing was fetched."
    monthly = money(storage_cost(summary.fetched_bytes, prices), prices)
    return f"{told} What was fetched costs {monthly} a month to keep. Several items are fetched at a time.".strip()
