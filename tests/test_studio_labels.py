"""An editor at work in a real browser: search, open, play, judge with keys, build, deploy, and find the tag."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from browser import axe, forgiving
from labelled_store import PALETTE, encoders, film_id, labelled, shows
from live_server import served
from playwright.sync_api import Page, expect
from searchable_store import encoded

from steps.feedback import LABELS
from steps.heads import heads_in_use
from steps.labels import judgements, label_key
from steps.shot_matrix import read_shots
from steps.store import Store

KEYS = {True: "y", False: "n"}
BLUE = np.full((27, 48, 3), PALETTE["blue"], np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return labelled(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[str]:
    with served(store, encoders) as client:
        yield str(client.base_url)


def begin(page: Page, site: str, name: str) -> None:
    """Make a label and wait for its first shots."""
    page.goto(f"{site}/studio/labels/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Begin to judge").click()
    page.wait_for_selector(".tiles.judged .tile")


def judge(page: Page, truth: dict[str, bool], most: int) -> None:
    """Say the truth of shots with one key each, as they come."""
    for _ in range(most):
        tile = page.locator(".tile:focus")
        page.keyboard.press(KEYS[truth[tile.get_attribute("data-shot") or ""]])
    expect(page.locator("#saved")).to_have_text("Saved")


def truth_of(store: Store, colour: str) -> dict[str, bool]:
    shots = read_shots(store)
    return dict(zip(shots.ids, shows(shots, colour).tolist(), strict=True))


def test_a_shot_is_found_opened_and_played(page: Page, site: str):
    page.goto(f"{site}/")
    page.get_by_role("searchbox").fill("green")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tile")
    page.locator(".tile").first.hover()
    page.wait_for_function("document.querySelector('.tile video')?.currentTime > 0")
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    second = page.locator(".tile").nth(1)
    expect(second).to_be_focused()
    wanted = second.get_attribute("data-shot")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/studio/shots/{wanted}")
    page.wait_for_function("document.querySelector('[data-player]').readyState >= 2")


def test_a_tag_is_taught_with_keys_deployed_found_and_rolled_back(page: Page, site: str, store: Store):
    begin(page, site, "red")
    judge(page, truth_of(store, "red"), 12)
    page.keyboard.press("5")  # random shots, lest all that is judged shows it
    page.wait_for_selector('.feed[data-feed="random"][aria-pressed="true"]')
    expect(page.locator(".tile[data-holds]")).to_have_count(0)
    judge(page, truth_of(store, "red"), 20)
    page.keyboard.press("b")
    score = page.locator("#score")
    expect(score).to_have_text(re.compile(r"^[01]\.\d\d$"))
    assert float(score.inner_text()) > 0.8
    expect(page.locator("#panel")).to_contain_text("titles that taught it nothing")
    page.get_by_role("button", name="Deploy").click()
    expect(page.locator("#told")).to_contain_text("carry the tag")
    (head,) = heads_in_use(store)
    page.goto(f"{site}/studio?tag=red")
    found = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.dataset.shot)")
    right = truth_of(store, "red")
    assert len(found) > 5
    assert np.mean([right[shot] for shot in found]) > 0.9
    page.goto(f"{site}/studio/labels/{label_key('red')}")
    expect(page.locator("#panel")).to_contain_text(head.version)
    page.keyboard.press("7")  # a random sample of what is tagged
    page.wait_for_selector('.feed[data-feed="check"][aria-pressed="true"]')
    judge(page, truth_of(store, "red"), 4)
    page.reload()
    expect(page.locator("#check")).to_contain_text("4 of 4 random hits are right")
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("#told")).to_contain_text("No head is in use")
    assert heads_in_use(store) == []


def test_the_next_twenty_come_without_the_mouse(page: Page, site: str, store: Store):
    begin(page, site, "anything")
    for _ in range(2):
        page.wait_for_selector(".tile:not([data-holds])")
        judge(page, dict.fromkeys(truth_of(store, "red"), True), 20)
        expect(page.locator("#batch")).to_contain_text("All judged")
        page.keyboard.press("m")
        page.wait_for_selector(".tile:not([data-holds])")
    assert len(judgements(store)[label_key("anything")]) == 40


def test_a_picture_finds_shots_like_it(page: Page, site: str, store: Store):
    begin(page, site, "like a picture")
    before = page.locator(".tile").first.get_attribute("data-shot")
    page.locator("#picture").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": encoded(BLUE, "PNG")})
    page.wait_for_function("before => document.querySelector('.tile').dataset.shot !== before", arg=before)
    right = truth_of(store, "blue")
    shown = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.dataset.shot)")
    assert [right[shot] for shot in shown] == [True] * 20


def test_undo_takes_back_what_was_said(page: Page, site: str, store: Store):
    begin(page, site, "undone")
    page.keyboard.press("y")
    page.keyboard.press("n")
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_have_text("Saved")
    expect(page.locator("#no")).to_have_text("0")
    (stands,) = judgements(store)[label_key("undone")]
    assert (stands.holds, stands.feed, stands.who) == (True, "search", "anonymous")
    page.reload()
    expect(page.locator("#yes")).to_have_text("1")


def test_what_is_judged_while_the_line_is_down_is_kept(page: Page, site: str, store: Store):
    begin(page, site, "offline")
    page.route("**/judgements", lambda route: route.abort())
    with forgiving(page, "/judgements"):
        for key in "yyn":
            page.keyboard.press(key)
        expect(page.locator("#saved")).to_have_text("3 not saved yet")
        assert label_key("offline") not in judgements(store)
        page.unroute("**/judgements")
        page.reload()  # in the middle
    expect(page.locator("#saved")).to_have_text("Saved")
    assert sorted(one.holds for one in judgements(store)[label_key("offline")]) == [False, True, True]


def test_a_judgement_sent_twice_is_kept_once_and_of_no_shot_not_at_all(site: str, store: Store):
    with httpx.Client(base_url=site) as client:
        key = client.post("/studio/api/labels", json={"name": "twice"}).json()["key"]
        row = {"id": "0123456789", "shot": f"{film_id(0)}-0003", "holds": True, "feed": "random"}
        posted = [client.post(f"/studio/api/labels/{key}/judgements", json=[row]).json() for _ in range(2)]
        assert posted == [{"added": ["0123456789"], "known": []}, {"added": [], "known": ["0123456789"]}]
        lost = client.post(f"/studio/api/labels/{key}/judgements", json=[{**row, "id": "0123456780", "shot": "x"}])
        assert (lost.status_code, "no shot 'x'" in lost.text) == (404, True)
        unknown = client.get("/studio/labels/0123456789abcdef")
        assert (unknown.status_code, "there is no label" in unknown.text) == (422, True)
        refused = client.post("/studio/api/labels", json={"name": "a|b"})
        assert (refused.status_code, "no |" in refused.text) == (422, True)
    assert sum(one.label == "twice" for rows in store.read(LABELS).values() for one in rows) == 1


def test_a_build_without_an_example_says_what_to_judge(page: Page, site: str):
    begin(page, site, "nothing")
    page.keyboard.press("n")
    page.keyboard.press("b")
    expect(page.locator("#told")).to_contain_text("mark at least one shot that shows it")
    page.keyboard.press("2")
    expect(page.locator("#feed")).to_contain_text("judge some shots by their words, then build")


@pytest.mark.parametrize("path", ["/studio", "/studio?q=red", "/studio/labels", "/studio/labels/new", "label", "shot"])
def test_everybody_can_use_it(any_page: Page, site: str, path: str):
    with httpx.Client(base_url=site) as client:
        label = client.post("/studio/api/labels", json={"name": "usable", "definition": "By everybody."}).json()["page"]
    any_page.goto(site + {"label": label, "shot": f"/studio/shots/{film_id(1)}-0002"}.get(path, path))
    any_page.wait_for_load_state("networkidle")
    assert axe(any_page) == []
    wide = any_page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{path} is {wide} pixels wider than the screen"
