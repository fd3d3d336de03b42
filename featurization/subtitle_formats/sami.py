"""SAMI (.smi): HTML-like captions, often in several languages at once; pysubs2 runs the languages together."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from itertools import pairwise

from featurization.subtitle_formats.line import Line

_SYNC = re.compile(r"<sync\b[^>]*?\bstart\s*=\s*[\"']?(\d+)[^>]*>", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p\b([^>]*)>", re.IGNORECASE)
_CLASS = re.compile(r"\bclass\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_SOURCE = re.compile(r"\bid\s*=\s*[\"']?source\b", re.IGNORECASE)  # the line that names the speaker
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"<!--.*?-->|<[^<>]*>", re.DOTALL)
_LAST_S = 4.0  # how long the last caption stays

_Shown = list[tuple[float, str]]  # what is shown from a time on; an empty text clears


def read_sami(text: str) -> list[Line]:
    """Lines of the language that says most."""
    languages = _languages(text)
    if not languages:
        return []
    shown = max(languages.values(), key=lambda rows: sum(len(row) for _, row in rows))
    shown = sorted(shown, key=lambda row: row[0])
    following = [*shown, (shown[-1][0] + _LAST_S, "")]
    return [Line(start, end, row) for (start, row), (end, _) in pairwise(following) if row]


def _languages(text: str) -> dict[str, _Shown]:
    """What is shown when, by the class of its paragraphs, which stands for a language."""
    found: dict[str, _Shown] = defaultdict(list)
    marks = list(_SYNC.finditer(text))
    for mark, until in zip(marks, [*(m.start() for m in marks[1:]), len(text)], strict=True):
        for attributes, body in _paragraphs(text[mark.end() : until]):
            name = _CLASS.search(attributes)
            if not _SOURCE.search(attributes):
                found[name[1].lower() if name else ""].append((int(mark[1]) / 1000, _plain(body)))
    return found


def _paragraphs(body: str) -> list[tuple[str, str]]:
    marks = list(_PARAGRAPH.finditer(body))
    if not marks:
        return [("", body)]
    ends = [*(mark.start() for mark in marks[1:]), len(body)]
    return [(mark[1], body[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]


def _plain(body: str) -> str:
    rows = _BREAK.split(body)
    texts = (html.unescape(_TAG.sub("", row)).replace("\xa0", " ") for row in rows)
    return "\n".join(row for row in (" ".join(text.split()) for text in texts) if row)
