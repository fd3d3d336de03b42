"""The review in a browser where it is hard: a line that fails, previews of several moments, and films."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import axe, fits, forgiving
from film_store import FILM, published, spoken_film
from heard_store import audible
from live_server import served
from stocked_store import LAMP

from featurization.media import Segment
from steps.previews import PREVIEWS
from steps.store import Store
from steps.verdicts import REVIEWS

MOMENTS = (Segment(6.5, 11.5), Segment(17.5, 22.5))  # two sentences, and another one between them
POSTS = "**/studio/api/review/**"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("heard")
    audible(place)
    return place


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(str(shutil.copytree(made, tmp_path / "store")))


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    with served(store) as asked:
        yield asked


def decisions(store: Store, asset_id: str = LAMP) -> list[str]:
    return [row.decision for row in store.read(REVIEWS, [asset_id]).get(asset_id, ())]


def moments(store: Store, asset_id: str = LAMP) -> list[tuple[float, float]]:
    return [(moment.start, moment.end) for moment in store.read(PREVIEWS, [asset_id])[asset_id][0].moments]


# lines that fail ----------------------------------------------------------------------------------------------------


def test_a_verdict_that_the_server_never_heard_outlives_a_reload(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.route(POSTS, lambda route: route.abort())
    with forgiving(page, "/api/review/"):
        page.keyboard.press("r")
        page.keyboard.press("1")
        page.get_by_text("1 not saved yet").wait_for()
        page.keyboard.press("a")
        page.get_by_text("not kept yet").wait_for()  # one verdict at a time
        assert decisions(store) == []
        page.unroute(POSTS)
        page.reload()
    page.wait_for_selector("#empty")
    page.wait_for_load_state()  # keys are heard once the scripts have run
    assert decisions(store) == ["rejected"]
    page.keyboard.press("u")
    page.wait_for_selector("#review")
    assert decisions(store) == ["rejected", "rejected"]  # the second one takes the first back


def test_a_verdict_whose_answer_was_lost_is_kept_once(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route(POSTS, lose, times=1)
    with forgiving(page, "/api/review/"):
        page.keyboard.press("a")
        page.wait_for_selector("#empty")
    assert decisions(store) == ["approved"]


def test_edges_set_without_a_line_are_published_when_it_is_back(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.keyboard.press("e")
    page.wait_for_function("document.getElementById('to').textContent === '0:22.5'")
    page.get_by_role("button", name="Start a sentence later").click()
    with forgiving(page, "ERR_INTERNET_DISCONNECTED"):
        page.context.set_offline(True)
        page.locator("#publish").click()
        page.get_by_text("1 not saved yet").wait_for()
        page.context.set_offline(False)
        page.wait_for_selector("#verdict")
    assert moments(store) == [(12.0, 22.5)]
    assert decisions(store) == ["adjusted"]


def test_a_verdict_is_sent_from_whichever_page_is_open_next(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.route(POSTS, lambda route: route.abort())
    with forgiving(page, "/api/review/"):
        page.keyboard.press("a")
        page.get_by_text("1 not saved yet").wait_for()
        page.unroute(POSTS)
        page.goto(f"{client.base_url}/studio/labels")
    page.get_by_text("Saved", exact=True).wait_for()
    assert decisions(store) == ["approved"]


def test_what_is_refused_is_said_and_can_be_judged_otherwise(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    before = store.read(PREVIEWS, [LAMP])[LAMP][0]
    store.commit("elsewhere", {PREVIEWS: {LAMP: [replace(before, recipe="another")]}})
    with forgiving(page, "422"):
        page.keyboard.press("a")
        page.wait_for_selector(".toast.bad")
        assert "reload" in page.locator(".toast.bad").text_content()
    page.reload()
    page.keyboard.press("a")
    page.wait_for_selector("#empty")
    assert decisions(store) == ["approved"]


# several moments ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stitched(store: Store) -> Store:
    shown = replace(store.read(PREVIEWS, [LAMP])[LAMP][0], moments=MOMENTS, recipe="two")
    store.commit("PublishPreviews/5", {PREVIEWS: {LAMP: [shown]}})
    return store


def test_each_moment_is_moved_by_itself(stitched: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.keyboard.press("e")
    page.wait_for_function("document.getElementById('to').textContent === '0:11.5'")
    assert page.locator("#length").text_content() == "5.0 of 10.0 s"
    page.keyboard.press("m")
    assert page.locator("#from").text_content() == "0:17.5"
    page.get_by_role("button", name="Start a sentence earlier").click()
    assert page.locator("#length").text_content() == "10.5 of 15.5 s"
    page.get_by_role("button", name="Moment 1").click()
    assert page.locator("#from").text_content() == "0:06.5"
    page.locator("#publish").click()
    page.wait_for_selector("#verdict")
    assert moments(stitched) == [(6.5, 11.5), (12.0, 22.5)]
    assert client.get("/previews").json()["items"][0]["start"] == 6.5


def test_several_moments_are_fit_for_everybody(stitched: Store, client: httpx.Client, any_page: Any):
    any_page.goto(f"{client.base_url}/studio/review")
    any_page.keyboard.press("e")
    any_page.wait_for_selector("[data-moment='0'][aria-pressed=true]")
    assert axe(any_page) == []
    assert fits(any_page)


# films --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def film(tmp_path: Path) -> Iterator[tuple[Store, httpx.Client]]:
    """A film that is published from 12 to 42 s: sentences begin at 12.4, 22.4 and 32.4 s, shots every three seconds."""
    store = spoken_film(tmp_path)
    published(store)
    with served(store) as client:
        yield store, client


def test_the_edges_of_a_film_are_moved_by_cuts_and_it_is_published_anew(film: tuple[Store, httpx.Client], page: Any):
    store, client = film
    page.goto(f"{client.base_url}/studio/review")
    page.wait_for_function("Math.round(document.getElementById('preview').duration) === 30")
    page.keyboard.press("e")
    page.wait_for_function("document.getElementById('to').textContent === '0:42.0'")
    later = page.get_by_role("button", name="Start a sentence or cut later")
    for there in ("0:12.4", "0:15.0", "0:18.0", "0:21.0", "0:22.4"):
        later.click()
        assert page.locator("#from").text_content() == there
    page.get_by_role("button", name="End a sentence or cut earlier").click()
    assert page.locator("#to").text_content() == "0:41.4"
    page.keyboard.press("p")
    page.wait_for_function("document.getElementById('player').currentTime >= 22.4")
    page.locator("#publish").click()
    page.wait_for_selector("#verdict")
    page.wait_for_load_state()
    page.wait_for_function("Math.round(document.getElementById('preview').duration) === 19")
    assert moments(store, FILM) == [(22.4, 41.4)]
    assert client.get(f"/previews/{FILM}/preview.mp4").status_code == 200
    page.keyboard.press("u")
    page.wait_for_selector("#verdict", state="detached")
    assert moments(store, FILM) == [(12.0, 42.0)]
