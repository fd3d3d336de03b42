"""The Podcasting 2.0 tags of a feed or an item, and chapters wherever they are published.

feedparser keeps only the last of repeated tags it does not know, so these are read from the tree itself.
Reference: https://github.com/Podcastindex-org/podcast-namespace
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from featurization.errors import SourceError
from featurization.feeds.model import ChaptersFile, Enclosure, Person
from featurization.feeds.text import one_line, seconds, whole_number
from featurization.media import Chapter, Soundbite, TranscriptFile

_OTHER_SPACES = {
    "psc": "psc",
    "podlove": "psc",
    "creativecommons": "cc",
    "web.resource.org/cc": "cc",
    "itunes": "itunes",
}


@dataclass(frozen=True, slots=True)
class License:
    """A licence as stated: a slug, the address of its text, and where the statement stands."""

    slug: str
    url: str
    source: str


@dataclass(frozen=True, slots=True)
class PodcastTags:
    """What a channel or an item says in the podcast namespace (and in Podlove's and Creative Commons')."""

    guid: str = ""
    locked: bool = False
    medium: str = ""
    season: int = 0
    episode: int = 0
    licenses: tuple[License, ...] = ()
    persons: tuple[Person, ...] = ()
    transcripts: tuple[TranscriptFile, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    chapters_file: ChaptersFile | None = None
    chapters: tuple[Chapter, ...] = ()  # the last one ends where it starts: the length is not known here
    alternates: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """An element with its vocabulary ("podcast", "psc", "cc", "itunes" or "") and its name in lower case."""

    space: str
    name: str
    element: etree._Element

    @property
    def text(self) -> str:
        return one_line(self.element.text or "")

    def attribute(self, name: str) -> str:
        """The attribute's value, whatever its case or namespace; "" if absent."""
        for key, value in self.element.attrib.items():
            if str(key).rpartition("}")[2].lower() == name:
                return str(value).strip()
        return ""

    def address(self, name: str) -> str:
        """An attribute holding a URL, made absolute."""
        return absolute(self.element.base or "", self.attribute(name))


def absolute(base: str, url: str) -> str:
    """`url` against `base`; "" if it is empty or malformed."""
    try:
        joined = urljoin(base, "".join(url.split("\n")).strip()) if url.strip() else ""
        urlsplit(joined)
    except ValueError:
        return ""
    return joined


def children(element: etree._Element) -> Iterator[Tag]:
    """The direct children of `element` as tags."""
    for child in element:
        if isinstance(child.tag, str):
            name = etree.QName(child)
            yield Tag(_space(child.prefix or "", (name.namespace or "").lower()), name.localname.lower(), child)


def _space(prefix: str, namespace: str) -> str:
    if prefix.lower() == "podcast" or "podcastindex" in namespace or "podcast-namespace" in namespace:
        return "podcast"
    return next((space for mark, space in _OTHER_SPACES.items() if mark in namespace), "")


def read_podcast_tags(element: etree._Element, *, where: str) -> PodcastTags:
    """The tags directly under a channel or item; `where` ("channel" or "item") names the source of licences."""
    tags = tuple(children(element))
    podcast = [tag for tag in tags if tag.space == "podcast"]
    named = {tag.name: tag for tag in reversed(podcast)}  # of tags that may stand once, the first counts

    def text(name: str) -> str:
        return named[name].text if name in named else ""

    return PodcastTags(
        guid=text("guid"),
        locked=text("locked").lower() in {"yes", "true"},
        medium=text("medium").lower(),
        season=whole_number(text("season")),
        episode=whole_number(text("episode")),
        licenses=tuple(_licenses(tags, where=where)),
        persons=tuple(_person(tag) for tag in podcast if tag.name == "person" and tag.text),
        transcripts=tuple(_transcripts(podcast)),
        soundbites=tuple(_soundbites(podcast)),
        chapters_file=_chapters_file(named.get("chapters")),
        chapters=_podlove(tags),
        alternates=tuple(_alternates(podcast)),
    )


def _licenses(tags: Iterable[Tag], *, where: str) -> Iterator[License]:
    for tag in tags:
        if tag.name == "license" and tag.space == "podcast":
            yield License(tag.text, tag.address("url"), f"{where} podcast:license")
        elif tag.name == "license":
            yield License("", tag.attribute("resource") or tag.text, f"{where} license")
        elif tag.name == "link" and tag.attribute("rel") == "license":
            yield License("", tag.attribute("href"), f"{where} link rel=license")


def _person(tag: Tag) -> Person:
    return Person(
        name=tag.text,
        role=tag.attribute("role").lower() or "host",
        group=tag.attribute("group").lower() or "cast",
        url=tag.address("href"),
        image=tag.address("img"),
    )


def _transcripts(tags: Iterable[Tag]) -> Iterator[TranscriptFile]:
    for tag in tags:
        if tag.name == "transcript" and (url := tag.address("url")):
            yield TranscriptFile(url=url, type=tag.attribute("type").lower(), language=tag.attribute("language"))


def _soundbites(tags: Iterable[Tag]) -> Iterator[Soundbite]:
    for tag in tags:
        start, duration = _start(tag.attribute("starttime")), seconds(tag.attribute("duration"))
        if tag.name == "soundbite" and start is not None and duration:
            yield Soundbite(start, start + duration, title=tag.text)


def _chapters_file(tag: Tag | None) -> ChaptersFile | None:
    url = tag.address("url") if tag else ""
    return ChaptersFile(url, tag.attribute("type").lower()) if tag and url else None


def _podlove(tags: Iterable[Tag]) -> tuple[Chapter, ...]:
    lists = [tag.element for tag in tags if tag.name == "chapters" and tag.space == "psc"]
    found = [tag for element in lists for tag in children(element) if tag.name == "chapter"]
    starts = ((_start(tag.attribute("start")), one_line(tag.attribute("title")), tag.address("href")) for tag in found)
    return _closed([(start, title, url) for start, title, url in starts if start is not None])


def _alternates(tags: Iterable[Tag]) -> Iterator[Enclosure]:
    for tag in tags:
        if tag.name != "alternateenclosure":
            continue
        for source in children(tag.element):
            if source.name == "source" and (url := source.address("uri")).startswith(("http:", "https:", "file:")):
                default = tag.attribute("default").lower() == "true"
                length = whole_number(tag.attribute("length"))
                yield Enclosure(url, tag.attribute("type").lower(), length, one_line(tag.attribute("title")), default)


def parse_chapters(data: bytes, *, duration_s: float = 0.0) -> tuple[Chapter, ...]:
    """The chapters of a Podcasting 2.0 JSON document, in order; entries that are junk or hidden (toc false) are left
    out. Each ends where the next starts, the last at `duration_s`.

    Raises SourceError if the document is not a chapters file at all.
    """
    try:
        document = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise SourceError("chapters are not JSON; ask the publisher, or leave them out") from error
    entries = document.get("chapters") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise SourceError('chapters hold no list "chapters"; ask the publisher, or leave them out')
    return chapters_within(_closed(list(_json_chapters(entries))), duration_s=duration_s)


def _json_chapters(entries: Iterable[Any]) -> Iterator[tuple[float, str, str]]:
    for entry in entries:
        if isinstance(entry, dict) and entry.get("toc") is not False:
            start = _start(entry.get("startTime", ""))
            if start is not None:
                title, url = entry.get("title"), entry.get("url")
                yield start, one_line(title) if isinstance(title, str) else "", url if isinstance(url, str) else ""


def _closed(starts: list[tuple[float, str, str]]) -> tuple[Chapter, ...]:
    """Chapters from (start, title, url), each ending where the next begins."""
    ordered = sorted(starts, key=lambda entry: entry[0])
    ends = [start for start, _, _ in ordered[1:]] + [start for start, _, _ in ordered[-1:]]
    return tuple(Chapter(start, end, title, url) for (start, title, url), end in zip(ordered, ends, strict=True))


def chapters_within(chapters: Iterable[Chapter], *, duration_s: float) -> tuple[Chapter, ...]:
    """Chapters fitted to the real length of the media: those beyond it are gone, the last one ends with it."""
    length = duration_s or math.inf
    kept = [chapter for chapter in chapters if chapter.start < length]
    if kept and duration_s:
        kept[-1] = replace(kept[-1], end=duration_s)
    return tuple(kept)


def _start(value: Any) -> float | None:
    """A start time in seconds, which may be zero; None if it is none."""
    text = str(value).strip()
    number = seconds(text)
    return number if number or (text and not text.strip("0:.")) else None
