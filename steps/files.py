"""Files under a root that is a folder or an object store, through fsspec; every write appears whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from featurization.errors import StoreError


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn an operating-system error into one line with the way out."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreError(
                f"{action}: no space left on the device; free some or point RUSHES_STORE elsewhere"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StoreError(f"{action}: not permitted; check the owner, or point RUSHES_STORE elsewhere") from error
        raise StoreError(f"{action}: {error}") from error


class Files:
    """Keys are relative, with forward slashes. Local writes are temp-then-rename; object stores put whole objects."""

    def __init__(self, url: str) -> None:
        self.fs, root = fsspec.core.url_to_fs(url)
        self.root = str(root).rstrip("/")
        self.local = isinstance(self.fs, LocalFileSystem)

    def path(self, key: str) -> str:
        """Where a key lives, as fsspec names it."""
        return f"{self.root}/{key}"

    def exists(self, key: str) -> bool:
        return bool(self.fs.exists(self.path(key)))

    def read(self, key: str) -> bytes:
        with explained(f"reading {self.path(key)}"):
            return bytes(self.fs.cat_file(self.path(key)))

    def modified(self, key: str) -> float:
        """When a file was last written, in seconds since 1970; 0 if there is none."""
        try:
            return float(self.fs.modified(self.path(key)).timestamp())
        except FileNotFoundError:
            return 0.0

    def list(self, folder: str) -> list[str]:
        """Names (not keys) in a folder, sorted; empty if there is no such folder."""
        self.fs.invalidate_cache()
        if not self.fs.exists(self.path(folder)):
            return []
        names = (Path(str(entry)).name for entry in self.fs.ls(self.path(folder), detail=False))
        return sorted(name for name in names if not name.startswith(".part-"))

    def write(self, key: str, data: bytes) -> None:
        """Replace or create a file; readers see the old bytes or the new, never a part."""
        with explained(f"writing {self.path(key)}"):
            if not self.local:
                self.fs.pipe_file(self.path(key), data)
                return
            with self._staged(key) as staged:
                staged.write_bytes(data)

    def put(self, key: str, source: Path) -> None:
        """Copy a local file in, whole or not at all."""
        with explained(f"writing {self.path(key)}"):
            if not self.local:
                self.fs.put_file(str(source), self.path(key))
                return
            with self._staged(key) as staged:
                shutil.copyfile(source, staged)

    def create(self, key: str, data: bytes, *, mode: int = 0o666) -> bool:
        """Write only if the key does not exist yet; False if somebody else was first.

        `mode` is that of a local file, less the umask.
        """
        with explained(f"writing {self.path(key)}"):
            if not self.local:
                return self._create_object(key, data)
            target = Path(self.path(key))
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = target.with_name(f".part-{uuid.uuid4().hex}")
            try:
                staged.touch(mode)
                staged.write_bytes(data)
                os.link(staged, target)  # atomic and fails if the target exists, unlike rename
            except FileExistsError:
                return False
            finally:
                staged.unlink(missing_ok=True)
            return True

    def _create_object(self, key: str, data: bytes) -> bool:
        try:
            self.fs.pipe_file(self.path(key), data, mode="create")
        except FileExistsError:
            return False
        return True

    def delete(self, key: str) -> None:
        if self.exists(key):
            self.fs.rm(self.path(key), recursive=True)

    @contextmanager
    def as_local(self, key: str) -> Iterator[Path]:
        """The file as a local path: itself, or a copy that lives as long as the context."""
        if self.local:
            yield Path(self.path(key))
            return
        with tempfile.TemporaryDirectory(prefix="rushes-") as folder, explained(f"reading {self.path(key)}"):
            target = Path(folder) / Path(key).name
            self.fs.get_file(self.path(key), str(target))
            yield target

    @contextmanager
    def _staged(self, key: str) -> Iterator[Path]:
        target = Path(self.path(key))
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f".part-{uuid.uuid4().hex}")
        try:
            yield staged
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)
