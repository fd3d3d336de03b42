"""Writes the RSS feed with iTunes and podcast namespace elements."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from .show import Episode, Show
from .truth import Facts

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
ATOM = "http://www.w3.org/2005/Atom"
GUID_SPACE = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
LICENCES = {
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-nd-4.0": "https://creativecommons.org/licenses/by-nd/4.0/",
}


def write_feed(path: Path, show: Show, truth: dict[str, Facts]) -> None:
    """Write the feed for ``show``; episode files lie beside ``path``."""
    for prefix, space in (("itunes", ITUNES), ("podcast", PODCAST), ("atom", ATOM)):
        ET.register_namespace(prefix, space)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _channel(channel, show)
    for episode in reversed(show.episodes):
        facts = truth[f"{episode.slug}.mp3"]
        _item(ET.SubElement(channel, "item"), show, episode, facts, path.parent)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _channel(channel: ET.Element, show: Show) -> None:
    """Fill in what describes the whole show."""
    newest = max(episode.published for episode in show.episodes)
    _text(channel, "title", show.title)
    _text(channel, "link", show.link)
    _text(channel, "description", show.description)
    _text(channel, "language", "en-us")
    _text(channel, "copyright", show.copyright)
    _text(channel, "pubDate", _date(newest))
    address = f"https://{show.feed_url}"
    _add(channel, ATOM, "link", href=address, rel="self", type="application/rss+xml")
    _text(channel, f"{{{ITUNES}}}author", show.author)
    _add(channel, ITUNES, "image", href="cover.png")
    _text(channel, f"{{{ITUNES}}}explicit", "false")
    _text(channel, f"{{{ITUNES}}}type", "episodic")
    category = _add(channel, ITUNES, "category", text=show.category)
    _add(category, ITUNES, "category", text=show.subcategory)
    owner = _add(channel, ITUNES, "owner")
    _text(owner, f"{{{ITUNES}}}name", show.author)
    _text(owner, f"{{{ITUNES}}}email", show.email)
    guid = str(uuid.uuid5(GUID_SPACE, show.feed_url))
    _text(channel, f"{{{PODCAST}}}guid", guid)
    _text(channel, f"{{{PODCAST}}}medium", "podcast")
    _text(channel, f"{{{PODCAST}}}locked", "no")
    _licence(channel, "cc-by-4.0")


def _item(item: ET.Element, show: Show, episode: Episode, facts: Facts, base: Path) -> None:
    """Fill in one episode."""
    _text(item, "title", episode.title)
    _text(item, "link", f"{show.link}{episode.slug}")
    identity = _text(item, "guid", str(uuid.uuid5(GUID_SPACE, episode.slug)))
    identity.set("isPermaLink", "false")
    _text(item, "pubDate", _date(episode.published))
    _text(item, "description", episode.notes)
    url = f"episodes/{episode.slug}.mp3"
    size = str((base / url).stat().st_size)
    ET.SubElement(item, "enclosure", url=url, length=size, type="audio/mpeg")
    _itunes(item, show, episode, facts)
    _podcast(item, episode, facts, base)


def _itunes(item: ET.Element, show: Show, episode: Episode, facts: Facts) -> None:
    """Add the iTunes elements of an episode."""
    _text(item, f"{{{ITUNES}}}author", show.author)
    _text(item, f"{{{ITUNES}}}summary", episode.summary)
    length = duration(facts["duration_s"], episode.duration_form)
    _text(item, f"{{{ITUNES}}}duration", length)
    _add(item, ITUNES, "image", href="cover.png")
    _text(item, f"{{{ITUNES}}}explicit", "false")
    _text(item, f"{{{ITUNES}}}season", "1")
    _text(item, f"{{{ITUNES}}}episode", str(episode.number))
    _text(item, f"{{{ITUNES}}}episodeType", "full")


def _podcast(item: ET.Element, episode: Episode, facts: Facts, base: Path) -> None:
    """Add the podcast namespace elements of an episode."""
    _text(item, f"{{{PODCAST}}}season", "1")
    _text(item, f"{{{PODCAST}}}episode", str(episode.number))
    _add(item, PODCAST, "person", role="host").text = episode.host
    _add(item, PODCAST, "person", role="guest").text = episode.guest
    stem = f"episodes/{episode.slug}"
    if episode.chapters:
        kind = "application/json+chapters"
        _add(item, PODCAST, "chapters", url=f"{stem}.chapters.json", type=kind)
    if episode.transcript:
        _add(item, PODCAST, "transcript", url=f"{stem}.vtt", type="text/vtt", language="en")
    for span in facts["soundbites"]:
        length = f"{span['end'] - span['start']:.2f}"
        bite = _add(item, PODCAST, "soundbite", startTime=f"{span['start']:.2f}", duration=length)
        bite.text = episode.soundbite
    if episode.licence:
        _licence(item, episode.licence)
    if episode.alternate:
        _alternate(item, f"episodes/low/{episode.slug}.mp3", base)


def _alternate(item: ET.Element, url: str, base: Path) -> None:
    """Offer the small rendition as an alternate enclosure."""
    facts = {"length": str((base / url).stat().st_size), "bitrate": "24000"}
    other = _add(item, PODCAST, "alternateEnclosure", type="audio/mpeg", **facts)
    other.set("title", "Low bandwidth")
    _add(other, PODCAST, "source", uri=url)


def _licence(parent: ET.Element, name: str) -> None:
    """Add a licence by its SPDX style name."""
    _add(parent, PODCAST, "license", url=LICENCES[name]).text = name


def duration(seconds: float, form: str) -> str:
    """Seconds in one of the three forms found in feeds."""
    total = round(seconds)
    if form == "seconds":
        return str(total)
    minutes, rest = divmod(total, 60)
    if form == "minutes":
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _date(stamp: str) -> str:
    """An ISO date in the form RSS asks for."""
    return format_datetime(datetime.fromisoformat(stamp))


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    """Add a child that holds text."""
    child = ET.SubElement(parent, name)
    child.text = text
    return child


def _add(parent: ET.Element, space: str, name: str, **facts: str) -> ET.Element:
    """Add a child in a namespace with attributes."""
    return ET.SubElement(parent, f"{{{space}}}{name}", facts)
