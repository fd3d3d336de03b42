"""Reads episode scripts: one spoken sentence per line, with simple section marks.

``= Title`` opens a topic, ``<tag>`` and ``</tag>`` enclose lines that belong to a
span (ad, bed, hook, soundbite, spoiler), and ``Name: text || spoken`` is a sentence
with, if needed, a different spelling for the voice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One sentence as written, with the sections that enclose it."""

    speaker: str
    text: str
    spoken: str
    topic: str
    tags: frozenset[str]


def read_script(path: Path) -> list[Line]:
    """Parse the script file at ``path``."""
    lines: list[Line] = []
    topic, tags = "", frozenset[str]()
    for raw in path.read_text(encoding="utf-8").splitlines():
        row = raw.strip()
        if not row:
            continue
        if row.startswith("="):
            topic = row.lstrip("= ")
        elif row.startswith("</"):
            tags -= {row[2:-1]}
        elif row.startswith("<"):
            tags |= {row[1:-1]}
        else:
            lines.append(_sentence(row, topic, tags))
    return lines


def _sentence(row: str, topic: str, tags: frozenset[str]) -> Line:
    """Split ``Name: text || spoken`` into a line."""
    speaker, _, rest = row.partition(": ")
    text, _, spoken = rest.partition(" || ")
    return Line(speaker, text, spoken or text, topic, tags)
