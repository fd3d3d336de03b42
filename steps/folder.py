"""A folder of this machine as the place of a store: every file appears whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from steps.place import Found

STAGED = ".part-"


def reason(error: Exception) -> str | None:
    """What went wrong, with the way out; None if it is no error of the operating system."""
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "no space left on the device; free some or point RUSHES_STORE elsewhere"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "not permitted; check the owner, or point RUSHES_STORE elsewhere"
    return str(error)


class Folder:
    """Files by path; what is written goes to a file beside the target first, which then takes its name."""

    def exists(self, path: str) -> bool:
        return Path(path).exists()

    def read(self, path: str, first: int = 0, last: int | None = None) -> bytes:
        with Path(path).open("rb") as file:
            file.seek(first)
            return file.read(-1 if last is None else max(0, last - first))

    def stat(self, path: str) -> Found:
        facts = Path(path).stat()
        return Found(path, facts.st_size, facts.st_mtime)

    def names(self, path: str) -> list[str]:
        folder = Path(path)
        return [entry.name for entry in folder.iterdir() if not _staged(entry)] if folder.is_dir() else []

    def walk(self, path: str) -> Iterator[Found]:
        for folder, _, names in os.walk(path):
            yield from (self.stat(f"{folder}/{name}") for name in names if not name.startswith(STAGED))

    def write(self, path: str, data: bytes) -> None:
        with self._staging(path) as staged:
            staged.write_bytes(data)

    def put(self, path: str, source: Path) -> None:
        with self._staging(path) as staged:
            shutil.copyfile(source, staged)

    def create(self, path: str, data: bytes, mode: int) -> bool:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f"{STAGED}{uuid.uuid4().hex}")
        try:
            staged.touch(mode)
            staged.write_bytes(data)
            os.link(staged, target)  # atomic and fails if the target exists, unlike rename
        except FileExistsError:
            return False
        finally:
            staged.unlink(missing_ok=True)
        return True

    def fetch(self, path: str, target: Path) -> None:
        shutil.copyfile(path, target)

    def delete(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)

    def remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.delete(path)

    def clear(self, path: str) -> None:
        if Path(path).exists():
            shutil.rmtree(path)

    reason = staticmethod(reason)

    @contextmanager
    def _staging(self, path: str) -> Iterator[Path]:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f"{STAGED}{uuid.uuid4().hex}")
        try:
            yield staged
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)


def _staged(entry: Path) -> bool:
    return entry.name.startswith(STAGED)
