"""Files of the store over HTTP, by range where the store is a folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from fastapi import HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from steps.store import Store

_TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".json": "application/json",
    ".xml": "application/rss+xml",
}
_TYPES_BY_NAME = {"chapters.json": "application/json+chapters"}
_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?", re.ASCII)
_HEADERS = {"X-Content-Type-Options": "nosniff"}
FOREVER = "public, max-age=31536000, immutable"  # what is named by its content never changes


def media_type(name: str) -> str:
    """The media type of a file name; bytes if it is none that we write."""
    return _TYPES_BY_NAME.get(name) or _TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def stored(request: Request, store: Store, key: str, kind: str, *, cache: str = "") -> Response:
    """The bytes under a key, or the range of them that is asked for. 404 if they are gone."""
    found = store.files.stat(key)
    if found is None:
        raise HTTPException(404, "the store no longer has the bytes of this file; run ingest_media again")
    headers = {**_HEADERS, **({"Cache-Control": cache} if cache else {})}
    if store.files.local:
        return FileResponse(store.files.path(key), media_type=kind, headers=headers)
    return _streamed(request, store, key, kind, size=found.bytes, headers=headers)


def _streamed(request: Request, store: Store, key: str, kind: str, *, size: int, headers: dict[str, str]) -> Response:
    """A file of a bucket, a piece at a time, so that memory holds no film."""
    first, last = _range(request.headers.get("range", ""), size)
    headers = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(max(0, last - first))}
    whole = (first, last) == (0, size)
    if not whole:
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    body = iter(()) if request.method == "HEAD" else store.files.pieces(key, first, last)
    return StreamingResponse(body, 200 if whole else 206, headers, kind)


def _range(header: str, size: int) -> tuple[int, int]:
    """First byte and the one after the last; the whole file for a header that is none or names several ranges."""
    found = _RANGE.fullmatch(header.strip())
    if not found or not any(found.groups()):
        return 0, size
    first, last = (int(part) if part else None for part in found.groups())
    if first is None:
        return max(0, size - (last or 0)), size
    if first >= size:
        raise HTTPException(416, f"the file has {size} bytes", {"Content-Range": f"bytes */{size}"})
    return first, size if last is None else min(size, max(first, last) + 1)
