"""What a page says, whether it is well formed, and what it would fetch."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from lxml import html as lxml_html

EVIL = '<script>alert("x")</script> & \'"><img src=x onerror=alert(1)>'


def text_of(page: str) -> str:
    """The text that a reader sees."""
    return " ".join(lxml_html.fromstring(page).find("body").text_content().split())


def fetched(page: str) -> list[str]:
    """Everything that a browser would load from elsewhere, or run."""
    tree = lxml_html.fromstring(page)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    addresses = [value for e in elements for name in ("src", "srcset", "poster", "data") if (value := e.get(name))]
    active = [e.tag for e in elements if e.tag in ("script", "link", "iframe", "object", "img", "use", "image")]
    handlers = [name for e in elements for name in e.keys() if name.startswith("on")]  # noqa: SIM118
    inside = re.findall(r"@import|url\(", page)
    return [a for a in addresses if not a.startswith("data:")] + active + handlers + inside


class Balance(HTMLParser):
    """What is opened and never closed, or closed and never opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        return parser.wrong + parser.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<rect/>` of a drawing is whole."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")
