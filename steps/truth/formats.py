"""Truth as people keep it beside media, one file per recording: words, turns, sounds, transitions, ads.

Every reader raises SourceError, which names the file and the line that cannot be used.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from eval.shot_metrics import TransitionSpan
from eval.sound_metrics import LABELS
from featurization.errors import SourceError
from featurization.media import Segment, SoundSpan, Turn

TEXT, WORDS, TURNS = ".txt", ".words.csv", ".rttm"
SOUNDS, TRANSITIONS, ADS = ".sounds.csv", ".transitions.csv", ".ads.csv"
SUFFIXES = (TEXT, WORDS, TURNS, SOUNDS, TRANSITIONS, ADS)
SOUND_COLUMNS = ("start", "end", "label")
TRANSITION_COLUMNS = ("type", "start_frame", "end_frame")
_CUT_NAMES = ("cut", "hard", "abrupt")
Row = Mapping[str, str]


def read_csv(path: Path, *columns: str) -> list[dict[str, str]]:
    """The rows of a CSV file that has at least these columns; a cell that is not there is empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: not a readable CSV file ({error})") from error
    if absent := [column for column in columns if column not in (reader.fieldnames or ())]:
        raise SourceError(f"{path}: no column {', '.join(absent)}; it needs {', '.join(columns)}")
    return rows


def read_text(path: Path) -> str:
    """What is said, as running text, or as the column `text` of a table of words."""
    rows = read_csv(path, "text") if path.name.endswith(WORDS) else [{"text": _plain_text(path)}]
    text = " ".join(row["text"] for row in rows)
    if not text.strip():
        raise SourceError(f"{path}: no words in it")
    return text


def _plain_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: not readable text ({error}); save it as UTF-8") from error


def read_rttm(path: Path) -> tuple[Turn, ...]:
    """The turns of all SPEAKER lines of NIST's Rich Transcription Time Marked text."""
    lines = _plain_text(path).splitlines()
    return tuple(
        _turn(line.split(), f"{path}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.startswith("SPEAKER")
    )


def _turn(fields: list[str], place: str) -> Turn:
    try:
        start, length = _finite(fields[3]), _finite(fields[4])
        return Turn(start, start + length, speaker=fields[7])
    except (IndexError, ValueError) as error:
        raise SourceError(f"{place}: not an RTTM line: SPEAKER file 1 start duration <NA> <NA> name") from error


def write_rttm(name: str, turns: Iterable[Turn]) -> str:
    """RTTM text of the turns of the recording called `name`."""
    return "".join(
        f"SPEAKER {name} 1 {turn.start:.3f} {turn.duration:.3f} <NA> <NA> {turn.speaker} <NA> <NA>\n" for turn in turns
    )


def read_sounds(path: Path) -> tuple[SoundSpan, ...]:
    """The spans of speech, music, noise and silence; they may overlap."""
    return tuple(_sound(row, place) for place, row in _placed(path, *SOUND_COLUMNS))


def _sound(row: Row, place: str) -> SoundSpan:
    label = next((label for label in LABELS if label == row["label"].strip()), None)
    if label is None:
        raise SourceError(f"{place}: unknown label {row['label']!r}; known labels: {', '.join(LABELS)}")
    span = _span(row, place)
    return SoundSpan(span.start, span.end, label=label)


def read_spans(path: Path) -> tuple[Segment, ...]:
    """Bare spans: the columns `start` and `end`, in seconds."""
    return tuple(_span(row, place) for place, row in _placed(path, "start", "end"))


def _span(row: Row, place: str) -> Segment:
    try:
        return Segment(_finite(row["start"]), _finite(row["end"]))
    except ValueError as error:
        raise SourceError(f"{place}: {error}") from error


def read_transitions(path: Path) -> tuple[TransitionSpan, ...]:
    """Transitions in frames; a cut is the first frame of the new shot alone."""
    return tuple(_transition(row, place) for place, row in _placed(path, *TRANSITION_COLUMNS))


def _transition(row: Row, place: str) -> TransitionSpan:
    try:
        first, last = int(_finite(row["start_frame"])), int(_finite(row["end_frame"]))
        return TransitionSpan(first, last, gradual=not row["type"].strip().lower().startswith(_CUT_NAMES))
    except ValueError as error:
        frames = f"{row['start_frame']!r} to {row['end_frame']!r}"
        raise SourceError(f"{place}: not a transition: frames {frames}") from error


def _placed(path: Path, *columns: str) -> list[tuple[str, dict[str, str]]]:
    """Rows, each with where it stands."""
    return [(f"{path}, row {number}", row) for number, row in enumerate(read_csv(path, *columns), start=1)]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no time")
    return value
