"""From the bytes of a feed as found to a well-formed tree: encoding, junk, entities, prefixes, broken markup.

Repairing first lets feedparser read every feed with its strict parser (the loose one is ten times slower and sees
other elements), and lets the Podcasting 2.0 reader walk the very same elements.
"""

from __future__ import annotations

import codecs
import html.entities
import re
from collections.abc import Iterator

from lxml import etree

from featurization.errors import SourceError

NAMESPACES = {  # prefixes that feeds use without declaring them
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "media": "http://search.yahoo.com/mrss/",
    "psc": "http://podlove.org/simple-chapters",
    "atom": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "cc": "http://web.resource.org/cc/",
    "creativecommons": "http://backend.userland.com/creativeCommonsRssModule",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "googleplay": "http://www.google.com/schemas/play-podcasts/1.0",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})[\"']")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)?|<(?![A-Za-z_/!?])")
_PREFIXES = re.compile(r"(?:</?|\s)([A-Za-z][\w.-]{0,40}):[A-Za-z][\w.-]{0,80}(?=[\s/>=])")
_PREFIX_DECLARATIONS = re.compile(r"xmlns:([A-Za-z][\w.-]{0,40})\s*=")
_ALTERNATE = re.compile(r"<link\b[^>]{0,500}?application/(?:rss|atom)\+xml[^>]{0,500}?>", re.IGNORECASE)
_HREF = re.compile(r"href\s*=\s*[\"']?([^\"'\s>]{1,500})", re.IGNORECASE)


def repair(data: bytes, *, base_url: str, charset: str = "") -> etree._Element:
    """The root of the feed as a clean tree, its base set to `base_url`. Document types, and with them every entity
    bomb and external entity, are removed unread.

    Raises SourceError if the bytes are empty, a web page, or no XML at all.
    """
    text = _without_prolog(_FORBIDDEN.sub("", decode(data, charset=charset)))
    if not text:
        raise SourceError(f"{base_url}: not a feed but an empty file; check the address or fetch it again")
    if re.match(r"<html\b|<head\b|<body\b", text, re.IGNORECASE):
        raise SourceError(f"{base_url}: a web page, not a feed; {_hint(text)}")
    if not text.startswith("<"):
        raise SourceError(f"{base_url}: not a feed (no XML in it); give the address of an RSS or Atom feed")
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=False,  # feedparser reads a CDATA section five times faster than the same text escaped
    )
    root = etree.fromstring(_with_prefixes(_with_references(text)).encode(), parser, base_url=base_url)
    if root is None:
        raise SourceError(f"{base_url}: not a feed (damaged beyond reading); fetch it again")
    _drop_live_items(root)
    return root


def _drop_live_items(root: etree._Element) -> None:
    """A podcast:liveItem holds its own title, guid and enclosure, which would be taken for the channel's."""
    for element in [e for e in root.iter() if isinstance(e.tag, str) and e.tag.rpartition("}")[2] == "liveItem"]:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)


def decode(data: bytes, *, charset: str = "") -> str:
    """Bytes as text: byte order mark, else valid UTF-8 whatever was declared, else declared, else Windows-1252."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace").lstrip("\ufeff")
    declared = _DECLARED.search(data[:2048])
    stated = [declared[1].decode("ascii")] if declared else []
    stated += [charset] if charset else []
    seven_bit = [name for name in stated if name.lower().startswith(("iso-2022", "hz", "utf-7"))]
    for encoding in (*seven_bit, "utf-8", *(_as_on_the_web(name) for name in stated)):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return data.decode("cp1252", "replace")


def _as_on_the_web(encoding: str) -> str:
    return "cp1252" if encoding.lower() in {"iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"} else encoding


def _without_prolog(text: str) -> str:
    """The text from its root element on; junk, declarations, comments and the document type are gone."""
    start = max(text.find("<"), 0)
    while start >= 0:
        if text.startswith("<?", start):
            end = _after(text, "?>", start)
        elif text.startswith("<!--", start):
            end = _after(text, "-->", start)
        elif text.startswith("<!", start):
            end = _after_doctype(text, start)
        else:
            return text[start:].strip()
        start = text.find("<", end) if end else -1
    return ""


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return found + len(mark) if found >= 0 else 0


def _after_doctype(text: str, start: int) -> int:
    bracket, close = text.find("[", start), text.find(">", start)
    if not 0 <= bracket < close:
        return close + 1
    inner = re.compile(r"\]\s*>").search(text, bracket)
    return inner.end() if inner else 0


def _with_references(text: str) -> str:
    return "".join(part if cdata else _REFERENCE.sub(_reference, part) for part, cdata in _split_cdata(text))


def _split_cdata(text: str) -> Iterator[tuple[str, bool]]:
    position = 0
    while (start := text.find("<![CDATA[", position)) >= 0 and (end := text.find("]]>", start)) >= 0:
        yield text[position:start], False
        yield text[start : end + 3], True
        position = end + 3
    yield text[position:], False


def _reference(match: re.Match[str]) -> str:
    # written as numbers: after the first error in a document libxml2 drops references by name, even &amp;
    mark, name = match[0], match[1] or ""
    if name.startswith("#"):
        return mark
    characters = "<" if mark == "<" else html.entities.html5.get(name, f"&{name}")
    return "".join(f"&#{ord(character)};" for character in characters)


def _with_prefixes(text: str) -> str:
    """The root tag declares every prefix that is used without a declaration."""
    declared = {"xml", "xmlns", *_PREFIX_DECLARATIONS.findall(text[: text.find(">") + 1])}
    missing = sorted(set(_PREFIXES.findall(text)) - declared)
    root = re.match(r"<[A-Za-z_][\w:.-]*", text)
    if not missing or not root:
        return text
    names = ((prefix, NAMESPACES.get(prefix.lower(), f"urn:undeclared:{prefix}")) for prefix in missing)
    added = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in names)
    return text[: root.end()] + added + text[root.end() :]


def _hint(page: str) -> str:
    link = _ALTERNATE.search(page[:200_000])
    href = _HREF.search(link[0]) if link else None
    return f"the page names this feed: {href[1]}" if href else "look for its RSS link and give that address"
