"""A film is published like an episode, with pictures: the choice, the files, the report and what others read of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import pytest
from colour_films import colour_of, shown
from episode_factory import heard
from film_store import CUTS, CYCLE, FILM, SETTINGS, film_store, published, shots, spoken_film
from lxml import html as lxml_html
from mutagen.mp4 import MP4
from PIL import Image
from stocked_store import stocked

from featurization.media import Asset, Segment, SoundSpan
from steps.feed_copies.publish_copies import write_feed_copies
from steps.options import build
from steps.placing import restore_previews
from steps.previews import PREVIEWS, Preview
from steps.publish import Summary, choose_assets, describe, publish_chunk
from steps.rendering.captions import caption_cues
from steps.reporting.run_report import run_report
from steps.settings import Settings
from steps.store import Store
from steps.tables import ASSETS, SHOTS


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A film without sound, published. Its middle is dark."""
    light = [0.5] * 3 + [0.8] * 8 + [0.0] * 9
    store = film_store(tmp_path_factory.mktemp("silent"), heard((), 60.0), beeps=False, seen=shots(light))
    published(store)
    return store


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = spoken_film(tmp_path_factory.mktemp("spoken"))
    published(store)
    return store


def preview_of(store: Store) -> Preview:
    return store.read(PREVIEWS)[FILM][0]


def file_of(store: Store, name: str) -> bytes:
    return store.files.read(f"previews/{FILM}/{name}")


def test_a_film_without_a_word_gets_a_preview_of_whole_shots(silent: Store, tmp_path: Path) -> None:
    preview = preview_of(silent)
    (moment,) = preview.moments
    assert preview.status == "published"
    assert moment.start in CUTS and moment.end in CUTS
    assert moment.end <= 36.0  # the dark shots are left out
    assert preview.text == ""
    assert (preview.sound, preview.width, preview.height) == (False, 160, 90)
    (tmp_path / "p.mp4").write_bytes(file_of(silent, "preview.mp4"))
    names = [
        name for name, _ in groupby(name for t, name in shown(tmp_path / "p.mp4") if 0.1 < t < moment.duration - 0.4)
    ]
    first = round(moment.start / 3)
    assert names[:5] == [CYCLE[(first + k) % 4] for k in range(5)]


def test_what_a_silent_film_publishes(silent: Store) -> None:
    names = set(silent.files.list(f"previews/{FILM}"))
    assert names == {"preview.mp4", "poster.jpg", "preview.vtt", "preview.json", "transcript.vtt", "chapters.json"}
    told = json.loads(file_of(silent, "preview.json"))
    assert (told["width"], told["height"], told["poster"], told["sound"]) == (160, 90, "poster.jpg", False)
    assert (told["loudness_lufs"], told["true_peak_dbtp"]) == (-70.0, -70.0)
    assert file_of(silent, "preview.vtt").startswith(b"WEBVTT")


def test_a_film_with_talk_is_cut_at_sentences_and_cuts(spoken: Store) -> None:
    preview = preview_of(spoken)
    (moment,) = preview.moments
    assert preview.text.startswith("Who lit the lamp?")
    assert moment == Segment(12.0, 42.0)  # said from 12.4 to 41.4 s; the cuts nearby are at 12 and at 42 s
    told = json.loads(file_of(spoken, "preview.json"))
    assert told["loudness_lufs"] == pytest.approx(-16.0, abs=0.5)
    assert told["true_peak_dbtp"] <= -1.0
    assert {"starts_on_shot", "brightness"}.isdisjoint(told["contributions"])  # all clips agree in them
    assert "waveform.svg" in preview.files


def test_captions_follow_the_preview(spoken: Store) -> None:
    lines = file_of(spoken, "preview.vtt").decode().splitlines()
    assert lines[lines.index("Who lit the lamp?") - 1].startswith("00:00:00.400 --> ")
    assert caption_cues((), ()) == ()


def test_the_file_says_what_it_is_and_still_starts_at_once(spoken: Store, tmp_path: Path) -> None:
    data = file_of(spoken, "preview.mp4")
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    (tmp_path / "p.mp4").write_bytes(data)
    tags = MP4(tmp_path / "p.mp4")
    assert tags["\xa9nam"] == ["The reel"]
    assert tags["\xa9ART"] == ["Colours"]
    assert "Cut from ee01" in tags["\xa9cmt"][0] and "12.00–42.00 s" in tags["\xa9cmt"][0]
    with av.open(io.BytesIO(data)) as container:
        assert [s.type for s in container.streams] == ["video", "audio"]
        assert sum(1 for _ in container.decode(video=0)) == 750


def test_the_poster_is_a_keyframe_of_the_moment(silent: Store) -> None:
    with Image.open(io.BytesIO(file_of(silent, "poster.jpg"))) as picture:
        first = round(preview_of(silent).moments[0].start / 3)
        assert colour_of(np.asarray(picture)) == CYCLE[first % 4]


def test_publishing_twice_changes_nothing_and_a_new_look_does(tmp_path: Path) -> None:
    store = film_store(tmp_path, heard((), 60.0), beeps=False)
    before, _ = published(store)
    assert published(store, "PublishPreviews/4")[0] == before
    moved = tuple(replace(shot, keyframes=(shot.start,)) for shot in shots())
    store.commit("FeaturizeMedia/5", {SHOTS: {FILM: moved}})
    assert published(store, "PublishPreviews/6")[0].run == "PublishPreviews/6"


def test_a_new_run_gives_the_same_pictures_and_sound(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        store = film_store(folder, heard((), 60.0), beeps=True)
        published(store)
        made.append(file_of(store, "preview.mp4"))
    assert made[0] == made[1]


def test_music_under_a_whole_film_leaves_it_a_preview(tmp_path: Path) -> None:
    hearing = replace(heard((), 60.0), sounds=(SoundSpan(0.0, 60.0, "music"),))
    preview, _ = published(film_store(tmp_path, hearing, beeps=True))
    assert preview.status == "published"
    assert preview.loudness_lufs == pytest.approx(-16.0, abs=0.5)


def test_a_film_that_was_not_looked_at_says_why_it_has_no_preview(tmp_path: Path) -> None:
    preview, _ = published(film_store(tmp_path, heard((), 60.0), beeps=False, seen=()))
    assert preview.reason == "no run of whole sentences lasts 20 to 40 s"


def test_a_film_whose_bytes_are_no_film_is_named_and_the_run_goes_on(tmp_path: Path) -> None:
    store = film_store(tmp_path, heard((), 60.0), beeps=False)
    asset = store.read(ASSETS)[FILM][0]
    store.commit("IngestMedia/9", {ASSETS: {FILM: [replace(asset, blob=store.put_bytes(b"text\n" * 99, ".mp4"))]}})
    (outcome,) = publish_chunk([FILM], length_s=30.0, run="r", settings=SETTINGS, store=store)
    assert outcome.problem and "cannot be decoded" in outcome.problem.detail


def test_rollback_puts_the_film_back(tmp_path: Path) -> None:
    store = film_store(tmp_path, heard((), 60.0), beeps=False)
    _, summary = published(store)
    assert describe(summary, store=store).endswith(f"previews/{FILM}/preview.mp4")
    assert choose_assets("new", store=store) == []
    store.rollback()
    restore_previews(store)
    assert store.files.list("previews") == []


def test_the_report_plays_the_film_and_shows_its_shots(silent: Store) -> None:
    summary = Summary((FILM,), (), ())
    page = lxml_html.fromstring(run_report(summary, run="r/1", settings=SETTINGS, store=silent))
    (player,) = page.findall(".//video")
    assert player.get("src").startswith("data:video/mp4;base64,")
    assert player.get("poster").startswith("data:image/jpeg;base64,")
    assert page.findall(".//audio") == []
    shown_text = " ".join(page.find("body").text_content().split())
    assert "Shots" in shown_text
    assert "no sound" in shown_text and "LUFS" not in page.find(".//section[@id]").text_content()
    bands = [rect for rect in page.iter("rect") if (rect.get("class") or "").startswith("shot")]
    assert len(bands) == 20


def test_without_room_for_players_the_film_is_linked(silent: Store) -> None:
    settings = build(Settings, {"publish": {"report_players": 0}})
    page = lxml_html.fromstring(run_report(Summary((FILM,), (), ()), run="r/1", settings=settings, store=silent))
    assert page.findall(".//video") == []
    assert page.xpath("//a[text()='Play the preview']/@href") == [f"previews/{FILM}/preview.mp4"]


def test_feeds_are_copied_beside_films(tmp_path: Path) -> None:
    store = stocked(tmp_path / "store")
    film = film_store(tmp_path, heard((), 60.0), beeps=False)
    asset: Asset = film.read(ASSETS)[FILM][0]
    preview, _ = published(film)
    feed = next(iter(store.read(ASSETS).values()))[0].feed
    store.commit("x", {ASSETS: {FILM: [replace(asset, feed=feed)]}, PREVIEWS: {FILM: [preview]}})
    assert len(write_feed_copies(settings=SETTINGS, store=store)) == 1
