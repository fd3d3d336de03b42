"""What every reader yields: plain text with times; and the same as WebVTT, which the transcript parser reads."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One subtitle: plain text, its rows parted by newlines."""

    start: float
    end: float
    text: str
    speaker: str = ""


def to_webvtt(lines: Iterable[Line]) -> str:
    """The lines that last and say something as a WebVTT file, in the order of time."""
    shown = sorted(
        (line for line in lines if 0 <= line.start < line.end and line.text.strip()), key=lambda line: line.start
    )
    return "\n\n".join(["WEBVTT", *map(_cue, shown)]) + "\n"


def _cue(line: Line) -> str:
    rows = [html.escape(row.strip(), quote=False) for row in line.text.split("\n") if row.strip()]
    voice = f"<v {html.escape(' '.join(line.speaker.split()), quote=False)}>" if line.speaker.strip() else ""
    return timed(line.start, line.end, voice + "\n".join(rows))


def timed(start: float, end: float, body: str) -> str:
    """A WebVTT cue of a body that is marked up already."""
    return f"{_time(start)} --> {_time(end)}\n{body}"


def _time(seconds: float) -> str:
    whole, milli = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{milli:03}"
