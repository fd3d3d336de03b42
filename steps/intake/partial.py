"""A download in progress: the bytes so far, and the proof by which a server may be asked for the rest."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from featurization.errors import StoreError

_BLOCK_BYTES = 1 << 20
_NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server said of the bytes in a partial file."""

    etag: str = ""
    last_modified: str = ""
    content_type: str = ""
    packed: bool = False  # sent compressed: a place in the unpacked bytes cannot be asked for

    @property
    def proof(self) -> str:
        """For If-Range: a strong ETag, else the date; "" if the server gave nothing that proves sameness."""
        strong = self.etag if self.etag and not self.etag.startswith("W/") else ""
        return "" if self.packed else strong or self.last_modified


class Partial:
    """A .part file that can be continued. Inserted ads differ between two downloads of one episode, so it is only
    continued when the server proves that the file is still the same one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._facts_path = path.with_suffix(".json")
        self.facts = self._read_facts()
        if not self.facts.proof:
            self.clear()
        self.size, self._digest = self._measure()

    def _read_facts(self) -> Facts:
        try:
            return Facts(**json.loads(self._facts_path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return Facts()

    def _measure(self) -> tuple[int, hashlib._Hash]:
        digest = hashlib.sha256()
        with disk_errors(self.path), self.path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
            return file.tell(), digest

    def clear(self) -> None:
        """Forget what is here and start from nothing."""
        with disk_errors(self.path):
            self.path.write_bytes(b"")
            self._facts_path.unlink(missing_ok=True)
        self.facts, self.size, self._digest = Facts(), 0, hashlib.sha256()

    def range_headers(self) -> dict[str, str]:
        """The request headers that ask for the rest; none if everything is to be asked for."""
        if not self.facts.proof:
            self.clear()
        return {"Range": f"bytes={self.size}-", "If-Range": self.facts.proof} if self.size else {}

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take the answer's headers: go on (206) or start over (200). False if it does not continue what is here."""
        if status == 206:
            if headers.get("content-range", "").startswith(f"bytes {self.size}-"):
                return True
            self.clear()
            return False
        self.clear()
        self.facts = Facts(
            etag=headers.get("etag", ""),
            last_modified=headers.get("last-modified", ""),
            content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
            packed=headers.get("content-encoding", "identity") != "identity",
        )
        with disk_errors(self.path):
            self._facts_path.write_text(json.dumps(asdict(self.facts)), "utf-8")
        return True

    def is_whole(self, headers: Mapping[str, str]) -> bool:
        """Whether a 416 answer says that nothing was missing."""
        return self.size > 0 and headers.get("content-range", "") == f"bytes */{self.size}"

    def write(self, chunk: bytes) -> None:
        """Append to the file and to its digest."""
        with disk_errors(self.path), self.path.open("ab") as file:
            file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> Path:
        """Give the file its name, the sha256 of its bytes, in one step."""
        path = self.path.with_name(self._digest.hexdigest())
        with disk_errors(self.path):
            self.path.replace(path)
            self._facts_path.unlink(missing_ok=True)
        return path

    def tidy(self) -> None:
        """Remove what nobody can continue."""
        if not (self.size and self.facts.proof):
            self.path.unlink(missing_ok=True)
            self._facts_path.unlink(missing_ok=True)


@contextmanager
def partial_file(folder: Path, url: str) -> Iterator[Partial]:
    """The partial file of `url` in `folder`; if another run is at it at this moment, a separate one. What cannot be
    continued is removed in the end.
    """
    path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.part"
    with disk_errors(folder):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _locked(descriptor, path):
            path = path.with_name(f"{path.stem}-{os.getpid()}.part")
            path.touch()
        part = Partial(path)
        try:
            yield part
        finally:
            part.tidy()
    finally:
        os.close(descriptor)


def _locked(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Failures to write, as StoreError with the way out."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StoreError(
                f"{place}: no space left; free some and run again, downloads go on where they stopped"
            ) from error
        raise StoreError(f"{place}: cannot be written ({error.strerror or error}); check the folder") from error
