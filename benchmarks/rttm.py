"""Turns as NIST's Rich Transcription Time Marked text: one SPEAKER line for each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from featurization.errors import SourceError
from featurization.media import Turn


def read_rttm(path: Path) -> tuple[Turn, ...]:
    """The turns of all SPEAKER lines. Raises SourceError if one cannot be read."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(
        _turn(line.split(), f"{path}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.startswith("SPEAKER")
    )


def _turn(fields: list[str], place: str) -> Turn:
    try:
        start, length = float(fields[3]), float(fields[4])
        return Turn(start, start + length, speaker=fields[7])
    except (IndexError, ValueError) as error:
        raise SourceError(f"{place}: not an RTTM line: SPEAKER file 1 start duration <NA> <NA> name") from error


def write_rttm(name: str, turns: Iterable[Turn]) -> str:
    """RTTM text of the turns of the recording called `name`."""
    return "".join(
        f"SPEAKER {name} 1 {turn.start:.3f} {turn.duration:.3f} <NA> <NA> {turn.speaker} <NA> <NA>\n" for turn in turns
    )
