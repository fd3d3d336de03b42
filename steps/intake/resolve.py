"""What a user names as a source, resolved to a listing of what to ingest, fetching no media."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from featurization.errors import ConfigError, SourceError, UnreachableMedia
from featurization.feeds.model import Enclosure, Feed, FeedItem
from featurization.feeds.parse import parse_feed
from featurization.feeds.repair import decode
from featurization.media import Quarantined
from steps.intake.download import fetch_document
from steps.intake.fetching import DownloadOptions, is_remote, shown
from steps.intake.listing import Listing, SourceItem
from steps.intake.manifest import is_csv_manifest, read_manifest
from steps.intake.sidecars import sidecar_owners
from steps.intake.sniff import HEAD_BYTES, Kind, sniff

_MEDIA_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        "mp3 m4a m4b aac ogg oga opus flac wav wma aif aiff amr spx mp1 mp2 mka "
        "mp4 mkv webm mov m4v avi wmv mpg mpeg ts mts m2ts vob flv f4v 3gp 3g2 ogv mxf asf divx dv rm rmvb nut y4m"
    ).split()
)
_FEED_SCHEMES = {"feed", "itpc", "pcast", "podcast"}


def resolve(source: str, *, limit: int | None, client: httpx.Client, options: DownloadOptions) -> Listing:
    """What an ingest of `source` would make: the address of a feed or of media, or the path of a feed, a media file, a
    folder or a CSV or Parquet manifest. Feeds are listed newest first, the rest in order; `limit` keeps the first.

    Raises SourceError, in one line, if the source as a whole is unusable.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is {limit}; it counts the episodes to take, so give 1 or more")
    if is_remote(source):
        listing = _from_web(_web_address(source), client, options)
    elif os.path.isdir(path := Path(source).expanduser()):  # noqa: PTH112 - unlike Path.is_dir, never raises
        listing = _folder(path)
    else:
        listing = _file(path, client, options)
    return replace(listing, items=listing.items[:limit])


def _web_address(source: str) -> str:
    scheme, _, rest = source.strip().partition("://")
    return f"https://{rest}" if scheme.lower() in _FEED_SCHEMES else source.strip()


def _from_web(url: str, client: httpx.Client, options: DownloadOptions) -> Listing:
    try:
        document = fetch_document(url, client=client, options=options)
    except UnreachableMedia as error:
        raise SourceError(str(error)) from error
    if document.media:
        name = unquote(Path(urlsplit(url).path).stem) or shown(url)
        return Listing("file", name, (SourceItem(FeedItem(title=name, url=url, type=document.content_type)),))
    feed = parse_feed(document.data, base_url=document.final_url, charset=document.charset)
    return replace(_feed_listing(feed, Origin(url, folder=None)), document=document.data)


def _file(path: Path, client: httpx.Client, options: DownloadOptions) -> Listing:
    kind, head = _sniffed(path)
    if kind == "parquet" or (kind == "text" and (path.suffix.lower() == ".csv" or is_csv_manifest(decode(head)))):
        items, problems = read_manifest(path)
        return Listing("manifest", path.stem, items, problems)
    if kind == "feed" or head.startswith(b"\x1f\x8b"):
        document = fetch_document(str(path), client=client, options=options)
        feed = parse_feed(document.data, base_url=path.resolve().as_uri())
        return replace(_feed_listing(feed, Origin(str(path), folder=path.resolve().parent)), document=document.data)
    if kind in {"media", "binary"} or path.suffix.lower() in _MEDIA_SUFFIXES:
        return Listing("file", path.stem, (_media_file(path),))
    raise SourceError(
        f"{path}: {_WHAT[kind]}, neither feed, media nor manifest; give one of these or a folder of media"
    )


_WHAT = {"empty": "an empty file", "page": "a web page", "text": "a text file"}


def _sniffed(path: Path) -> tuple[Kind, bytes]:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        hint = f"; for a web address write https://{path}" if "." in str(path).partition("/")[0].strip(".") else ""
        raise SourceError(
            f"{path}: no such file or folder{hint}; give a feed, media file, folder or manifest"
        ) from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    return sniff(head), head


def _media_file(path: Path) -> SourceItem:
    return SourceItem(FeedItem(title=path.stem, url=str(path.resolve()), length_bytes=path.stat().st_size))


def _folder(root: Path) -> Listing:
    items: list[SourceItem] = []
    skipped: list[str] = []
    problems: list[Quarantined] = []
    for path in _walk(root, skipped):
        try:
            kind, _ = _sniffed(path)
        except SourceError as error:
            problems.append(Quarantined(str(path), "unreadable", str(error), "ingest", path.stem))
            continue
        if kind == "media" or path.suffix.lower() in _MEDIA_SUFFIXES:
            items.append(_media_file(path))
        else:
            skipped.append(str(path.relative_to(root)))
    skipped = _without_sidecars(root, skipped, items)
    return Listing("folder", root.resolve().name, tuple(items), tuple(problems), tuple(sorted(skipped)))


def _without_sidecars(root: Path, skipped: list[str], items: list[SourceItem]) -> list[str]:
    """Skipped files less the subtitles, which are no media but come along with theirs."""
    media = {Path(item.location).with_suffix("") for item in items}
    folder = root.resolve()
    return [
        name
        for name in skipped
        if not any((folder / name).parent / stem in media for stem, _ in sidecar_owners(Path(name)))
    ]


def _walk(root: Path, skipped: list[str]) -> Iterator[Path]:
    """The files under `root` in order of their paths; what is hidden goes to `skipped`, unopened."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(root):
        here = Path(folder)
        skipped += [str((here / name).relative_to(root)) for name in (*subfolders, *names) if name.startswith(".")]
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [here / name for name in names if not name.startswith(".")]
    yield from sorted(found)


@dataclass(frozen=True)
class Origin:
    """Where a feed came from, and therefore what it may point at: the web; and, for a feed on this disk, its folder."""

    address: str
    folder: Path | None

    def allowed(self, url: str) -> str:
        """`url` as an http(s) URL or an absolute path; "" if a feed from here may not have it read."""
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.netloc:
            return url
        if parts.scheme != "file" or self.folder is None or parts.netloc not in {"", "localhost"} or "%00" in url:
            return ""
        path = Path(os.path.realpath(unquote(parts.path)))
        return str(path) if path.is_relative_to(self.folder) else ""


def _feed_listing(feed: Feed, origin: Origin) -> Listing:
    title = feed.title or Path(urlsplit(origin.address).path).stem or origin.address
    items: dict[str, SourceItem] = {}
    problems: list[Quarantined] = []
    for item in sorted(
        feed.items, key=lambda item: item.published, reverse=True
    ):  # stable: undated stay in order, last
        media = [replace(e, url=url) for e in _enclosures(item) if (url := origin.allowed(e.url))]
        if media:
            entry = SourceItem(
                _readable(item, media, origin),
                show=title,
                feed=origin.address,
                language=feed.language,
                categories=feed.categories,
            )
            items.setdefault(entry.location, entry)
        else:
            problems.append(_no_media(item, origin))
    if not feed.items:
        problems.append(Quarantined(origin.address, "no-items", _why_empty(feed), "ingest", title))
    return Listing("feed", title, tuple(items.values()), tuple(problems))


def _enclosures(item: FeedItem) -> tuple[Enclosure, ...]:
    first = (Enclosure(item.url, item.type, item.length_bytes),) if item.url else ()
    return first + item.alternates


def _readable(item: FeedItem, media: list[Enclosure], origin: Origin) -> FeedItem:
    """The item with only such addresses as may be read."""
    chapters = origin.allowed(item.chapters_file.url) if item.chapters_file else ""
    return replace(
        item,
        url=media[0].url,
        type=media[0].type,
        length_bytes=media[0].length_bytes,
        alternates=tuple(media[1:]),
        image=origin.allowed(item.image),
        chapters_file=replace(item.chapters_file, url=chapters) if item.chapters_file and chapters else None,
        transcripts=tuple(replace(t, url=url) for t in item.transcripts if (url := origin.allowed(t.url))),
    )


def _no_media(item: FeedItem, origin: Origin) -> Quarantined:
    if item.url and origin.folder is None:
        detail = f"{item.url}: a feed from the web may only point at http and https addresses; ask its publisher"
        return Quarantined(item.url, "refused", detail, "ingest", item.title)
    if item.url:
        detail = f"{item.url}: outside the feed's folder; move the file there or list it in a manifest"
        return Quarantined(item.url, "refused", detail, "ingest", item.title)
    where = item.link or origin.address
    return Quarantined(
        where, "no-media", "the item has no enclosure, so there is nothing to hear", "ingest", item.title
    )


def _why_empty(feed: Feed) -> str:
    moved = f"it moved to {feed.moved_to}; give that address" if feed.moved_to else "check that it is the right address"
    return f"the feed has no episodes; {moved}"
