"""One process writes an index at a time; another waits a little, and is then told who is at it."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from featurization.errors import SearchIndexError

LOCK = "publishing"
PAUSE_S = 0.2


@contextmanager
def writing(folder: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the right to write. SearchIndexError, naming the process that holds it, after `wait_s`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        if not _acquired(file, until=time.monotonic() + wait_s):
            raise SearchIndexError(
                f"{folder}: {_holder(file)} has been writing this index for {wait_s:g} s;"
                " wait until it is done, or stop it, and run again"
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} ({_command()})")
        file.flush()
        yield


def _acquired(file: TextIO, *, until: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(PAUSE_S)


def _holder(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip() or "another process"


def _command() -> str:
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return " ".join([program, *sys.argv[1:3]])
