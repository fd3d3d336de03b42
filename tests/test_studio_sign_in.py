"""Signing in with a browser: the way in and back, a wrong key, a reader's limits, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from browser import axe, fits, forgiving
from live_server import served
from stocked_store import LAMP, stocked

from serving.access.roles import VARIABLES, Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

KEYS = {Role.READER: "look-1", Role.EDITOR: "mark-2"}
_LABEL = f"""() => fetch('/labels', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},
body: JSON.stringify({{asset_id: '{LAMP}', start: 1, end: 2, label: 'storm'}})}}).then((answer) => answer.status)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server with keys is reached."""
    with pytest.MonkeyPatch.context() as patch:
        for role, key in KEYS.items():
            patch.setenv(VARIABLES[role], key)
        with served(stocked(tmp_path_factory.mktemp("sign-in") / "store")) as client:
            yield str(client.base_url).rstrip("/")


def sign_in(page: Page, key: str, name: str = "Ada") -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Sign in").click()


def test_who_opens_a_page_signs_in_and_gets_it(page: Page, address: str):
    page.goto(f"{address}/studio?q=lamp")
    assert page.url == f"{address}/studio/sign-in?next=/studio%3Fq%3Dlamp"
    assert page.evaluate("document.activeElement.name") == "key"
    sign_in(page, KEYS[Role.READER])
    page.wait_for_url(f"{address}/studio?q=lamp")


def test_a_wrong_key_is_said_and_the_name_stays(page: Page, address: str):
    page.goto(f"{address}/studio/sign-in")
    with forgiving(page, "401"):
        sign_in(page, "guess", "Zoë")
        assert "not known here" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Your name").input_value() == "Zoë"
    assert page.get_by_label("Key", exact=True).input_value() == ""


def test_the_way_back_cannot_leave_the_site(page: Page, address: str):
    page.goto(f"{address}/studio/sign-in?next=//evil.example/studio")
    sign_in(page, KEYS[Role.READER])
    page.wait_for_url(f"{address}/studio")


def test_a_reader_cannot_label_and_an_editor_can(page: Page, address: str):
    for role, status in ((Role.READER, 403), (Role.EDITOR, 201)):
        page.goto(f"{address}/studio/sign-in")
        sign_in(page, KEYS[role])
        page.wait_for_url(f"{address}/studio")
        if status == 201:
            assert page.evaluate(_LABEL) == status
        else:
            with forgiving(page, "403"):
                assert page.evaluate(_LABEL) == status


def test_signing_out_closes_the_pages(page: Page, address: str):
    page.goto(f"{address}/studio/sign-in")
    sign_in(page, KEYS[Role.READER])
    page.wait_for_url(f"{address}/studio")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{address}/studio/sign-in")
    page.goto(f"{address}/assets")
    assert "/studio/sign-in?next=/assets" in page.url


def test_a_form_of_another_site_is_refused(page: Page, address: str):
    page.goto(f"{address}/studio/sign-in")
    sign_in(page, KEYS[Role.EDITOR])
    page.wait_for_url(f"{address}/studio")
    elsewhere = address.replace("127.0.0.1", "localhost")  # another site to a browser, on this machine
    page.goto(f"{elsewhere}/studio/sign-in")
    with forgiving(page, "403"):
        page.evaluate(
            "(to) => { const form = Object.assign(document.createElement('form'), {method: 'post', action: to});"
            "document.body.append(form); form.submit(); }",
            f"{address}/labels",
        )
        page.wait_for_url(f"{address}/labels")
        assert "pages of other sites may not write here" in page.inner_text("body")


def test_everybody_can_read_and_use_the_page(any_page: Page, address: str):
    any_page.goto(f"{address}/studio/sign-in")
    assert axe(any_page) == []
    assert fits(any_page)
    with forgiving(any_page, "401"):
        sign_in(any_page, "guess")
        any_page.get_by_role("alert").wait_for()
    assert axe(any_page) == []
    assert fits(any_page)
