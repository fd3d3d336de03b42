"""Asking a server politely: one client a run, tries with growing waits, limits, and errors a person understands."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from featurization.errors import UnreachableMedia
from steps.version import VERSION

T = TypeVar("T")
_TRY_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True)
class DownloadOptions:
    """How patient and how generous downloading is."""

    attempts: int = 4  # tries per address, the first included
    backoff_s: float = 1.0  # wait before the second try; doubles each time, with jitter
    max_wait_s: float = 60.0  # longest wait between tries, whatever Retry-After asks for
    stall_s: float = 30.0  # longest silence of a server before the try is given up
    timeout_s: float = 3600.0  # per media file, all tries together
    document_timeout_s: float = 120.0  # the same for feeds, transcripts, chapters and images
    max_bytes: int = 4 << 30  # largest media file
    document_max_bytes: int = 64 << 20  # largest document, unpacked
    max_redirects: int = 10


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of the version that is already here; sent back to be told "not modified"."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        """The conditional request headers."""
        given = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in given.items() if value}


class TransientError(Exception):
    """A fault that may pass. `wait_s` is how long the server asks to be left alone."""

    def __init__(self, text: str, *, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


def open_client(options: DownloadOptions) -> httpx.Client:
    """The HTTP client of a run: one per run, closed by the caller."""
    return httpx.Client(
        follow_redirects=True,
        max_redirects=options.max_redirects,
        timeout=httpx.Timeout(options.stall_s),
        headers={"User-Agent": f"rushes/{VERSION}"},
    )


def is_remote(location: str) -> bool:
    """Whether `location` is an address rather than a path."""
    return "://" in location


def check_scheme(url: str) -> None:
    """Raise UnreachableMedia unless `url` is http or https: a feed must not make us read anything else."""
    if url.partition("://")[0].lower() not in {"http", "https"}:
        raise UnreachableMedia(f"{url}: only http and https addresses are fetched; give a path for a file on this disk")


def shown(url: str) -> str:
    """`url` without the password that it may carry, for messages."""
    user, at, rest = url.rpartition("@")
    return f"{user.partition('://')[0]}://{rest}" if at and "/" not in user.partition("://")[2] else url


def patiently(attempt: Callable[[float], T], *, url: str, options: DownloadOptions, timeout_s: float) -> T:
    """The result of `attempt(deadline)`, tried again after faults that may pass."""
    deadline = time.monotonic() + timeout_s
    for number in range(1, options.attempts + 1):
        try:
            with _network_errors(url, options):
                return attempt(deadline)
        except TransientError as fault:
            asked = max(fault.wait_s, options.backoff_s * 2 ** (number - 1) * random.uniform(0.5, 1.0))
            wait = min(asked, options.max_wait_s)
            if number == options.attempts or time.monotonic() + wait > deadline:
                raise UnreachableMedia(f"{shown(url)}: {fault} (tried {number} times); try again later") from fault
            time.sleep(wait)
    raise UnreachableMedia(f"{shown(url)}: not tried; set attempts to 1 or more")


@contextmanager
def _network_errors(url: str, options: DownloadOptions) -> Iterator[None]:
    where = shown(url)
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise UnreachableMedia(
            f"{where}: more than {options.max_redirects} redirects, probably a loop; open it in a browser"
        ) from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise UnreachableMedia(f"{where}: leads to an address that cannot be fetched ({error}); check it") from error
    except httpx.TimeoutException as error:
        raise TransientError(f"no answer within {options.stall_s:g} s") from error
    except httpx.HTTPError as error:
        raise TransientError(str(error) or type(error).__name__) from error


def check_status(response: httpx.Response, url: str) -> None:
    """Raise TransientError or UnreachableMedia unless the server answers with content."""
    status = response.status_code
    if status in _TRY_AGAIN:
        raise TransientError(f"the server answers {status}", wait_s=_retry_after(response))
    if status in {401, 403}:
        raise UnreachableMedia(f"{shown(url)}: the server refuses access ({status}); it may need a private address")
    if status in {404, 410}:
        raise UnreachableMedia(f"{shown(url)}: not there ({status}); the publisher moved or removed it")
    if status >= 300 or status == 204:
        raise UnreachableMedia(f"{shown(url)}: the server answers {status}; check the address")


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "").strip()
    try:
        return float(value) if value.isdigit() else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def check_length(response: httpx.Response, url: str, max_bytes: int) -> None:
    """Raise UnreachableMedia if the server announces more than `max_bytes`."""
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise too_large(url, max_bytes)


def too_large(url: str, max_bytes: int) -> UnreachableMedia:
    """The error for what exceeds the limit."""
    return UnreachableMedia(f"{shown(url)}: larger than the limit of {max_bytes:,} bytes; raise it in the config")


def bounded(response: httpx.Response, url: str, *, deadline: float, max_bytes: int, have: int) -> Iterator[bytes]:
    """The body as it arrives, watched: at most `max_bytes` with the `have` that are here, no later than `deadline`."""
    for chunk in response.iter_bytes():  # no chunk size: a trickle must reach the clock below byte by byte
        have += len(chunk)
        if have > max_bytes:
            raise too_large(url, max_bytes)
        yield chunk
        if time.monotonic() > deadline:
            raise UnreachableMedia(
                f"{shown(url)}: too slow, given up after {have:,} bytes; raise the time limit or retry"
            )
