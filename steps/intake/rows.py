"""Tables as people keep them: CSV in any encoding and with any delimiter, or Parquet; rows are text by column name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from featurization.errors import SourceError
from featurization.feeds.repair import decode

Row = Mapping[str, str]
SURPLUS = "*"  # key of what stands behind the last column


def read_rows(path: Path, *, known: Collection[str], check: Callable[[list[str]], None]) -> Iterator[Row]:
    """The rows of the table at `path`, blank ones left out; `known` column names tell the delimiter.

    `check` is given the column names before any row is read, and may raise. Raises SourceError if it is no table.
    """
    return _parquet_rows(path, check) if _is_parquet(path) else _csv_rows(path, known, check)


def header_names(text: str, known: Collection[str]) -> list[str]:
    """Column names in the first line of `text`."""
    header = _without_prolog(text).partition("\n")[0]
    return _names(header.split(_delimiter(header, known)))


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _csv_rows(path: Path, known: Collection[str], check: Callable[[list[str]], None]) -> Iterator[Row]:
    text = _without_prolog(decode(path.read_bytes()))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0], known))
    try:
        names = _names(next(reader, []))
        check(names)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(names, [cell.strip() for cell in cells])
    except csv.Error as error:
        raise SourceError(f"{path}: damaged CSV near line {reader.line_num} ({error}); save it again as CSV") from error


def _row(names: list[str], cells: list[str]) -> Row:
    surplus = " ".join(cells[len(names) :]).strip()
    return {**dict(zip(names, cells, strict=False)), **({SURPLUS: surplus} if surplus else {})}


def _without_prolog(text: str) -> str:
    return text.lstrip("\ufeff\r\n ")


def _delimiter(header: str, known: Collection[str]) -> str:
    return max(",;\t", key=lambda mark: sum(name in known for name in _names(header.split(mark))))


def _names(cells: Iterable[str]) -> list[str]:
    return [cell.strip().strip('"').strip().lower() for cell in cells]


def _parquet_rows(path: Path, check: Callable[[list[str]], None]) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            check(_names(file.schema_arrow.names))
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    yield {name.strip().lower(): _text(value) for name, value in row.items()}
    except pa.ArrowException as error:
        raise SourceError(f"{path}: damaged Parquet ({str(error).splitlines()[0]}); write it again") from error


def _text(value: Any) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ";".join(map(_text, value))
    return "" if value is None else str(value).strip()
