"""Files under a root that is a folder, a bucket, or any address of fsspec; every write appears whole or not at all."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from featurization.errors import StoreError
from steps.bucket import ATTEMPTS, Bucket
from steps.file_system import FileSystem
from steps.folder import Folder, reason
from steps.place import Found, Place

PIECE_BYTES = 1 << 20
Reason = Callable[[Exception], str | None]


@contextmanager
def explained(action: str, reason: Reason = reason) -> Iterator[None]:
    """Turn an error of the place where files are into one line with the way out."""
    try:
        yield
    except Exception as error:
        if (said := reason(error)) is None:
            raise
        raise StoreError(f"{action}: {said}") from error


class Files:
    """Keys are relative, with forward slashes. Whatever goes wrong comes out as StoreError.

    A request to a bucket that fails is sent again until there were so many `attempts`.
    """

    def __init__(self, url: str, *, attempts: int = ATTEMPTS) -> None:
        self._place, self.root = _opened(url, attempts)
        self.local = isinstance(self._place, Folder)
        self.read_bytes = self.written_bytes = 0  # so far, for whoever meters
        self._counting = threading.Lock()

    def path(self, key: str) -> str:
        """Where a key lives: a path of this machine, or BUCKET/KEY."""
        return f"{self.root}/{key}" if key else self.root

    def exists(self, key: str) -> bool:
        with self._explained("looking for", key):
            return self._place.exists(self.path(key))

    def read(self, key: str) -> bytes:
        with self._explained("reading", key):
            return self._counted(self._place.read(self.path(key)))

    def read_if_there(self, key: str) -> bytes | None:
        """The same, or None if there is no such file: one request to a bucket, not two."""
        with self._explained("reading", key):
            try:
                return self._counted(self._place.read(self.path(key)))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def pieces(self, key: str, first: int, last: int) -> Iterator[bytes]:
        """The bytes from `first` up to `last`, a piece at a time, so that memory holds no film."""
        for start in range(first, last, PIECE_BYTES):
            with self._explained("reading", key):
                yield self._counted(self._place.read(self.path(key), start, min(last, start + PIECE_BYTES)))

    def stat(self, key: str) -> Found | None:
        """How large a file is, and when it was written; None if there is no such file."""
        with self._explained("looking for", key):
            try:
                return replace(self._place.stat(self.path(key)), path=key)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def modified(self, key: str) -> float:
        """When a file was last written, in seconds since 1970; 0 if there is none."""
        found = self.stat(key)
        return found.modified if found else 0.0

    def list(self, folder: str) -> list[str]:
        """Names (not keys) in a folder, sorted; empty if there is no such folder."""
        with self._explained("listing", folder):
            return sorted(self._place.names(self.path(folder)))

    def walk(self, folder: str) -> Iterator[Found]:
        """All files below a folder, however deep; the `path` of each is its key."""
        with self._explained("listing", folder):
            for found in self._place.walk(self.path(folder)):
                yield replace(found, path=found.path.removeprefix(f"{self.root}/"))

    def write(self, key: str, data: bytes) -> None:
        """Replace or create a file; readers see the old bytes or the new, never a part."""
        with self._explained("writing", key):
            self._place.write(self.path(key), data)
        self._count(written=len(data))

    def put(self, key: str, source: Path) -> None:
        """Copy a local file in, whole or not at all."""
        with self._explained("writing", key):
            self._place.put(self.path(key), source)
        self._count(written=source.stat().st_size)

    def create(self, key: str, data: bytes, *, mode: int = 0o666) -> bool:
        """Write only if the key does not exist yet; False if somebody else was first.

        `mode` is that of a local file, less the umask.
        """
        with self._explained("writing", key):
            created = self._place.create(self.path(key), data, mode)
        self._count(written=len(data) if created else 0)
        return created

    def delete(self, key: str) -> None:
        """Remove a file, if there is one."""
        with self._explained("removing", key):
            self._place.delete(self.path(key))

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove files, those that there are, a thousand with a request where files are in a bucket."""
        with self._explained("removing files from", ""):
            self._place.remove([self.path(key) for key in keys])

    def clear(self, folder: str) -> None:
        """Remove a folder with all that is in it, if there is one."""
        with self._explained("removing", folder):
            self._place.clear(self.path(folder))

    @contextmanager
    def as_local(self, key: str) -> Iterator[Path]:
        """The file as a local path: itself, or a copy that lives as long as the context."""
        if self.local:
            path = Path(self.path(key))
            self._count(read=path.stat().st_size if path.exists() else 0)
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
            target = Path(folder) / Path(key).name
            with self._explained("reading", key):
                self._place.fetch(self.path(key), target)
            self._count(read=target.stat().st_size)
            yield target

    def _counted(self, data: bytes) -> bytes:
        self._count(read=len(data))
        return data

    def _count(self, *, read: int = 0, written: int = 0) -> None:
        with self._counting:
            self.read_bytes += read
            self.written_bytes += written

    def _explained(self, action: str, key: str) -> AbstractContextManager[None]:
        return explained(f"{action} {self.path(key)}", self._place.reason)


def _opened(url: str, attempts: int) -> tuple[Place, str]:
    """The place that an address names, and the path of the root in it. StoreError if there is no such place."""
    scheme, colon, rest = url.partition("://")
    try:
        if colon and scheme in ("s3", "s3a"):
            return Bucket(attempts=attempts), rest.strip("/")
        fs, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise StoreError(f"{url}: {error}; `pip install 'rushes[s3]'` brings what S3 needs") from error
    except ValueError as error:
        raise StoreError(f"{url}: {error}; RUSHES_STORE is a folder or s3://bucket/prefix") from error
    local = isinstance(fs, LocalFileSystem)
    return Folder() if local else FileSystem(fs), str(root).rstrip("/")
