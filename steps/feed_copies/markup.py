"""Just enough markup to find one's way in a feed's text without changing it: elements, items, encoding."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

SPACE = " \t\r\n"  # what XML calls white space; Unicode's other kinds may be halves of UTF-8 characters here

_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z_][\w.:-]*)(?P<attributes>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*?)(?P<empty>/?)>",
    re.ASCII,
)
_OPAQUE = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"))
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]*)[ \t\r\n]*=[ \t\r\n]*(?:\"([^\"]*)\"|'([^']*)')", re.ASCII)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding[ \t\r\n]*=[ \t\r\n]*[\"']([A-Za-z0-9._-]+)[\"']")
_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Element:
    """A start, end or empty tag and where it stands in the text."""

    name: str
    source: str  # the attributes as written
    closing: bool
    empty: bool
    start: int
    attributes_end: int
    end: int

    @property
    def prefix(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def local(self) -> str:
        return self.name.rpartition(":")[2]

    @cached_property
    def attributes(self) -> dict[str, str]:
        """Values by name as written, with references resolved."""
        return {m[1]: html.unescape(m[2] if m[2] is not None else m[3]) for m in _ATTRIBUTE.finditer(self.source)}

    @property
    def namespaces(self) -> dict[str, str]:
        """Namespace by prefix, as declared on this tag."""
        return {name[6:]: uri for name, uri in self.attributes.items() if name.startswith("xmlns:")}

    def text_in(self, text: str) -> str:
        """What stands between this tag and its end, as written."""
        if self.empty:
            return ""
        until = text.find(f"</{self.name}", self.end)
        return text[self.end : until] if until >= 0 else ""


@dataclass(frozen=True, slots=True)
class FeedText:
    """Feed bytes as text: one character per byte, so that any encoding and any damage survives; UTF-16 as it reads."""

    text: str
    codec: str  # what turns `text` back into the bytes
    encoding: str  # what the bytes mean
    bom: bytes = b""

    @classmethod
    def of(cls, data: bytes) -> FeedText:
        """The text of a feed, with what is needed to write it back byte for byte."""
        for bom, codec in _WIDE:
            if data.startswith(bom) and len(data) % 2 == 0:
                return cls(data[len(bom) :].decode(codec, "surrogatepass"), codec, codec, bom)
        declared = _ENCODING.search(data[:1000])
        return cls(data.decode("latin-1"), "latin-1", _known(declared[1].decode("ascii") if declared else "utf-8"))

    def encoded(self, text: str) -> bytes:
        """The bytes of an edited text."""
        return self.bom + text.encode(self.codec, "surrogatepass" if self.bom else "strict")

    def plain(self, raw: str) -> str:
        """A value as a reader sees it: decoded, CDATA opened, references resolved, trimmed."""
        read = raw if self.bom else raw.encode("latin-1", "ignore").decode(self.encoding, "replace")
        opened = _CDATA.sub(lambda m: html.escape(m[1]), read)
        return html.unescape(opened).strip()


def elements(text: str, start: int = 0) -> Iterator[Element]:
    """Tags in order; comments, CDATA and instructions are passed over whole, in time linear in the text."""
    at, endless = start, set[str]()
    while (at := text.find("<", at)) >= 0:
        tag = _TAG.match(text, at)
        at = tag.end() if tag else _past(text, at, endless)
        if tag:
            yield Element(
                name=tag["name"],
                source=tag["attributes"],
                closing=bool(tag["close"]),
                empty=bool(tag["empty"]),
                start=tag.start(),
                attributes_end=tag.end("attributes"),
                end=tag.end(),
            )


def _past(text: str, at: int, endless: set[str]) -> int:
    """Behind what begins at `at` and is no tag; `endless` remembers which closing marks come no more."""
    for opening, closing in _OPAQUE:
        if text.startswith(opening, at) and closing not in endless:
            end = text.find(closing, at + len(opening))
            if end >= 0:
                return end + len(closing)
            endless.add(closing)
    return at + 1


def items(text: str, root: Element) -> Iterator[range]:
    """The inside of each item or entry; one that never ends is passed over."""
    names = {f"{root.prefix}:{local}" if root.prefix else local for local in ("item", "entry")} | {"item"}
    opened: Element | None = None
    for element in elements(text, root.end):
        if element.name not in names:
            continue
        if element.closing and opened is not None and opened.name == element.name:
            yield range(opened.end, element.start)
        opened = None if element.closing or element.empty else element


def _known(encoding: str) -> str:
    try:
        b"".decode(encoding)  # also refuses codecs that are not of text, such as hex
    except LookupError:
        return "utf-8"
    return encoding
