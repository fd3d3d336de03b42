"""Media and small documents from the web or the disk: resumable, conditional, retried, bounded in size and time."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from featurization.errors import UnreachableMedia
from steps.intake.fetching import (
    DownloadOptions,
    TransientError,
    Validators,
    bounded,
    check_length,
    check_scheme,
    check_status,
    is_remote,
    patiently,
    shown,
    too_large,
)
from steps.intake.partial import Partial, disk_errors, partial_file
from steps.intake.sniff import HEAD_BYTES, looks_like_media

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file on this disk with the digest of its bytes; with `not_modified`, no file: the known one still holds."""

    path: Path
    sha256: str
    size_bytes: int
    etag: str = ""
    last_modified: str = ""
    final_url: str = ""
    content_type: str = ""
    not_modified: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A small file in memory. If the address turned out to be media, `media` is set and `data` is empty."""

    data: bytes
    final_url: str
    content_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""
    not_modified: bool = False
    media: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    client: httpx.Client
    options: DownloadOptions
    known: Validators


def download(
    location: str, *, to: Path, client: httpx.Client, options: DownloadOptions, known: Validators | None = None
) -> Downloaded:
    """The media at an http(s) URL as a file in the folder `to`, named by its sha256; a local path is hashed in place.

    An interrupted download goes on where it stopped, in this run or the next, if the server can prove that the file is
    still the same one. Raises UnreachableMedia for the address, StoreError for the disk.
    """
    if not is_remote(location):
        return _local(Path(location), max_bytes=options.max_bytes)
    check_scheme(location)
    with disk_errors(to):
        to.mkdir(parents=True, exist_ok=True)
    request = _Request(location, client, options, known or Validators())
    with partial_file(to, location) as part:
        return patiently(
            lambda deadline: _media(request, part, deadline),
            url=location,
            options=options,
            timeout_s=options.timeout_s,
        )


def fetch_document(
    location: str, *, client: httpx.Client, options: DownloadOptions, known: Validators | None = None
) -> Document:
    """The bytes of a feed, transcript, chapters file or image at an http(s) URL or local path, unpacked if gzipped.

    Raises UnreachableMedia, in one line, if it cannot be had or is larger than `document_max_bytes`.
    """
    if not is_remote(location):
        data = _read(Path(location), max_bytes=options.document_max_bytes)
        return Document(_unpacked(data, location, options.document_max_bytes), location)
    check_scheme(location)
    request = _Request(location, client, options, known or Validators())
    return patiently(
        lambda deadline: _document(request, deadline),
        url=location,
        options=options,
        timeout_s=options.document_timeout_s,
    )


def _media(request: _Request, part: Partial, deadline: float) -> Downloaded:
    known = request.known
    headers = {"Accept-Encoding": "identity", **known.headers(), **part.range_headers()}
    with request.client.stream("GET", request.url, headers=headers) as response:
        final = str(response.url)
        if response.status_code == 304 and known.headers():
            return Downloaded(part.path.parent, "", 0, known.etag, known.last_modified, final, not_modified=True)
        if not (response.status_code == 416 and part.is_whole(response.headers)):
            _receive(response, request, part, deadline)
    facts, path = part.facts, part.finish()
    return Downloaded(path, path.name, part.size, facts.etag, facts.last_modified, final, facts.content_type)


def _receive(response: httpx.Response, request: _Request, part: Partial, deadline: float) -> None:
    if response.status_code == 416:
        part.clear()
        raise TransientError("the server cannot continue the download")
    check_status(response, request.url)
    check_length(response, request.url, request.options.max_bytes)
    if not part.begin(response.status_code, response.headers):
        raise TransientError("the server continued the download at the wrong place")
    limit = request.options.max_bytes
    for chunk in bounded(response, request.url, deadline=deadline, max_bytes=limit, have=part.size):
        part.write(chunk)


def _document(request: _Request, deadline: float) -> Document:
    url, known, limit = request.url, request.known, request.options.document_max_bytes
    with request.client.stream("GET", url, headers=known.headers()) as response:
        final, headers = str(response.url), response.headers
        if response.status_code == 304 and known.headers():
            return Document(b"", final, etag=known.etag, last_modified=known.last_modified, not_modified=True)
        check_status(response, url)
        data, media = _body(response, request, deadline)
    return Document(
        data=b"" if media else _unpacked(data, url, limit),
        final_url=final,
        content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        charset=response.charset_encoding or "",
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        media=media,
    )


def _body(response: httpx.Response, request: _Request, deadline: float) -> tuple[bytes, bool]:
    """The body and whether it is media, of which no more is read than it takes to know."""
    if response.headers.get("content-type", "").startswith(("audio/", "video/")):
        return b"", True
    data, limit = bytearray(), request.options.document_max_bytes
    for chunk in bounded(response, request.url, deadline=deadline, max_bytes=limit, have=0):
        data += chunk
        if len(data) - len(chunk) < HEAD_BYTES and looks_like_media(bytes(data[:HEAD_BYTES])):
            return b"", True
    return bytes(data), False


def _unpacked(data: bytes, url: str, max_bytes: int) -> bytes:
    """`data`, or what it holds if it is a gzip file (feeds are served as .xml.gz without saying so)."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, max_bytes)
    except zlib.error as error:
        raise UnreachableMedia(f"{shown(url)}: damaged gzip data ({error}); fetch it again") from error
    if unpacker.unconsumed_tail:
        raise too_large(url, max_bytes)
    return plain


def _local(path: Path, *, max_bytes: int) -> Downloaded:
    with _readable(path):
        size = path.stat().st_size
        if size > max_bytes:
            raise too_large(str(path), max_bytes)
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return Downloaded(path=path, sha256=digest.hexdigest(), size_bytes=size, final_url=str(path))


def _read(path: Path, *, max_bytes: int) -> bytes:
    with _readable(path):
        if path.stat().st_size > max_bytes:
            raise too_large(str(path), max_bytes)
        return path.read_bytes()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnreachableMedia(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
