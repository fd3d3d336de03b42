"""A publisher's feed with what was found added, and every byte the publisher wrote left as it was.

The text itself is edited, not a tree: a tree would lose CDATA, prefixes, comments, order and encoding, and would refuse
the half of real feeds that are not well-formed. What is inserted is ASCII, with character references, so it suits any
encoding. Reference: https://github.com/Podcastindex-org/podcast-namespace
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urljoin

from featurization.errors import SourceError
from featurization.media import Segment, Soundbite, Topic, TranscriptFile
from steps.feed_copies.markup import SPACE, Element, FeedText, elements, items

NAMESPACE = "https://podcastindex.org/namespace/1.0"

_OURS = 'xmlns:rushes="urn:rushes:feed" rushes:by="rushes"'
_OUR_ELEMENT = re.compile(
    rf"(?<![{SPACE}])[{SPACE}]*<([\w.-]+:\w+) [^<>]*{re.escape(_OURS)}(?:/>|>[^<]*</\1>)", re.ASCII
)
_KNOWN_NAMESPACES = ("podcastindex.org/namespace", "podcast-namespace")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TITLE_CHARS = 128  # what the namespace allows a soundbite's title
_SAME_S = 0.001
_MOST_NAMES = 16  # guids, enclosures or links of one item that are looked at


@dataclass(frozen=True, slots=True)
class Additions:
    """What one episode's item gets; empty takes back what was added before."""

    soundbites: tuple[Soundbite, ...] = ()
    transcripts: tuple[TranscriptFile, ...] = ()
    chapters_url: str = ""


def annotate_feed(original: bytes, additions: Mapping[str, Additions], *, base_url: str = "") -> bytes:
    """The feed with `additions`, keyed by an item's guid, enclosure URL (relative ones against `base_url`) or link.

    Items that are not named stay as they are; what an earlier call added to a named item is replaced. A soundbite or
    transcript that the publisher has already, and chapters where the publisher has any, are not added. Doing it twice
    changes nothing more. Raises SourceError if this is no feed.
    """
    feed = FeedText.of(original)
    root = _root(feed.text)
    prefix, declared = _prefix(feed.text, root)
    parts, at = [], 0
    for span in items(feed.text, root):
        inner = feed.text[span.start : span.stop]
        wanted = next((additions[key] for key in _keys(feed, inner, base_url) if key in additions), None)
        if wanted is not None:
            parts += [feed.text[at : span.start], _annotated(inner, wanted, prefix)]
            at = span.stop
    text = "".join(parts) + feed.text[at:]
    if _OURS in text and not declared:
        text = f'{text[: root.attributes_end]} xmlns:{prefix}="{NAMESPACE}"{text[root.attributes_end :]}'
    return feed.encoded(text)


def chapters_json(topics: Sequence[Topic], *, title: str = "") -> bytes:
    """Topics as a Podcasting 2.0 chapters document (application/json+chapters, version 1.2.0)."""
    chapters = [
        {"startTime": round(t.start, 3), "endTime": round(t.end, 3), "title": t.title or f"Part {number}"}
        for number, t in enumerate(sorted(topics), start=1)
    ]
    document = {"version": "1.2.0", **({"title": title} if title else {}), "chapters": chapters}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _root(text: str) -> Element:
    root = next(elements(text), None)
    if root is None or root.local not in ("rss", "feed", "RDF"):
        found = f"its root is <{root.name}>" if root else "it has no element"
        raise SourceError(f"not a feed: {found}; give the address of an RSS or Atom document")
    return root


def _prefix(text: str, root: Element) -> tuple[str, bool]:
    """The prefix that stands for the podcast namespace, and whether the feed declares it."""
    taken = dict(root.namespaces)
    channel = next((e for e in elements(text, root.end) if not e.closing), None)
    scope = {**taken, **(channel.namespaces if channel and channel.local == "channel" else {})}
    for prefix, uri in scope.items():
        if prefix and any(known in uri.lower() for known in _KNOWN_NAMESPACES):
            return prefix, True
    return next(p for p in ("podcast", *(f"podcast{n}" for n in range(2, 99))) if p not in scope), False


def _keys(feed: FeedText, inner: str, base_url: str) -> Iterator[str]:
    """Everything an item may be known by, its guid first."""
    found = [e for e in elements(inner) if not e.closing]
    for names in (("guid", "id"), ("enclosure",), ("link",)):
        for element in islice((e for e in found if e.name in names), _MOST_NAMES):
            address = element.attributes.get("url") or element.attributes.get("href") or element.text_in(inner)
            key = feed.plain(address)
            yield from (key, urljoin(base_url, key))


def _annotated(inner: str, wanted: Additions, prefix: str) -> str:
    """The inside of an item: ours taken out, then what is wanted put behind the publisher's last element."""
    theirs = _OUR_ELEMENT.sub("", inner)
    existing = [e for e in elements(theirs) if not e.closing and e.prefix in (prefix, "podcast")]
    body = theirs.rstrip(SPACE)
    first = theirs.find("<")
    indent = theirs[:first] if first > 0 and not theirs[:first].strip(SPACE) else ""
    lines = [*_soundbites(wanted, existing), *_transcripts(wanted, existing), *_chapters(wanted, existing)]
    return body + "".join(indent + line.format(prefix=prefix) for line in lines) + theirs[len(body) :]


def _soundbites(wanted: Additions, existing: Sequence[Element]) -> Iterator[str]:
    known = [_bite_span(e.attributes) for e in existing if e.local == "soundbite"]
    for bite in wanted.soundbites:
        if any(k and abs(k.start - bite.start) < _SAME_S and abs(k.end - bite.end) < 2 * _SAME_S for k in known):
            continue
        head = f'startTime="{bite.start:.3f}" duration="{bite.duration:.3f}" {_OURS}'
        title = _escaped(" ".join(bite.title.split())[:_TITLE_CHARS])
        yield f"<{{prefix}}:soundbite {head}>{title}</{{prefix}}:soundbite>"


def _transcripts(wanted: Additions, existing: Sequence[Element]) -> Iterator[str]:
    known = {
        (e.attributes.get("type", ""), e.attributes.get("language", "")) for e in existing if e.local == "transcript"
    }
    for file in wanted.transcripts:
        if (file.type, file.language) in known or (file.type, "") in known:
            continue
        language = f' language="{_escaped(file.language)}"' if file.language else ""
        yield f'<{{prefix}}:transcript url="{_escaped(file.url)}" type="{_escaped(file.type)}"{language} {_OURS}/>'


def _chapters(wanted: Additions, existing: Sequence[Element]) -> Iterator[str]:
    if wanted.chapters_url and not any(e.local == "chapters" for e in existing):
        yield f'<{{prefix}}:chapters url="{_escaped(wanted.chapters_url)}" type="application/json+chapters" {_OURS}/>'


def _bite_span(attributes: Mapping[str, str]) -> Segment | None:
    try:
        start = float(attributes["startTime"])
        return Segment(start, start + float(attributes["duration"]))
    except (KeyError, ValueError):
        return None


def _escaped(text: str) -> str:
    """Text for an attribute or an element, in ASCII, with the braces of format strings doubled."""
    safe = html.escape(_NOT_XML.sub("", text)).replace("{", "{{").replace("}", "}}")
    return safe.encode("ascii", "xmlcharrefreplace").decode("ascii")
