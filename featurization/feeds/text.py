"""Small readings of what feeds write: HTML as text, dates as ISO 8601, durations as seconds. Junk reads as nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MARKUP = re.compile(r"""(<!--|-->|</?[a-zA-Z](?:[^<>"']|"[^"<]*"|'[^'<]*')*>|</?[a-zA-Z][^<>]*>|<![^<>]*>)""")
_TAG_NAME = re.compile(r"<!--|-->|</?[a-zA-Z][a-zA-Z0-9]*|<!")
_BLOCKS = frozenset(
    ("address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6")
) | frozenset(("hr", "li", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"))
_HIDDEN = {"<!--": "-->", "<script": "</script", "<style": "</style", "<head": "</head", "<template": "</template"}
_DATE_FORMATS = (
    "%B %d, %Y",
    "%b %d, %Y",
    "%B %d, %Y %I:%M %p",
    "%b %d, %Y %I:%M %p",
    "%d %B %Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
)
_WEEKDAY = re.compile(r"^[^\W\d]+\.?,\s*")
_EPOCH = re.compile(r"\d{9,10}")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)")
_UNITS = re.compile(
    r"(?:p?t?\s*)?(?:(\d+(?:\.\d+)?)\s*h(?:ours?|rs?)?)?[\s,]*(?:(\d+(?:\.\d+)?)\s*m(?:in(?:ute)?s?)?)?[\s,]*"
    r"(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?)?"
)
_LONGEST_S = 400 * 3600.0  # beyond any episode: a duration in milliseconds or a slip of the pen


def plain_text(markup: str) -> str:
    """The text a reader sees of HTML (or of plain text), one line per block, without scripts and styles.

    It is text, not safe HTML: whoever shows it on a page escapes it.
    """
    text = "".join(_visible(markup)) if "<" in markup else markup
    lines = (" ".join(line.split()) for line in html.unescape(text).splitlines())
    return "\n".join(line for line in lines if line)


def _visible(markup: str) -> Iterator[str]:
    # html.parser takes four times as long, which a feed of 5,000 long descriptions turns into half a minute
    hidden_until = ""
    for piece in _MARKUP.split(markup):
        mark = _TAG_NAME.match(piece)
        name = mark[0].lower() if mark else ""
        if hidden_until:
            hidden_until = "" if name == hidden_until else hidden_until
        elif name in _HIDDEN:
            hidden_until = _HIDDEN[name]
        elif name.strip("</") in _BLOCKS:
            yield "\n"
        elif name in {"", "-->"}:
            yield piece


def one_line(markup: str) -> str:
    """`plain_text` on a single line, for titles and names."""
    return " ".join(plain_text(markup).split())


def iso_date(text: str) -> str:
    """ISO 8601 in UTC of a date as feeds write it: RFC 822, ISO, epoch seconds, "April 27, 2011"; "" if unreadable."""
    text = text.strip()
    for read in (_iso, _rfc822, _epoch, _written):
        try:
            moment = read(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            continue
    return ""


def _iso(text: str) -> datetime:
    if not re.match(r"\d{4}-?\d\d-?\d\d(\D|$)", text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _rfc822(text: str) -> datetime:
    return parsedate_to_datetime(text)


def _epoch(text: str) -> datetime:
    if not _EPOCH.fullmatch(text):
        raise ValueError(text)
    return datetime.fromtimestamp(int(text), UTC)


def _written(text: str) -> datetime:
    text = _WEEKDAY.sub("", text).replace("Sept ", "Sep ")
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(text)


def seconds(text: str) -> float:
    """A duration in seconds from 3600, 60:00, 1:00:00.5, "1h 5m" or PT1H5M; 0.0 if it is garbage or absurd."""
    text = text.strip().lower()
    length = _clock(text) or _counted(text) or _number(text)
    return length if 0 < length <= _LONGEST_S else 0.0


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,12}(?:\.\d{0,9})?", text, re.ASCII) else 0.0


def _clock(text: str) -> float:
    match = _CLOCK.fullmatch(text)
    return _sum_hms(match.groups()) if match else 0.0


def _counted(text: str) -> float:
    match = _UNITS.fullmatch(text)
    return _sum_hms(match.groups()) if match else 0.0


def _sum_hms(parts: tuple[str | None, ...]) -> float:
    hours, minutes, rest = (float((part or "0").replace(",", ".")) for part in parts)
    return hours * 3600 + minutes * 60 + rest


def whole_number(text: str) -> int:
    """A season or episode number; 0 if it is missing, negative or not a number."""
    match = re.fullmatch(r"\s*(\d{1,9})(?:\.\d*)?\s*", text, re.ASCII)
    return int(match[1]) if match else 0
