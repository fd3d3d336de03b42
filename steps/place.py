"""What a store needs of the place where its files are: a folder, a bucket, or any file system of fsspec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there."""

    path: str
    bytes: int
    modified: float  # seconds since 1970


class Place(Protocol):
    """Files by path. What is missing raises FileNotFoundError; other errors are the place's own, see `reason`."""

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""

    def read(self, path: str, first: int = 0, last: int | None = None) -> bytes:
        """The bytes from `first` up to `last`, which is not among them."""

    def stat(self, path: str) -> Found:
        """How large a file is, and when it was written."""

    def names(self, path: str) -> Iterable[str]:
        """Names in a folder, of files and of folders; none if there is no such folder."""

    def walk(self, path: str) -> Iterator[Found]:
        """All files below a folder, however deep."""

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a file, whole or not at all."""

    def put(self, path: str, source: Path) -> None:
        """The same with the bytes of a local file, which may be large."""

    def create(self, path: str, data: bytes, mode: int) -> bool:
        """Create a file; False if there is one already. Of many who do it at once, one gets True."""

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file, which may be large, to a local one."""

    def delete(self, path: str) -> None:
        """Remove a file, if there is one."""

    def remove(self, paths: Sequence[str]) -> None:
        """The same with many, in their order or some at once."""

    def clear(self, path: str) -> None:
        """Remove a folder with all that is in it, if there is one."""

    def reason(self, error: Exception) -> str | None:
        """What went wrong, with the way out; None if it is not the place that is to blame."""
