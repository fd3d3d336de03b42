"""`rushes assets`: what is in the store, and what became of it."""

from __future__ import annotations

from dataclasses import asdict

from rich.text import Text

from serving.catalog import Entry, read_catalog
from serving.commands.terminal import clock, console, print_json, safe, table
from steps.store import Store

_STYLES = {"published": "green", "refused": "yellow", "quarantined": "red"}


def show_assets(*, as_json: bool) -> None:
    """Print every asset of the store, and every source that never became one."""
    store = Store()
    entries = read_catalog(store).entries()
    if as_json:
        print_json([asdict(entry) for entry in entries])
    elif entries:
        console().print(table(("Id!", "Title", "Show", ">Length", "State!", "Why"), [_asset_row(e) for e in entries]))
    else:
        way = "python flows/ingest_media.py run --source samples/feed.xml"
        console().print(f"{safe(store.url)} is empty; fill it with `{way}`", soft_wrap=True)


def _asset_row(entry: Entry) -> tuple[str | Text, ...]:
    length = clock(entry.duration_s) if entry.duration_s else ""
    return (entry.asset_id, entry.title, entry.show, length, _styled(entry.state), entry.reason)


def _styled(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))
