"""What commands show: tables for people, JSON for scripts, and text from outside that cannot steer the terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 1000  # columns where nobody looks, so that `grep` finds whole paths and titles
_SIGPIPE_STATUS = 141


class PipedConsole(Console):
    """A console that ends quietly when its reader has gone (`| head`)."""

    def on_broken_pipe(self) -> None:
        reader_gone()


def reader_gone() -> NoReturn:
    """End as programs do whose reader has gone: without a word, with the status of SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains when it flushes
    raise SystemExit(_SIGPIPE_STATUS)


def console(*, stderr: bool = False) -> Console:
    """Where to print: as wide as the terminal, or wide enough for whole lines in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    told = stream.isatty() or "COLUMNS" in os.environ
    return PipedConsole(stderr=stderr, highlight=False, width=None if told else _PIPED_WIDTH)


def plain(text: str) -> str:
    """One line without control characters: titles come from feeds, and feeds come from anywhere."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text).split())


def safe(text: str) -> str:
    """The same, to stand between rich markup."""
    return escape(plain(text))


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def complain(error: Exception) -> int:
    """Say in one line on standard error what is wrong; returns the exit status."""
    console(stderr=True).print(f"rushes: {plain(str(error))}", markup=False, soft_wrap=True)
    return 1


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
    print_text(json.dumps(value, ensure_ascii=False, indent=1))


def print_text(text: str) -> None:
    """Text as it is on standard output, with a newline."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        reader_gone()


def clock(seconds: float) -> str:
    """`0:47` or `1:02:03`, rounded to whole seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def size(count: float) -> str:
    """`480 B`, `1.4 MB`: decimal, as drives are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
