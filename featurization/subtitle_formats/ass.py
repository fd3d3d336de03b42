"""Advanced SubStation Alpha: the lines that are spoken, without drawings, signs, effects and styling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from featurization.subtitle_formats.line import Line

if TYPE_CHECKING:
    from pysubs2 import SSAEvent

_OVERRIDE = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?=\{[^{}]*\\p0[^{}]*\}|$)", re.DOTALL)
_PLACED = re.compile(r"\\(?:pos|move|org|i?clip)\s*\(")
_SIGN_STYLE = re.compile(r"sign|typeset|credit|title|staff|logo", re.IGNORECASE)
_GENERATED = re.compile(r"^(?:fx|banner|scroll)", re.IGNORECASE)  # moving text, and what karaoke templates write


def read_ass(text: str) -> list[Line]:
    """Spoken lines of an ASS or SSA file. Signs are left out unless most lines are placed like signs."""
    import pysubs2

    events = [event for event in pysubs2.SSAFile.from_string(text) if event.is_text and _said(event)]
    spoken = [event for event in events if not _is_sign(event)]
    kept = spoken if 2 * len(spoken) >= len(events) else events
    return list(dict.fromkeys(map(_line, kept)))  # outlines and shadows repeat a line on other layers


def _said(event: SSAEvent) -> bool:
    return bool(_plain(event.text).strip()) and not _GENERATED.match(event.effect)


def _is_sign(event: SSAEvent) -> bool:
    placed = any(_PLACED.search(tag) for tag in _OVERRIDE.findall(event.text))
    return placed or bool(_SIGN_STYLE.search(event.style))


def _line(event: SSAEvent) -> Line:
    return Line(event.start / 1000, event.end / 1000, _plain(event.text), event.name.strip())


def _plain(text: str) -> str:
    bare = _OVERRIDE.sub("", _DRAWING.sub("", text))
    return re.sub(r"\\[Nn]", "\n", bare).replace("\\h", " ")


def embedded_ass(header: str, packets: Iterator[tuple[float, float, str]]) -> str:
    """An ASS file from a track in a container: its header, and (start, end, payload) of its packets.

    A payload is "ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text"; the times stand in the container.
    """
    events = []
    for start, end, payload in packets:
        fields = payload.split(",", 8)
        if len(fields) == 9:
            events.append(f"Dialogue: {fields[1]},{_time(start)},{_time(end)},{','.join(fields[2:])}")
    named = "[Events]" in header and "Format:" in header.partition("[Events]")[2]
    opening = "" if named else f"[Events]\nFormat: {_FIELDS}\n"
    return f"{header.rstrip()}\n{opening}" + "\n".join(events)


_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"


def _time(seconds: float) -> str:
    centi = round(100 * seconds)
    return f"{centi // 360000}:{centi // 6000 % 60:02}:{centi // 100 % 60:02}.{centi % 100:02}"
