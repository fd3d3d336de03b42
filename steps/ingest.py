"""Fetch what a source lists, verify it, keep it by content, and commit the assets of all batches at once."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import httpx

from featurization.errors import MediaError, RushesError
from featurization.feeds.parse import FeedItem
from featurization.feeds.podcast_namespace import chapters_within, parse_chapters
from featurization.media import Asset, Chapter, Quarantined, Soundbite
from featurization.probe import Probe, probe
from steps.costs import Effort
from steps.intake.download import Downloaded, download, fetch_document
from steps.intake.fetching import Validators, open_client
from steps.intake.listing import Listing, SourceItem
from steps.intake.resolve import resolve
from steps.intake.sidecars import attach_subtitles
from steps.logs import about
from steps.quarantine import quarantined, set_aside, task_failed
from steps.settings import Settings
from steps.staging import Rows, Staging, Work, work_through
from steps.store import Store
from steps.tables import ASSETS, QUARANTINE, Table, only
from steps.traces import span

log = logging.getLogger(__name__)
Outcome = Literal["complete", "partial"]


@dataclass(frozen=True)
class Ingested:
    """What became of one item of a listing."""

    asset: Asset | None = None
    problem: Quarantined | None = None
    fetched_bytes: int = 0  # 0 if the address still gives what it gave before
    fetch_s: float = 0.0  # on asking and fetching, while others were fetched too


INGESTED = Table("ingested", Ingested)


@dataclass(frozen=True)
class Summary:
    """What a whole run brought in."""

    assets: tuple[str, ...]  # ids in the order of the source, each once
    problems: tuple[Quarantined, ...]
    downloads: int = 0  # the others were known already
    fetched_bytes: int = 0
    fetch_s: float = 0.0
    media_s: float = 0.0  # of the assets

    @property
    def effort(self) -> Effort:
        """What was done, as the costs of a run are made of it."""
        return Effort(len(self.assets), self.media_s)

    @property
    def outcome(self) -> Outcome:
        return "partial" if self.problems else "complete"


@dataclass(frozen=True)
class Fetched:
    """What an address gave when it was last fetched, so that it is fetched again only if it changed."""

    sha256: str
    blob: str
    size_bytes: int
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed as it was last ingested."""

    url: str
    blob: str  # store key of its bytes
    title: str


FEEDS = Table("feeds", FeedDocument)  # keyed by a digest of the address


def list_source(source: str, *, limit: int, settings: Settings) -> Listing:
    """What `source` offers; `limit` 0 takes all. Raises SourceError if the source as a whole is unusable."""
    with open_client(settings.download) as client:
        return resolve(source, limit=limit or None, client=client, options=settings.download)


def plan_batches(listing: Listing, settings: Settings) -> list[tuple[int, int]]:
    """Half-open ranges of items, one per task; at least one, so that an empty source still ends in a summary."""
    count = len(listing.items)
    step = max(settings.ingest.items_per_task, -(-count // settings.fanout.max_tasks), 1)
    return [(first, min(first + step, count)) for first in range(0, max(count, 1), step)]


def ingest_batch(
    listing: Listing, batch: tuple[int, int], *, run: str, settings: Settings, store: Store
) -> list[Ingested]:
    """Fetch and keep the items of one batch, a few at a time, in their order."""
    items = {_source_id(item.location): item for item in reversed(listing.items[slice(*batch)])}
    with open_client(settings.download) as client:

        def fetch(key: str) -> tuple[Ingested, Rows]:
            with about(key), span("fetch", source=items[key].location):
                return _ingest(items[key], client=client, settings=settings, store=store), {}

        def lost(key: str) -> Ingested:
            item = items[key]
            return Ingested(problem=set_aside(source=item.location, title=item.item.title, stage="ingest"))

        staging = Staging(store, run, INGESTED)
        return work_through([*reversed(items)], Work(fetch, lost), staging, threads=settings.ingest.threads)


def _ingest(source: SourceItem, *, client: httpx.Client, settings: Settings, store: Store) -> Ingested:
    try:
        begun = time.monotonic()
        location, (fetched, moved) = _fetch_any(source.item, client=client, settings=settings, store=store)
        took_s = time.monotonic() - begun
        with store.local(fetched.blob) as path:
            media = _probe(path, location)
            subtitles = () if source.item.transcripts else attach_subtitles(location, path, media, store)
        asset = replace(_asset(source, location, fetched, media), transcripts=subtitles)
        whole = _with_documents(asset, source.item, client=client, settings=settings, store=store)
        return Ingested(whole, fetched_bytes=moved, fetch_s=took_s)
    except Exception as error:  # whatever it is, the other items go on
        problem = quarantined(error, source=source.location, title=source.item.title, stage="ingest")
        return Ingested(problem=problem)


def _fetch_any(
    item: FeedItem, *, client: httpx.Client, settings: Settings, store: Store
) -> tuple[str, tuple[Fetched, int]]:
    """The media from the first of the item's addresses that works; the error of the first if none does."""
    failures: list[MediaError] = []
    for location in dict.fromkeys((item.url, *(alternate.url for alternate in item.alternates))):
        try:
            return location, _fetch(location, client=client, settings=settings, store=store)
        except MediaError as error:
            failures.append(error)
    raise failures[0]


def _fetch(location: str, *, client: httpx.Client, settings: Settings, store: Store) -> tuple[Fetched, int]:
    """What an address gives, and how many bytes had to be fetched for it."""
    known = _recall(location, store)
    validators = Validators(known.etag, known.last_modified) if known else None
    folder = Path(tempfile.gettempdir()) / "rushes-downloads"  # outlives the run: what was interrupted goes on
    got = download(location, to=folder, client=client, options=settings.download, known=validators)
    if got.not_modified and known:
        return known, 0
    fetched = Fetched(got.sha256, _keep(got, location, store), got.size_bytes, got.etag, got.last_modified)
    store.files.write(_memory(location), json.dumps(asdict(fetched), sort_keys=True).encode())
    return fetched, 0 if known and known.sha256 == got.sha256 else got.size_bytes


def _keep(got: Downloaded, location: str, store: Store) -> str:
    key = store.put_blob(got.path, got.sha256)
    if got.path.resolve() != Path(location).resolve():  # a download, not the user's own file
        got.path.unlink(missing_ok=True)
    return key


def _memory(location: str) -> str:
    return f"fetches/{hashlib.sha256(location.encode()).hexdigest()[:32]}.json"


def _recall(location: str, store: Store) -> Fetched | None:
    if not store.files.exists(_memory(location)):
        return None
    fetched = Fetched(**json.loads(store.files.read(_memory(location))))
    return fetched if store.files.exists(fetched.blob) else None


def _probe(path: Path, location: str) -> Probe:
    """The probe, with errors that name the address that the user knows and not our copy."""
    try:
        media = probe(path)
    except MediaError as error:
        raise type(error)(str(error).replace(str(path), location).replace(path.name, location)) from error
    for problem in media.problems:
        log.warning("%s", problem.replace(path.name, location))
    return media


def _asset(source: SourceItem, location: str, fetched: Fetched, media: Probe) -> Asset:
    item = source.item
    return Asset(
        asset_id=fetched.sha256[:16],
        sha256=fetched.sha256,
        blob=fetched.blob,
        size_bytes=fetched.size_bytes,
        duration_s=media.duration_s,
        kind=media.kind,
        container=media.container,
        codec=media.codec,
        rate_hz=media.rate_hz,
        channels=media.channels,
        title=item.title or media.title or location,
        source=location,
        show=source.show or media.artist,
        guid=item.guid,
        feed=source.feed,
        link=item.link,
        author=item.author,
        description=item.description,
        published=item.published,
        language=source.language,
        season=item.season,
        episode=item.episode,
        image=item.image,
        explicit=item.explicit,
        categories=tuple(dict.fromkeys((*item.categories, *source.categories))),
        persons=tuple(f"{person.name} ({person.role})" for person in item.persons),
        soundbites=_within(item.soundbites, media.duration_s),
        chapters=chapters_within(item.chapters or media.chapters, duration_s=media.duration_s),
        rights=item.rights,
        has_audio=media.has_audio,
        width=media.width,
        height=media.height,
        frame_rate=media.frame_rate,
    )


def _within(clips: Iterable[Soundbite], duration_s: float) -> tuple[Soundbite, ...]:
    """Clips that lie in the recording; what reaches over its end is cut there."""
    return tuple(replace(clip, end=min(clip.end, duration_s)) for clip in clips if clip.start < duration_s)


def _with_documents(asset: Asset, item: FeedItem, *, client: httpx.Client, settings: Settings, store: Store) -> Asset:
    """The asset with its transcripts, chapters and picture. A document that cannot be had is left out and said."""

    def get(url: str) -> bytes:
        try:
            return fetch_document(url, client=client, options=settings.download).data
        except RushesError as error:
            log.warning("%s: left out: %s", asset.title, error)
            return b""

    def keep(url: str) -> str:
        data = get(url)
        return store.put_bytes(data, Path(httpx.URL(url).path).suffix.lower()) if data else ""

    return replace(
        asset,
        transcripts=tuple(replace(file, blob=keep(file.url)) for file in item.transcripts) or asset.transcripts,
        image_blob=keep(item.image) if item.image else "",
        chapters=asset.chapters or _chapters(asset, get(item.chapters_file.url) if item.chapters_file else b""),
    )


def _chapters(asset: Asset, document: bytes) -> tuple[Chapter, ...]:
    if not document:
        return ()
    try:
        return chapters_within(parse_chapters(document), duration_s=asset.duration_s)
    except RushesError as error:
        log.warning("%s: left out: %s", asset.title, error)
        return ()


def commit_assets(
    listing: Listing, batches: Sequence[Sequence[Ingested] | None], *, died: str, run: str, store: Store
) -> Summary:
    """Commit what all batches brought, at once; `None` stands for a batch whose task died, `died` says of what."""
    told = [one for batch in batches for one in batch or ()]
    staging = Staging(store, run, INGESTED)
    kept = (staging.recall(_source_id(source.location)) for source in _untold(listing, told))
    ingested = [*told, *filter(None, kept)]
    problems = [*listing.problems, *(one.problem for one in ingested if one.problem), *_lost(listing, ingested, died)]
    assets: dict[str, Asset] = {}
    for one in ingested:
        if one.asset:
            assets.setdefault(one.asset.asset_id, one.asset)
    known = store.read(ASSETS, list(assets))
    settled = {a: [_settled(asset, only(known.get(a, ())))] for a, asset in assets.items()}
    healed: dict[str, list[Quarantined]] = {_source_id(asset.source): [] for asset in assets.values()}
    quarantine = {_source_id(problem.source): [problem] for problem in problems}
    feeds = _feed_document(listing, store)
    if settled or quarantine or feeds:
        store.commit(run, {ASSETS: settled, QUARANTINE: {**healed, **quarantine}, FEEDS: feeds})
    return Summary(
        assets=tuple(assets),
        problems=tuple(problems),
        downloads=sum(one.fetched_bytes > 0 for one in ingested),
        fetched_bytes=sum(one.fetched_bytes for one in ingested),
        fetch_s=sum(one.fetch_s for one in ingested),
        media_s=sum(asset.duration_s for asset in assets.values()),
    )


def _feed_document(listing: Listing, store: Store) -> dict[str, list[FeedDocument]]:
    if not listing.document or not listing.items:
        return {}
    address = listing.items[0].feed
    document = FeedDocument(address, store.put_bytes(listing.document, ".xml"), listing.title)
    return {_source_id(address): [document]}


def _settled(new: Asset, known: Asset | None) -> Asset:
    """Bytes that a feed described keep that description when they are met again as a bare file."""
    return known if known and known.feed and not new.feed else new


def _source_id(source: str) -> str:
    """The key of a quarantined source, which has no bytes to be named by."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _untold(listing: Listing, ingested: Iterable[Ingested]) -> list[SourceItem]:
    """Items of which nobody has a word, because their task died."""
    told = {done.source for one in ingested if (done := one.problem or one.asset)}
    return [
        source
        for source in listing.items
        if not told & {source.location, *(alternate.url for alternate in source.item.alternates)}
    ]


def _lost(listing: Listing, ingested: Iterable[Ingested], died: str) -> Iterator[Quarantined]:
    for source in _untold(listing, ingested):
        yield task_failed(source=source.location, title=source.item.title, stage="ingest", died=died)


def describe(listing: Listing, summary: Summary) -> str:
    """A few lines for the terminal: what came in and what did not."""
    lines = [f"{listing.title}: {len(summary.assets)} assets from a {listing.kind} of {len(listing.items)} items"]
    lines += [f"quarantined: {p.title or p.source}: {p.detail}" for p in summary.problems]
    if listing.skipped:
        lines.append(f"skipped {len(listing.skipped)} files that are not media, such as {listing.skipped[0]}")
    return "\n".join(lines)
