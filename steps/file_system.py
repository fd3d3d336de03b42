"""Any file system of fsspec as the place of a store. What it does at once and exclusively is up to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from steps.place import Found


class FileSystem:
    """Files by path, as fsspec names them."""

    def __init__(self, fs: Any) -> None:
        self._fs = fs

    def exists(self, path: str) -> bool:
        return bool(self._fs.exists(path))

    def read(self, path: str, first: int = 0, last: int | None = None) -> bytes:
        return bytes(self._fs.cat_file(path, first, last))

    def stat(self, path: str) -> Found:
        return Found(path, int(self._fs.size(path)), float(self._fs.modified(path).timestamp()))

    def names(self, path: str) -> list[str]:
        self._fs.invalidate_cache()
        return [Path(str(entry)).name for entry in self._fs.ls(path, detail=False)] if self._fs.exists(path) else []

    def walk(self, path: str) -> Iterator[Found]:
        self._fs.invalidate_cache()
        yield from map(self.stat, map(str, self._fs.find(path)))

    def write(self, path: str, data: bytes) -> None:
        self._fs.pipe_file(path, data)

    def put(self, path: str, source: Path) -> None:
        self._fs.put_file(str(source), path)

    def create(self, path: str, data: bytes, mode: int) -> bool:  # noqa: ARG002 - rights are the place's
        try:
            self._fs.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def fetch(self, path: str, target: Path) -> None:
        self._fs.get_file(path, str(target))

    def delete(self, path: str) -> None:
        if self._fs.exists(path):
            self._fs.rm_file(path)

    def remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.delete(path)

    def clear(self, path: str) -> None:
        if self._fs.exists(path):
            self._fs.rm(path, recursive=True)

    def reason(self, error: Exception) -> str | None:
        return str(error) if isinstance(error, OSError) else None
