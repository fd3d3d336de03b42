"""A real HTTP server on this machine that behaves as podcast hosts do, well or badly, page by page."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is served at one address. The lists say how the first requests are treated, one entry each."""

    body: bytes = b""
    type: str = "application/octet-stream"
    status: int = 200
    etag: str = ""
    last_modified: str = ""
    location: str = ""  # of a redirect
    ranges: bool = True
    packed: bool = False  # Content-Encoding: gzip
    length: int | None = None  # a Content-Length that is not true
    drip_s: float = 0.0  # between two bytes
    stall_s: float = 0.0  # before the headers
    headers: dict[str, str] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)  # statuses
    cuts: list[int] = field(default_factory=list)  # bytes after which the connection is closed


class FeedServer(ThreadingHTTPServer):
    """Serves `pages`; `requests` keeps what was asked, as (path, headers with lower-case names)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def add(self, path: str, page: Page) -> str:
        """Serve `page` at `path`; returns its URL."""
        self.pages[path] = page
        return self.url(path)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of the requests for `path`, in order."""
        return [headers for asked_path, headers in self.requests if asked_path == path]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FeedServer

    def log_message(self, *_: object) -> None:
        """The tests read `requests` instead."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append((path, {name.lower(): value for name, value in self.headers.items()}))
        page = self.server.pages.get(path, Page(status=404))
        time.sleep(page.stall_s)
        if page.failures:
            self._head(page, page.failures.pop(0), 0)
        elif page.status != 200:
            self._head(page, page.status, 0)
        elif self._unchanged(page):
            self._head(page, 304, 0)
        else:
            self._content(page)

    def _unchanged(self, page: Page) -> bool:
        same_tag = bool(page.etag) and self.headers.get("If-None-Match") == page.etag
        since = self.headers.get("If-Modified-Since")
        return same_tag or (bool(page.last_modified) and since == page.last_modified)

    def _content(self, page: Page) -> None:
        body = gzip.compress(page.body, mtime=0) if page.packed else page.body
        start = self._range_start(page)
        if start is not None and start >= len(body):
            self._head(page, 416, 0, {"Content-Range": f"bytes */{len(body)}"})
            return
        extra = {} if start is None else {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        part = body[start or 0 :]
        self._head(page, 200 if start is None else 206, page.length or len(part), extra)
        self._send(page, part)

    def _range_start(self, page: Page) -> int | None:
        asked = self.headers.get("Range", "")
        proof = self.headers.get("If-Range", "")
        if (
            not page.ranges
            or not asked.startswith("bytes=")
            or (proof and proof not in {page.etag, page.last_modified})
        ):
            return None
        return int(asked.removeprefix("bytes=").partition("-")[0])

    def _head(self, page: Page, status: int, length: int, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        given = {
            "Content-Type": page.type,
            "Content-Length": str(length),
            "ETag": page.etag,
            "Last-Modified": page.last_modified,
            "Location": page.location,
            "Content-Encoding": "gzip" if page.packed and status == 200 else "",
        }
        for name, value in {**given, **page.headers, **(extra or {})}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def _send(self, page: Page, part: bytes) -> None:
        cut = page.cuts.pop(0) if page.cuts else None
        if page.drip_s:
            for position in range(len(part)):
                self.wfile.write(part[position : position + 1])
                self.wfile.flush()
                time.sleep(page.drip_s)
        else:
            self.wfile.write(part[:cut])
        if cut is not None or page.length:
            self.close_connection = True


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    """A running server, stopped at the end."""
    server = FeedServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
