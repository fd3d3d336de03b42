"""Headless Chromium for tests of pages: what a page does wrong by itself fails its test.

conftest.py makes the fixtures known to all tests. `page` is 1280 pixels wide and light, `narrow_page` 400 pixels wide,
and a test that takes `any_page` runs four times: wide and narrow, light and dark. Each comes with cookies of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:  # others of the suite start without Playwright
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

WIDE, NARROW = 1280, 400
_HEIGHT = 800
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MISSING = "no Chromium for the tests of pages; install Chromium: apt-get install chromium"
_OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
_HERE = ("127.0.0.1", "localhost")
_PATIENCE_MS = 30_000  # for whatever a test waits for; two workers share two cores
_WAYS = [(width, scheme) for width in (WIDE, NARROW) for scheme in ("light", "dark")]
_troubles: WeakKeyDictionary[BrowserContext, list[str]] = WeakKeyDictionary()


@pytest.fixture(scope="module")  # not longer: other modules could run no event loop while Playwright's stands in it
def browser() -> Iterator[Browser]:
    """Chromium without a window, which reaches this machine only."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--mute-audio", _OFFLINE]
        started = playwright.chromium.launch(executable_path=_executable(), args=arguments)
        yield started
        started.close()


def _executable() -> str:
    """The path of Chromium; without one tests are skipped, or fail where CI runs them."""
    if found := next(filter(None, map(shutil.which, _NAMES)), None):
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(_MISSING, pytrace=False)
    pytest.skip(_MISSING)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on a wide screen, in light."""
    with opened(browser) as made:
        yield made


@pytest.fixture
def narrow_page(browser: Browser) -> Iterator[Page]:
    """A page on a telephone, in light."""
    with opened(browser, width=NARROW) as made:
        yield made


@pytest.fixture(params=_WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
def any_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on a wide and on a narrow screen, in light and in dark, one after the other."""
    width, scheme = request.param
    with opened(browser, width=width, scheme=scheme) as made:
        yield made


@contextmanager
def opened(browser: Browser, *, width: int = WIDE, scheme: Any = "light", **options: Any) -> Iterator[Page]:
    """An empty page with cookies of its own; afterwards the test fails if anything in it went wrong by itself."""
    context = browser.new_context(viewport={"width": width, "height": _HEIGHT}, color_scheme=scheme, **options)
    try:
        context.set_default_timeout(_PATIENCE_MS)
        _troubles[context] = []
        _watch(context)
        yield context.new_page()
        assert troubles(context) == []
    finally:
        context.close()


def _watch(context: BrowserContext) -> None:
    """Note errors on the console, errors that no script caught, and requests that leave this machine."""
    found = _troubles[context]
    context.on("console", lambda line: found.extend(_said(line)))
    context.on("weberror", lambda error: found.append(f"error: {error.error}"))
    context.on("request", lambda request: found.append(f"elsewhere: {request.url}") if _away(request.url) else None)


def _said(line: ConsoleMessage) -> list[str]:
    """An error as a line; that a page without an icon is asked for one is the browser's own doing."""
    about = line.location["url"]
    own = line.type != "error" or urlsplit(about).path == "/favicon.ico"
    return [] if own else [f"console: {line.text} ({about})"]


def _away(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname not in _HERE


def troubles(context: BrowserContext) -> list[str]:
    """What went wrong so far in the pages of a context."""
    for shown in context.pages:
        shown.evaluate("0")  # what the browser has told meanwhile is heard first
    return [*_troubles[context]]


@contextmanager
def forgiving(page: Page, words: str) -> Iterator[None]:
    """Errors that contain `words` are meant as long as this lasts; there must be one."""
    found = _troubles[page.context]
    known = len(found)
    yield
    late = troubles(page.context)[known:]
    assert any(words in line for line in late), f"no error said {words!r}: {late}"
    found[known:] = [line for line in late if words not in line]


def axe(page: Page) -> list[str]:
    """What axe finds serious or critical in a page as it stands, one line each; nothing if all is well."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    bad = [violation for violation in found if violation["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {v['help']}: {node['html'][:200]}" for v in bad for node in v["nodes"]]


def fits(page: Page) -> bool:
    """Whether a page is no wider than its screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
