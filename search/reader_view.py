"""A reader's own view of a Milvus Lite file, so that any number of processes read one generation.

Milvus Lite lets one process open a file. A generation never changes once it is current, so each reader opens a folder
of its own in which the large files are hard links (copies, where links cannot be made) and the small ones are copied:
a few milliseconds, no second copy of the data, and removing the generation leaves the reader in peace.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

READERS = "readers"
OWNED = "owned"  # locked for as long as the view's process lives
UNCHANGING = (".parquet", ".idx", ".sidx")
SKIPPED = "LOCK"


class ReaderView:
    """A folder with the view `database` in it, until it is closed."""

    def __init__(self, database: Path, index: Path) -> None:
        home = index / READERS
        home.mkdir(exist_ok=True)
        with _alone(home):
            _sweep(home)
            self._folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=home))
            self._owned = _lock(self._folder / OWNED)
        self.database = self._folder / database.name
        try:
            shutil.copytree(database, self.database, ignore=shutil.ignore_patterns(SKIPPED), copy_function=_link)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the view."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._owned.close()


def _link(source: str, target: str) -> None:
    if source.endswith(UNCHANGING):
        try:
            os.link(source, target)
            return
        except OSError:  # a file system without links
            pass
    shutil.copyfile(source, target)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process at a time makes or sweeps views, so that none is swept before it is owned."""
    with (home / "sweeping").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep(home: Path) -> None:
    """Remove the views of processes that are gone."""
    for folder in home.iterdir():
        if folder.is_dir():
            try:
                _lock(folder / OWNED).close()
            except OSError:
                continue
            shutil.rmtree(folder, ignore_errors=True)


def _lock(path: Path) -> TextIO:
    file = path.open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
