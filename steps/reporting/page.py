"""The parts that every report is put together from: the document, tiles, sections and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from steps.reporting.page_style import STYLE

_CODE = re.compile("`([^`]+)`")
_HEAD = Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">')
_PAGE = Markup('<!doctype html>\n<html lang="en"><head>{}<title>{}</title><style>{}</style></head>\n')
_BODY = Markup("<body><main>{}</main></body></html>\n")


def document(title: str, body: Markup) -> str:
    """A self-contained HTML document, light and dark; nothing is fetched when it is opened."""
    return str(_PAGE.format(_HEAD, title, Markup(STYLE)) + _BODY.format(body))


def heading(title: str, run: str, note: str = "") -> Markup:
    """The head of a page: what it is, and of which run."""
    return Markup('<header><h1>{}</h1><div class="dim small">Run <code>{}</code>{}</div></header>').format(
        title, run, f" · {note}" if note else ""
    )


def tiles(shown: Iterable[tuple[str, str]]) -> Markup:
    """Large numbers with what they count."""
    tile = Markup('<div class="tile"><b class="number">{}</b><span class="dim small">{}</span></div>')
    return Markup('<div class="tiles">{}</div>').format(joined(tile.format(*each) for each in shown))


def prose(text: str) -> Markup:
    """A text for people, escaped, in which `these` marks set code apart."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def section(title: str, *parts: Markup, lead: str = "") -> Markup:
    """A part of a report with a heading and a sentence that says how to read it."""
    said = Markup('<p class="lead">{}</p>').format(prose(lead)) if lead else Markup("")
    return Markup('<section class="card"><h2>{}</h2>{}{}</section>').format(title, said, joined(parts))


def absent(title: str, why: str) -> Markup:
    """A section that has nothing to show: one line that says how to get it."""
    return Markup('<section class="card absent"><h2>{}</h2><p class="dim small">{}</p></section>').format(
        title, prose(why)
    )


def columns(*blocks: Markup) -> Markup:
    """Blocks side by side where there is room."""
    return Markup('<div class="columns">{}</div>').format(joined(Markup("<div>{}</div>").format(b) for b in blocks))


def block(title: str, *parts: Markup) -> Markup:
    """A part of a section under a small heading."""
    return Markup('<div class="block"><h3>{}</h3>{}</div>').format(title, joined(parts))


def table(names: Sequence[str], rows: Iterable[Sequence[str | Markup]], *, words: int = 1) -> Markup:
    """A table whose first columns, as many as `words`, hold text, and the others numbers on the right."""
    styles = ["" if index < words else "right number" for index in range(len(names))]
    head = joined(Markup('<th class="{}">{}</th>').format(s, name) for s, name in zip(styles, names, strict=True))
    cell = Markup('<td class="{}">{}</td>')
    body = joined(
        Markup("<tr>{}</tr>").format(joined(cell.format(s, value) for s, value in zip(styles, row, strict=True)))
        for row in rows
    )
    return Markup('<div class="scroll"><table><tr>{}</tr>{}</table></div>').format(head, body)


def folded(summary: str, *parts: Markup) -> Markup:
    """What is there for those who look for it."""
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, joined(parts))


def note(text: str) -> Markup:
    """Small print."""
    return Markup('<p class="dim small">{}</p>').format(prose(text))


def provenance(named: Iterable[tuple[str, str]]) -> Markup:
    """Where everything on the page comes from; what has no value is left out."""
    items = Markup(" · ").join(Markup("{} <code>{}</code>").format(name, value) for name, value in named if value)
    return Markup('<p class="provenance">{}</p>').format(items)


def joined(parts: Iterable[Markup]) -> Markup:
    """One after the other."""
    return Markup("").join(parts)
