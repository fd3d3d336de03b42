"""What an ingest would make of a source: the values, and the same as plain data for `rushes feed --json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from featurization.feeds.model import FeedItem
from featurization.media import Quarantined

SourceKind = Literal["feed", "file", "folder", "manifest"]


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One thing to fetch and make an asset of. Its addresses are http(s) URLs or absolute paths that may be read."""

    item: FeedItem
    show: str = ""
    feed: str = ""  # address or path of the feed it comes from; empty if none
    language: str = ""
    categories: tuple[str, ...] = ()  # of the feed

    @property
    def location(self) -> str:
        """Where the media is: an http(s) URL or an absolute path."""
        return self.item.url


@dataclass(frozen=True, slots=True)
class Listing:
    """A source resolved. `problems` are broken entries; `skipped` names files of a folder that are no media."""

    kind: SourceKind
    title: str
    items: tuple[SourceItem, ...] = ()
    problems: tuple[Quarantined, ...] = ()
    skipped: tuple[str, ...] = ()
    document: bytes = field(default=b"", repr=False)  # the feed as fetched; its copy is annotated when publishing


def listing_json(listing: Listing) -> dict[str, Any]:
    """The listing as plain data for JSON: kind, title, count, items, problems, skipped."""
    return {
        "kind": listing.kind,
        "title": listing.title,
        "count": len(listing.items),
        "items": [_item_json(entry) for entry in listing.items],
        "problems": [asdict(problem) for problem in listing.problems],
        "skipped": list(listing.skipped),
    }


def _item_json(entry: SourceItem) -> dict[str, Any]:
    plain = asdict(entry.item)
    for transcript in plain["transcripts"]:
        del transcript["blob"]  # nothing has been fetched
    return {"show": entry.show, "feed": entry.feed, "language": entry.language, **_tuples_to_lists(plain)}


def _tuples_to_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples_to_lists(inner) for key, inner in value.items()}
    return [_tuples_to_lists(inner) for inner in value] if isinstance(value, (tuple, list)) else value
