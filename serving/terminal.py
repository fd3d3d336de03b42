"""What commands show: tables for people, JSON for scripts, and text from outside that cannot steer the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 160  # columns where nobody looks, so that `grep` finds whole titles


class PipedConsole(Console):
    """A console that leaves a closed pipe (`| head`) to `serving.cli.main`."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Where to print: as wide as the terminal, or wide enough for whole lines in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    return PipedConsole(stderr=stderr, highlight=False, width=None if stream.isatty() else PIPED_WIDTH)


def plain(text: str) -> str:
    """One line without control characters: titles come from feeds, and feeds come from anywhere."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text).split())


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, title: str = "") -> Table:
    """A light table. A column whose name starts with `>` is aligned right; one with `!` is never cut short."""
    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", header_style="bold", pad_edge=False)
    for name in columns:
        right, whole = ">" in name, "!" in name
        made.add_column(name.strip(">!"), justify="right" if right else "left", no_wrap=right or whole)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    return made


def print_json(value: Any) -> None:
    """Indented JSON on standard output, in the letters it was written in."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def clock(seconds: float) -> str:
    """`0:47` or `1:02:03`, rounded to whole seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def timecode(seconds: float) -> str:
    """`00:00:47.460`, as in captions."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    rest, milliseconds = divmod(milliseconds, 1000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}.{milliseconds:03d}"


def size(count: float) -> str:
    """`480 B`, `1.4 MB`: decimal, as drives are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
