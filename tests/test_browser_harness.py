"""What the tests of pages rest on: a page that errs by itself, reaches out or cannot be read fails its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import browser as harness
import pytest
from browser import axe, fits, forgiving, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_GOOD = '<!doctype html><html lang="en"><title>t</title><main><h1>Lamps</h1></main></html>'


def test_a_good_page_passes_on_every_screen(any_page: Page):
    any_page.set_content(_GOOD)
    assert axe(any_page) == []
    assert fits(any_page)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("console.error('the lamp broke')", "console: the lamp broke"),
        ("setTimeout(() => { throw new Error('uncaught lamp') })", "error: uncaught lamp"),
        ("fetch('http://lamps.example/x').catch(() => 0)", "elsewhere: http://lamps.example/x"),
    ],
)
def test_a_page_that_errs_fails_its_test(browser: Browser, script: str, said: str):
    with pytest.raises(AssertionError, match=said), opened(browser) as page:
        page.set_content(_GOOD)
        page.evaluate(f"() => {{ {script} }}")
        page.wait_for_timeout(50)


def test_what_is_meant_is_forgiven_and_nothing_else(browser: Browser):
    with pytest.raises(AssertionError, match="the jar broke"), opened(browser) as page:
        page.set_content(_GOOD)
        with forgiving(page, "lamp"):
            page.evaluate("() => { console.error('the lamp broke'); console.error('the jar broke') }")


def test_an_error_that_was_meant_must_come(page: Page):
    page.set_content(_GOOD)
    with pytest.raises(AssertionError, match="no error said 'lamp'"), forgiving(page, "lamp"):
        pass


def test_text_that_is_hard_to_read_is_found(page: Page):
    page.set_content(_GOOD.replace("<h1>", '<h1 style="color: #ddd; background: #fff">'))
    assert [line.partition(":")[0] for line in axe(page)] == ["color-contrast"]


def test_a_page_wider_than_its_screen_is_found(narrow_page: Page):
    narrow_page.set_content(_GOOD.replace("<h1>", '<h1 style="width: 900px">'))
    assert not fits(narrow_page)


def test_without_a_browser_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        harness._executable()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        harness._executable()
