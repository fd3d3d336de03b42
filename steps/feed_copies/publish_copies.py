"""Copies of the ingested feeds that name what was found: soundbites, transcripts and chapters."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping

from featurization.errors import SourceError
from featurization.media import Asset, Segment, Soundbite, TranscriptFile
from steps.feed_copies.annotate import Additions, annotate_feed
from steps.ingest import FEEDS, FeedDocument
from steps.previews import PREVIEWS, Preview
from steps.settings import Settings
from steps.store import Store
from steps.tables import ASSETS

log = logging.getLogger(__name__)


def write_feed_copies(*, settings: Settings, store: Store, feed: str = "") -> tuple[str, ...]:
    """Annotate every ingested feed, or the one of this address, under `feeds/`; returns the store keys.

    Doing it twice changes nothing.
    """
    previews = {asset_id: rows[0] for asset_id, rows in store.read(PREVIEWS).items()}
    assets = {asset_id: rows[0] for asset_id, rows in store.read(ASSETS, list(previews)).items()}
    documents = [rows[0] for _, rows in sorted(store.read(FEEDS).items()) if feed in ("", rows[0].url)]
    written = (_write(document, previews, assets, settings=settings, store=store) for document in documents)
    return tuple(key for key in written if key)


def _write(
    document: FeedDocument,
    previews: Mapping[str, Preview],
    assets: Mapping[str, Asset],
    *,
    settings: Settings,
    store: Store,
) -> str:
    base = settings.publish.base_url or "../previews"
    mine = {a: asset for a, asset in assets.items() if asset.feed == document.url}
    additions = {asset.guid or asset.source: _additions(previews[a], f"{base}/{a}") for a, asset in mine.items()}
    try:
        annotated = annotate_feed(store.files.read(document.blob), additions, base_url=document.url)
    except SourceError as error:
        log.warning("%s: no copy of the feed: %s", document.url, error)
        return ""
    key = f"feeds/{_slug(document)}.xml"
    store.files.write(key, annotated)
    return key


def _additions(preview: Preview, folder: str) -> Additions:
    if preview.status != "published":
        return Additions()
    return Additions(
        soundbites=tuple(_soundbite(moment, preview) for moment in preview.moments),
        transcripts=(TranscriptFile(f"{folder}/transcript.vtt", "text/vtt"),),
        chapters_url=f"{folder}/chapters.json",
    )


def _soundbite(moment: Segment, preview: Preview) -> Soundbite:
    return Soundbite(moment.start, moment.end, preview.text)


def _slug(document: FeedDocument) -> str:
    """A readable name that two shows of one title do not share."""
    name = re.sub(r"[^a-z0-9]+", "-", document.title.lower()).strip("-") or "feed"
    return f"{name}-{hashlib.sha256(document.url.encode()).hexdigest()[:6]}"
