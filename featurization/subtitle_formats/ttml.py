"""Timed Text (TTML, DFXP, EBU-TT, IMSC) and the XML captions of YouTube.

pysubs2 reads only clock times with fractions; broadcast files count frames and ticks, nest times and name speakers.
Reference: https://www.w3.org/TR/ttml2/#timing-value-time-expression
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from featurization.subtitle_formats.line import Line

_CLOCK = re.compile(r"^(\d+):(\d\d):(\d\d)(?:\.(\d+)|:(\d+)(?:\.\d+)?)?$")
_OFFSET = re.compile(r"^(\d+(?:\.\d+)?)(h|m|s|ms|f|t)$")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_FOREVER = 1e9  # the end of what has none


@dataclass(frozen=True)
class _Clock:
    """How the file counts parts of a second."""

    frame_s: float
    tick_s: float

    def seconds(self, text: str) -> float | None:
        """A time expression in seconds; None if it is none."""
        if clock := _CLOCK.match(text.strip()):
            hours, minutes, seconds, fraction, frames = clock.groups()
            whole = 3600 * int(hours) + 60 * int(minutes) + int(seconds)
            return whole + float(f"0.{fraction or 0}") + int(frames or 0) * self.frame_s
        if offset := _OFFSET.match(text.strip()):
            unit = {**_UNITS, "f": self.frame_s, "t": self.tick_s}[offset[2]]
            return float(offset[1]) * unit
        return None


def read_ttml(text: str) -> list[Line]:
    """Lines of a timed text file; raises ValueError if it is not XML."""
    root = _parsed(text)
    reader = _Reader(_clock(root), _agents(root))
    return [line for line in reader.lines(root, 0.0, _FOREVER, "") if line.end < _FOREVER]


def _parsed(text: str) -> Any:
    from lxml import etree

    bare = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, remove_comments=True)
    root = etree.fromstring(bare.encode(), parser)
    if root is None:
        raise ValueError("not XML")
    return root


def _clock(root: Any) -> _Clock:
    facts = {_local(name): value for name, value in root.attrib.items()}
    over, under = [*re.findall(r"\d+", facts.get("frameRateMultiplier", "")), "1", "1"][:2]
    rate = _number(facts.get("frameRate"), 30.0) * _number(over, 1.0) / _number(under, 1.0)
    ticks = rate * _number(facts.get("subFrameRate"), 1.0) if "frameRate" in facts else 1.0
    return _Clock(1 / rate, 1 / _number(facts.get("tickRate"), ticks))


def _number(text: str | None, otherwise: float) -> float:
    try:
        return float(text or "") or otherwise
    except ValueError:
        return otherwise


def _agents(root: Any) -> dict[str, str]:
    """Names of speakers by their id (ttm:agent)."""
    found = {}
    for agent in root.iter("{*}agent"):
        name = " ".join("".join(agent.itertext()).split())
        found[_attribute(agent, "id")] = name
    return found


@dataclass(frozen=True)
class _Reader:
    clock: _Clock
    agents: dict[str, str]

    def lines(self, element: Any, begin: float, end: float, speaker: str) -> Iterator[Line]:
        """Lines in an element whose parent shows from `begin` to `end`."""
        begin, end = self._times(element, begin, end)
        speaker = self.agents.get(_attribute(element, "agent").partition(" ")[0], speaker)
        name = _local(element.tag)
        if name in {"p", "text"} or (name == "span" and self._timed(element)):
            if any(self._timed(inner) for inner in element.iter("{*}span") if inner is not element):
                yield from self._children(element, begin, end, speaker)
            else:
                yield Line(begin, end, _text(element), speaker)
        elif name not in {"head", "span"}:
            yield from self._children(element, begin, end, speaker)

    def _children(self, element: Any, begin: float, end: float, speaker: str) -> Iterator[Line]:
        in_turn, start = element.get("timeContainer") == "seq", begin
        for child in element:
            if not isinstance(child.tag, str):
                continue
            yield from self.lines(child, start, end, speaker)
            if in_turn:
                start = min(self._times(child, start, end)[1], end)

    def _times(self, element: Any, begin: float, end: float) -> tuple[float, float]:
        """When an element shows; the times it states count from the start of its parent."""
        own = {key: self._stated(element, key) for key in ("begin", "end", "dur")}
        start = begin + (own["begin"] or 0.0)
        stop = begin + own["end"] if own["end"] is not None else end
        if own["dur"] is not None:
            stop = min(stop, start + own["dur"])
        return start, min(stop, end)

    def _stated(self, element: Any, key: str) -> float | None:
        if (text := element.get(key)) is not None and (seconds := self.clock.seconds(text)) is not None:
            return seconds
        youtube = {"begin": ("t", "start"), "dur": ("d", "dur")}.get(key)
        if youtube is None or _local(element.tag) not in {"p", "text"}:
            return None
        for name, unit_s in zip(youtube, (0.001, 1.0), strict=True):
            if re.fullmatch(r"\d+(\.\d+)?", element.get(name, "")):
                return float(element.get(name)) * unit_s
        return None

    def _timed(self, element: Any) -> bool:
        return any(element.get(key) is not None for key in ("begin", "end", "dur"))


def _text(element: Any) -> str:
    """Text with its line breaks; the runs of blanks that indent the file are none of it."""
    parts = [element.text or ""]
    for child in element:
        parts.append("\0" if isinstance(child.tag, str) and _local(child.tag) == "br" else _inner(child))
        parts.append(child.tail or "")
    rows = "".join(parts).split("\0")
    return "\n".join(" ".join(row.split()) for row in rows)


def _inner(child: Any) -> str:
    if not isinstance(child.tag, str) or _local(child.tag) in {"metadata", "set"}:
        return ""
    return _text(child).replace("\n", "\0") if len(child) else child.text or ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _attribute(element: Any, name: str) -> str:
    return next((str(value) for key, value in element.attrib.items() if _local(key) == name), "")
