"""The pages of episodes and of the review in a browser: clips are marked by hand, previews judged by keys."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import axe, fits
from heard_store import PICK, audible
from live_server import served
from pages import EVIL
from stocked_store import DRUM, JAR, LAMP

from featurization.media import Hearing, LevelTrack, Sentence, Turn, Word
from serving.studio import episode_data as data
from steps.choose import ScoredCandidate
from steps.feedback import GOLDEN_CLIPS, GoldenClip, standing
from steps.previews import PREVIEWS
from steps.store import Store
from steps.tables import TOPICS

SENTENCES = [{"start": start, "end": start + 5.0, "text": text, "words": []} for start, text in
             ((1.0, "One."), (6.5, "Two."), (12.0, "Three."), (17.5, "Four."))]  # fmt: skip


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


@pytest.fixture(scope="module")
def looked_at(made: Path) -> Iterator[str]:
    """The address of a server over a store that no test changes."""
    with served(Store(str(made))) as asked:
        yield str(asked.base_url)


def golden(store: Store) -> list[GoldenClip]:
    rows = store.read(GOLDEN_CLIPS).values()
    return standing(clip for its in rows for clip in its)


def until(true: Callable[[], Any], page: Any) -> None:
    for _ in range(200):
        if true():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not come to pass")


def opened_episode(page: Any, address: str, asset_id: str = LAMP) -> None:
    page.goto(f"{address}/studio/episodes/{asset_id}")
    page.wait_for_selector("#timeline[data-ready]")


def drag(page: Any, start: float, end: float, *, key: str = "") -> None:
    """Over the wave, from one time to another, while all ten minutes are shown."""
    box = page.locator(".sound-lane .track").bounding_box()
    xs = [box["x"] + box["width"] * time / 600 for time in (start, end)]
    if key:
        page.keyboard.down(key)
    page.mouse.move(xs[0], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(sum(xs) / 2, box["y"] + 40)
    page.mouse.move(xs[1], box["y"] + 40)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


# what the page is told ----------------------------------------------------------------------------------------------


def test_the_wave_is_as_loud_as_its_levels():
    quiet_then_loud = LevelTrack(0.1, (-80.0,) * 10 + (-10.0,) * 10)
    assert list(base64.b64decode(data.wave(quiet_then_loud))) == [0] * 10 + [255] * 10
    assert data.wave(None) == ""


def test_words_go_to_the_sentence_that_holds_their_middle():
    words = (Word(0.0, 1.0, "Good"), Word(1.0, 2.2, "night."), Word(2.2, 3.0, "Bye."))
    sentences = (Sentence(0.0, 2.0, "Good night.", "S2"), Sentence(2.0, 3.0, "Bye.", "S1"))
    hearing = Hearing(None, words=words, sentences=sentences, turns=(Turn(0, 2, "S2"), Turn(2, 3, "S1")))  # type: ignore[arg-type]
    first, second = data.transcript(hearing)
    assert (first["words"], second["words"]) == ([[0.0, "Good"], [1.0, "night."]], [[2.2, "Bye."]])
    assert (first["style"], second["style"]) == ("s0", "s1")  # in order of first appearance


def test_of_many_candidates_the_best_of_each_stretch_is_drawn_and_the_pick_always():
    rows = [ScoredCandidate(10 + k / 100, 40 + k / 100, 0, 1, "", float(k), picked=k == 3) for k in range(20)]
    assert data.candidates(rows, 36_000.0) == [[10.03, 40.03, round(3 / 19, 3), 3.0, True]]
    assert data.candidates([ScoredCandidate(1, 2, 0, 1, "", None, ("ad: x",))], 60.0) == []


def test_the_page_is_told_what_it_draws(client: httpx.Client):
    told = client.get(f"/studio/api/episodes/{LAMP}").json()
    assert [lane["name"] for lane in told["lanes"]] == ["Speech", "Music", "Speakers", "Topics", "Ads", "Spoilers"]
    assert told["picks"] == [[*PICK]]
    assert [clip["kind"] for clip in told["clips"]] == ["soundbite"]
    assert client.get("/studio/api/episodes/none").status_code == 404


def test_the_list_is_searched_by_title_and_show(client: httpx.Client):
    assert "The lamp" in client.get("/studio/episodes?q=LAMP+night").text
    nothing = client.get("/studio/episodes?q=zebra").text
    assert "The lamp" not in nothing and "No episode has all of these words" in nothing


def test_an_empty_store_says_what_to_run(tmp_path: Path):
    with served(Store(str(tmp_path))) as client:
        assert "flows/ingest_media.py" in client.get("/studio/episodes").text
        assert "flows/publish_previews.py" in client.get("/studio/review").text


# snapping -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "snapped"),
    [
        (6.0, 12.0, (6.5, 11.5)),
        (22.0, 1.2, (1.0, 22.5)),  # drawn from right to left
        (13.0, 13.5, (12.0, 17.0)),  # within one sentence: that sentence
        (300.0, 400.0, (17.5, 22.5)),
        (0.0, 0.0, (1.0, 6.0)),
    ],
)
def test_edges_snap_to_sentences(page: Any, looked_at: str, start: float, end: float, snapped: tuple[float, float]):
    page.goto(f"{looked_at}/studio/episodes")
    script = "async ([span, all]) => (await import('/studio/static/snap.js')).snapped(span, all)"
    assert page.evaluate(script, [{"start": start, "end": end}, SENTENCES]) == dict(
        zip(("start", "end"), snapped, strict=True)
    )
    assert page.evaluate(script, [{"start": 2, "end": 1}, []]) == {"start": 1, "end": 2}


# marking ------------------------------------------------------------------------------------------------------------


def test_a_clip_is_marked_by_dragging_graded_by_a_key_and_taken_back(store: Store, client: httpx.Client, page: Any):
    opened_episode(page, str(client.base_url))
    drag(page, 6.0, 23.0)
    assert page.locator("#mark-span").text_content() == "0:06.5 – 0:22.5 · 16.0 s"
    assert page.locator("#mark-text").text_content() == "Who lit it & why? Nobody knows. It burned all night."
    page.keyboard.press("3")
    page.keyboard.press("s")
    until(lambda: golden(store), page)
    (clip,) = golden(store)
    assert (clip.start, clip.end, clip.grade, clip.source, clip.asset) == (6.5, 22.5, 3, "studio", LAMP)
    assert page.locator("#mark").is_hidden()
    page.get_by_role("button", name="Take back the clip").click()
    until(lambda: not golden(store), page)
    until(lambda: page.locator("#clips li").count() == 1, page)  # the publisher's


def test_edges_stay_where_they_were_put_with_alt_and_escape_forgets(store: Store, client: httpx.Client, page: Any):
    opened_episode(page, str(client.base_url))
    drag(page, 200.0, 230.0, key="Alt")
    start, end = (
        float(page.evaluate(f"document.querySelector('.selection').style.getPropertyValue('--{e}')")) for e in "se"
    )
    assert abs(start - 200) < 1 and abs(end - 230) < 1
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    assert page.locator("#mark").is_hidden()
    assert golden(store) == []


def test_selected_words_mark_their_sentences(client: httpx.Client, page: Any):
    opened_episode(page, str(client.base_url))
    first, last = page.locator("[data-line='2'] [data-t]").first, page.locator("[data-line='3'] [data-t]").nth(1)
    boxes = first.bounding_box(), last.bounding_box()
    page.mouse.move(boxes[0]["x"] + 2, boxes[0]["y"] + 8)
    page.mouse.down()
    page.mouse.move(boxes[1]["x"] + 12, boxes[1]["y"] + 8, steps=4)
    page.mouse.up()
    page.wait_for_selector("#mark:not([hidden])")
    assert page.locator("#mark-text").text_content() == "Nobody knows. It burned all night."


def test_keys_walk_through_the_sound_and_the_address_names_a_place(client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/episodes/{LAMP}#t=12.5")
    now = "document.getElementById('player').currentTime"
    page.wait_for_function(f"{now} === 12.5")
    assert page.locator("[aria-current=true]").get_attribute("data-line") == "2"
    for key, time in (("k", 17.5), ("j", 12.0), ("ArrowRight", 17.0), ("ArrowLeft", 12.0)):
        page.keyboard.press(key)
        page.wait_for_function(f"{now} === {time}")
    page.keyboard.press("i")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{now} === 17")
    page.keyboard.press("o")
    assert page.locator("#mark-span").text_content() == "0:12.0 – 0:17.0 · 5.0 s"


# judging ------------------------------------------------------------------------------------------------------------


def test_a_preview_is_rejected_with_keys_is_gone_and_comes_back(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    assert page.locator("h2 a").first.text_content() == "The lamp"
    page.keyboard.press("r")
    page.keyboard.press("3")
    page.wait_for_selector("#empty")
    page.wait_for_load_state()
    assert client.get("/previews").json()["total"] == 0
    assert client.get(f"/previews/{LAMP}/preview.mp3").status_code == 404
    assert [(clip.grade, clip.note, clip.source) for clip in golden(store)] == [(0, "dull", "verdict")]
    page.keyboard.press("u")
    page.wait_for_selector("#review")
    assert client.get("/previews").json()["total"] == 1
    assert golden(store) == []


def test_an_approved_preview_leaves_the_queue(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.keyboard.press("a")
    page.wait_for_selector("#empty")
    assert "has been judged" in page.locator("#empty").text_content()
    assert client.get("/previews").json()["total"] == 1
    assert [clip.grade for clip in golden(store)] == [4]


def test_edges_are_adjusted_by_sentences_and_published_anew(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.keyboard.press("e")
    page.wait_for_function("document.getElementById('to').textContent === '0:22.5'")
    page.get_by_role("button", name="Start a sentence later").click()
    assert page.locator("#from").text_content() == "0:12.0"
    assert page.locator("#new-text").text_content() == "Nobody knows. It burned all night."
    page.locator("h1").click()
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict")
    assert page.locator("#verdict").text_content() == "adjusted by anonymous"
    (preview,) = store.read(PREVIEWS, [LAMP])[LAMP]
    assert [(moment.start, moment.end) for moment in preview.moments] == [(12.0, 22.5)]
    assert client.get("/previews").json()["items"][0]["start"] == 12.0


def test_edges_that_may_not_be_published_are_told_in_one_line(store: Store, client: httpx.Client, page: Any):
    page.goto(f"{client.base_url}/studio/review")
    page.keyboard.press("e")
    page.wait_for_function("document.getElementById('to').textContent === '0:22.5'")
    page.get_by_role("button", name="Start a sentence earlier").click()
    page.locator("#publish").click()
    page.wait_for_selector(".toast.bad")
    assert "music" in page.locator(".toast.bad").text_content()
    assert store.read(PREVIEWS, [LAMP])[LAMP][0].moments[0].start == PICK[0]


@pytest.mark.parametrize("body", [{"moments": [[5, 1]]}, {"moments": []}, {"moments": [[0, 1e9]]}, {"reason": "x"}])
def test_nonsense_is_refused(client: httpx.Client, body: dict[str, Any]):
    where = "edges" if "moments" in body else "reject"
    answer = client.post(f"/studio/api/review/{LAMP}/{where}", json={"recipe": "r1", **body})
    assert answer.status_code == 422
    assert client.post(f"/studio/api/review/none/{where}", json={"recipe": "r1"} | body).status_code in (404, 422)
    assert client.post(f"/studio/api/review/{JAR}/approve", json={"recipe": "r2"}).status_code == 422


# for everybody ------------------------------------------------------------------------------------------------------


def test_the_pages_are_fit_for_everybody(looked_at: str, any_page: Any):
    for path, ready in (
        ("/studio/episodes", ".episodes"),
        (f"/studio/episodes/{LAMP}#t=13", "#timeline[data-ready]"),
        (f"/studio/episodes/{DRUM}", "#timeline[data-ready]"),
        ("/studio/review", "#review"),
    ):
        any_page.goto(looked_at + path)
        any_page.wait_for_selector(ready)
        if "#t=13" in path:
            drag(any_page, 6.0, 23.0)
        if path.endswith("review"):
            any_page.keyboard.press("r")
            assert axe(any_page) == []
            any_page.keyboard.press("e")
            any_page.wait_for_selector(".selection:not([hidden])")
        assert axe(any_page) == [], path
        assert fits(any_page), path


def test_what_feeds_and_people_wrote_is_text(store: Store, page: Any):
    clip = GoldenClip(5.0, 20.0, id="x", asset=LAMP, who=EVIL, when="2026", note=EVIL)
    topics = store.read(TOPICS, [LAMP])[LAMP]
    store.commit("evil", {GOLDEN_CLIPS: {"x": [clip]}, TOPICS: {LAMP: [replace(topics[0], title=EVIL)]}})
    with served(store) as client:
        opened_episode(page, str(client.base_url))
        assert EVIL in page.locator("#clips").text_content()
        assert page.locator("img[src=x]").count() == 0
