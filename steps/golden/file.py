"""Golden clips that somebody keeps in a table: CSV or Parquet, one clip a row."""

from __future__ import annotations

import logging
import math
import re
from functools import partial
from pathlib import Path

from featurization.errors import SourceError
from steps.golden.claims import Claim, UnusableClip
from steps.golden.clips import BEST, RefusedClip
from steps.intake.rows import SURPLUS, Row, read_rows

log = logging.getLogger(__name__)
COLUMNS = {
    "asset_id": "of the episode, as `rushes assets` lists it",
    "guid": "of the episode in its feed; either asset_id or guid is required",
    "feed": "address of the feed or name of the show, where one guid is in several",
    "start": "seconds, m:ss or h:mm:ss",
    "end": "the same",
    "editor": "who chose it",
    "grade": f"0, useless, to {BEST}, the best there is; {BEST} if left out",
    "title": "what the editor calls it",
    "sha256": "of the file that the editor heard",
    "duration_s": "length of the file that the editor heard",
    "text": "the words that are said in the clip",
}
_REQUIRED = ("start", "end", "editor")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d*)?(?:e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,4}):(?=\d\d:))?(\d{1,6}):([0-5]\d(?:[.,]\d*)?)", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_TEXT = 20_000  # characters; nobody says more in a clip
_LATEST_S = 1e7  # nothing lasts longer


def read_clips(path: Path) -> tuple[list[Claim], list[RefusedClip]]:
    """The clips of a table in their order, and the rows that say none, each with its reason.

    Raises SourceError if the table cannot be read, is empty, or lacks a column.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file; name a .csv or .parquet with a clip a row")
    claims, refused = [], []
    for number, row in enumerate(read_rows(path, known=COLUMNS, check=partial(_check_columns, path=path)), start=1):
        place = f"{path.name}, row {number}"
        try:
            claims.append(_claim(row, place))
        except ValueError as error:
            refused.append(_malformed(row, f"{place}: {error}"))
    if not claims and not refused:
        raise SourceError(f"{path}: there are no clips in it; write one a row under the column names")
    return claims, refused


def _check_columns(names: list[str], path: Path) -> None:
    if not any(names):
        raise SourceError(f"{path}: the file is empty; its first line must name the columns {', '.join(COLUMNS)}")
    missing = [name for name in _REQUIRED if name not in names]
    if not {"asset_id", "guid"} & set(names):
        missing.insert(0, "asset_id or guid")
    if missing:
        raise SourceError(f"{path}: missing column {', '.join(missing)}; known columns: {', '.join(COLUMNS)}")
    if twice := sorted({name for name in names if name in COLUMNS and names.count(name) > 1}):
        raise SourceError(f"{path}: column {', '.join(twice)} stands there twice; keep one of each")
    if unknown := sorted({name for name in names if name and name not in COLUMNS}):
        log.info("%s: ignoring unknown column %s", path.name, ", ".join(unknown))


def _claim(row: Row, place: str) -> Claim:
    if row.get(SURPLUS):
        raise ValueError(f"more cells than columns ({row[SURPLUS][:40]!r}); put quotes round text with commas")
    asset_id, guid = row.get("asset_id", ""), row.get("guid", "")
    if not (asset_id or guid):
        raise ValueError("neither asset_id nor guid says which episode; fill in one")
    if not row.get("editor"):
        raise ValueError("no editor; fill in who chose it")
    start, end = _time("start", row), _time("end", row)
    if start >= end:
        raise ValueError(f"end ({end:g} s) must be after start ({start:g} s)")
    return Claim(
        start,
        end,
        "file",
        row["editor"],
        _grade(row.get("grade", "")),
        row.get("title", ""),
        asset_id,
        guid,
        row.get("feed", ""),
        _digest(row.get("sha256", "")),
        _time("duration_s", row) if row.get("duration_s") else 0.0,
        _text(row.get("text", "")),
        place,
    )


def _time(name: str, row: Row) -> float:
    seconds = _seconds(row.get(name, ""))
    if not seconds <= _LATEST_S:
        raise ValueError(f"{name} is {row.get(name, '')[:40]!r}; write seconds such as 83.5, or 1:23.5 or 1:02:03")
    return seconds


def _seconds(text: str) -> float:
    """Seconds of `83.5`, `1:23.5` or `1:02:03`; nan if it is no such time."""
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = found.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds.replace(",", "."))
    return math.nan


def _grade(text: str) -> int:
    if not text:
        return BEST
    grade = _seconds(text)
    if not (grade <= BEST and grade == int(grade)):
        raise ValueError(f"grade is {text[:40]!r}; write 0, 1, 2, 3 or {BEST}")
    return int(grade)


def _digest(text: str) -> str:
    if text and not _SHA256.fullmatch(text.lower()):
        raise ValueError(f"sha256 is {text[:40]!r}; write the 64 digits that `sha256sum` prints, or nothing")
    return text.lower()


def _text(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"the text has {len(text)} letters; give the words of the clip alone")
    return text


def _malformed(row: Row, detail: str) -> RefusedClip:
    where = row.get("asset_id") or row.get("guid") or row.get("title", "")
    start, end = (_seconds(row.get(name, "")) for name in ("start", "end"))
    known = math.isfinite(start) and math.isfinite(end)
    span = (start, end) if known else (0.0, 0.0)
    return RefusedClip("file", row.get("editor", ""), where, *span, UnusableClip("malformed", detail).slug, detail)
