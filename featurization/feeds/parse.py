"""Feeds as they are in the wild, RSS and Atom, as frozen values: `parse_feed(data, base_url=…) -> Feed`.

Three passes over one document: `feed_repair` makes it well-formed, feedparser reads what RSS, Atom, iTunes and Media
RSS say, `podcast_namespace` reads the Podcasting 2.0 tags of the very same elements.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from time import struct_time
from typing import Any
from urllib.parse import unquote, urlsplit

import feedparser
from lxml import etree

from featurization.errors import SourceError
from featurization.feeds.model import Enclosure, Feed, FeedItem
from featurization.feeds.podcast_namespace import PodcastTags, absolute, children, read_podcast_tags
from featurization.feeds.repair import repair
from featurization.feeds.rights import rights_from
from featurization.feeds.text import iso_date, one_line, plain_text, seconds, whole_number

__all__ = ["Feed", "FeedItem", "parse_feed"]

_NOT_MEDIA = (
    "image/",
    "text/",
    "font/",
    "application/pdf",
    "application/x-bittorrent",
    "application/epub",
    "application/zip",
)
_NOT_MEDIA_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".gif", ".webp", ".pdf", ".txt", ".html", ".epub", ".torrent")
)
_EPISODE_TYPES = frozenset(("full", "trailer", "bonus"))
_YES = frozenset(("yes", "true", "explicit", "1"))
_CORE_NAMESPACES = frozenset(
    (
        "",
        "http://www.w3.org/2005/atom",
        "http://purl.org/atom/ns#",
        "http://purl.org/rss/1.0/",
        "http://my.netscape.com/rdf/simple/0.9/",
    )
)


def parse_feed(data: bytes, *, base_url: str, charset: str = "") -> Feed:
    """The feed in `data`; `base_url` resolves relative addresses and names the feed in errors, `charset` is what the
    transport declared.

    Raises SourceError, in one line, if this is no feed.
    """
    root = repair(data, base_url=base_url, charset=charset)
    parsed = _feedparser(root, base_url)
    if not parsed.version and not parsed.entries:
        raise SourceError(
            f"{base_url}: not a feed (its root element is <{etree.QName(root).localname}>); "
            "give the address of an RSS or Atom feed"
        )
    return _feed(parsed, root, base_url)


def _feedparser(root: etree._Element, base_url: str) -> Any:
    # sanitising is ten times slower than parsing, and `plain_text` leaves no markup to sanitise
    return feedparser.parse(
        io.BytesIO(etree.tostring(root, encoding="utf-8")),
        response_headers={"content-location": base_url, "content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _feed(parsed: Any, root: etree._Element, base_url: str) -> Feed:
    head, channel = parsed.feed, _channel(root)
    tags = read_podcast_tags(channel, where="channel")
    title, author, copyright_text = one_line(head.get("title", "")), _author(head), one_line(head.get("rights", ""))
    feed = Feed(
        title=title,
        url=base_url,
        link=head.get("link", "").strip(),
        guid=tags.guid or _own_id(channel),
        author=author,
        description=plain_text(head.get("subtitle", "") or head.get("summary", "")),
        language=head.get("language", "").strip(),
        image=_image(head, channel),
        explicit=bool(_explicit(channel)),
        medium=tags.medium or "podcast",
        locked=tags.locked,
        moved_to=_moved_to(root),
        categories=_categories(head),
        persons=tags.persons,
        rights=rights_from(tags.licenses, copyright_text=copyright_text, author=author or title),
    )
    entries = zip(parsed.entries, _item_elements(root, count=len(parsed.entries)), strict=True)
    items = (_item(e, element, feed=feed, channel=tags, copyright_text=copyright_text) for e, element in entries)
    return replace(feed, items=tuple(items))


def _channel(root: etree._Element) -> etree._Element:
    return next((tag.element for tag in children(root) if tag.name == "channel"), root)


def _item_elements(root: etree._Element, *, count: int) -> list[etree._Element]:
    """The elements that feedparser took for entries, in its order."""
    found = [e for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname.lower() in {"item", "entry"}]
    ours = [e for e in found if (etree.QName(e).namespace or "").lower() in _CORE_NAMESPACES]
    return ours if len(ours) == count else [etree.Element("item") for _ in range(count)]


def _item(entry: Any, element: etree._Element, *, feed: Feed, channel: PodcastTags, copyright_text: str) -> FeedItem:
    tags = read_podcast_tags(element, where="item")
    media = _media(entry, element, tags)
    first = media[0] if media else Enclosure("")
    own_author, explicit = _author(entry), _explicit(element)
    author = own_author or feed.author
    copyright_text = one_line(entry.get("rights", "")) or copyright_text
    return FeedItem(
        title=one_line(entry.get("title", "")) or _file_stem(first.url),
        url=first.url,
        guid=_own_id(element) or first.url or entry.get("id", ""),
        type=first.type,
        length_bytes=first.length_bytes,
        duration_s=seconds(entry.get("itunes_duration", "")) or _media_duration(entry),
        link=absolute(feed.url, entry.get("link", "")),
        author=author,
        description=_description(entry),
        published=_published(entry),
        season=tags.season or whole_number(entry.get("itunes_season", "")),
        episode=tags.episode or whole_number(entry.get("itunes_episode", "")),
        episode_type=_episode_type(entry),
        explicit=feed.explicit if explicit is None else explicit,
        image=_image(entry, element) or feed.image,
        categories=_categories(entry),
        persons=tags.persons or channel.persons,
        soundbites=tags.soundbites,
        chapters=tags.chapters,
        chapters_file=tags.chapters_file,
        transcripts=tags.transcripts,
        alternates=tuple(media[1:]),
        rights=rights_from(
            (*tags.licenses, *channel.licenses), copyright_text=copyright_text, author=author or feed.title
        ),
    )


def _media(entry: Any, element: etree._Element, tags: PodcastTags) -> list[Enclosure]:
    """Where the episode's media can be had, best first: the enclosure every player uses, then the alternate that is
    marked default, then Media RSS, then other sound, then pictures. What is no media (covers, PDFs) is left out.
    """
    base = element.base or ""
    enclosures = [
        Enclosure(absolute(base, e.get("href", "")), e.get("type", "").lower(), whole_number(e.get("length", "")))
        for e in entry.get("enclosures", ())
    ]
    media_rss = [
        Enclosure(absolute(base, m.get("url", "")), m.get("type", "").lower(), whole_number(m.get("filesize", "")))
        for m in entry.get("media_content", ())
        if m.get("medium", "audio") in {"audio", "video"}
    ]
    others = [a for a in tags.alternates if not a.default]
    ordered = [
        *enclosures,
        *(a for a in tags.alternates if a.default),
        *media_rss,
        *sorted(others, key=lambda alternate: alternate.type.startswith("video/")),
    ]
    by_url: dict[str, Enclosure] = {}
    for enclosure in filter(_may_be_media, ordered):
        by_url.setdefault(enclosure.url, enclosure)
    return list(by_url.values())


def _may_be_media(enclosure: Enclosure) -> bool:
    if enclosure.type.startswith(("audio/", "video/")):
        return bool(enclosure.url)
    suffix = PurePosixPath(urlsplit(enclosure.url).path).suffix.lower()
    return bool(enclosure.url) and not enclosure.type.startswith(_NOT_MEDIA) and suffix not in _NOT_MEDIA_SUFFIXES


def _own_id(element: etree._Element) -> str:
    """The guid verbatim: feedparser would resolve it against the feed's address, and a feed may move."""
    texts = (" ".join(tag.text.split()) for tag in children(element) if tag.name in {"guid", "id"} and not tag.space)
    return next(filter(None, texts), "")


def _file_stem(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).stem


def _media_duration(entry: Any) -> float:
    return next((length for m in entry.get("media_content", ()) if (length := seconds(m.get("duration", "")))), 0.0)


def _description(entry: Any) -> str:
    contents = (plain_text(content.get("value", "")) for content in entry.get("content", ()))
    return next(filter(None, contents), "") or plain_text(entry.get("summary", ""))


def _published(entry: Any) -> str:
    for name in ("published", "updated"):
        moment: struct_time | None = entry.get(f"{name}_parsed") if name in entry else None
        written = iso_date(entry.get(name, "")) if name in entry else ""
        if written or moment:
            return written or datetime(*moment[:6], tzinfo=UTC).isoformat()  # type: ignore[index, misc]
    return ""


def _episode_type(entry: Any) -> str:
    stated = one_line(entry.get("itunes_episodetype", "")).lower()
    return stated if stated in _EPISODE_TYPES else "full"


def _explicit(element: etree._Element) -> bool | None:
    stated = [tag.text.lower() for tag in children(element) if tag.name == "explicit" and tag.text]
    return stated[0] in _YES if stated else None


def _author(head: Any) -> str:
    name = one_line(head.get("author_detail", {}).get("name", "") or head.get("author", ""))
    address = re.fullmatch(r"\S+@\S+ \((.+)\)", name)
    return address[1] if address else name


def _image(head: Any, element: etree._Element) -> str:
    thumbnails = (thumbnail.get("url", "") for thumbnail in head.get("media_thumbnail", ()))
    stated = (head.get("image", {}).get("href", ""), *thumbnails, head.get("logo", ""), head.get("icon", ""))
    return absolute(element.base or "", next(filter(None, stated), ""))


def _categories(head: Any) -> tuple[str, ...]:
    terms = (one_line(tag.get("term") or "") for tag in head.get("tags", ()))
    return tuple(dict.fromkeys(filter(None, terms)))


def _moved_to(root: etree._Element) -> str:
    return next(
        (
            absolute(element.base or "", element.text or "")
            for element in (*root.iterchildren(), *_channel(root).iterchildren(), *root.iter("newLocation"))
            if isinstance(element.tag, str) and etree.QName(element).localname in {"new-feed-url", "newLocation"}
        ),
        "",
    )
