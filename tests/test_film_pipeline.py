"""The sample film through the flows, against its truth: shots, tags, search by every road, and its preview."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import av
import pytest
from conftest import SAMPLES, Workplace

from featurization.media import Asset, Shot
from steps.previews import PREVIEWS
from steps.tables import ASSETS, FILMS, SHOTS, TAGS

TITLE = "The Keeper of Gull Point"


@pytest.fixture(scope="module")
def film_truth() -> Mapping[str, Any]:
    (facts,) = json.loads((SAMPLES / "film" / "truth.json").read_text()).values()
    return facts


@pytest.fixture(scope="module")
def film(published: Workplace) -> Asset:
    return next(rows[0] for rows in published.store.read(ASSETS).values() if rows[0].title == TITLE)


@pytest.fixture(scope="module")
def shots(published: Workplace, film: Asset) -> tuple[Shot, ...]:
    return published.store.read(SHOTS)[film.asset_id]


def rushes(place: Workplace, *arguments: str) -> Any:
    done = place.python("-m", "serving.cli", *arguments, "--json", stderr=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def picture_at(film_truth: Mapping[str, Any], time: float) -> str:
    """What is really to be seen at a moment."""
    return next((s["picture"] for s in film_truth["shots"] if s["start"] <= time < s["end"]), "")


def test_every_transition_is_found_and_the_flash_is_none(shots: tuple[Shot, ...], film_truth: Mapping[str, Any]):
    begun = [shot.start for shot in shots[1:]]
    wanted = [t for t in film_truth["transitions"] if 2.0 < (t["start"] + t["end"]) / 2 < shots[-1].end - 2.0]
    assert len(begun) == len(wanted)
    for time, transition in zip(begun, wanted, strict=True):
        assert transition["start"] - 0.08 <= time <= transition["end"] + 0.08
    types = [shot.transition for shot in shots[1:]]
    assert types == [transition["type"] for transition in wanted]


def test_shots_leave_no_gap_and_know_their_keyframes(shots: tuple[Shot, ...], film: Asset):
    assert shots[0].start == 0.0
    assert shots[-1].end == pytest.approx(film.duration_s, abs=0.1)
    assert all(before.end == after.start for before, after in pairwise(shots))
    assert all(time in shot for shot in shots for time in shot.keyframes)
    assert all(len(shot.keyframes) == len(shot.thumbnails) >= 1 for shot in shots)


def test_the_profile_counts_the_frames_and_names_the_models(published: Workplace, film: Asset, film_truth: Any):
    (profile,) = published.store.read(FILMS)[film.asset_id]
    assert profile.frames == film_truth["frames"]
    assert any(model.startswith("transnetv2@") for model in profile.models)
    assert published.store.files.exists(profile.sprite)


def test_tags_name_what_is_there(published: Workplace, film: Asset, film_truth: Mapping[str, Any]):
    tags = [tag for tag in published.store.read(TAGS)[film.asset_id] if tag.confidence >= 0.8]
    seen = {(tag.label, picture_at(film_truth, tag.middle)) for tag in tags}
    assert {("cat", "cat"), ("coffee", "coffee"), ("lighthouse", "lighthouse")} <= seen


@pytest.mark.parametrize(
    ("words", "picture"), [("a cup of coffee", "coffee"), ("a cat", "cat"), ("lighthouse at night", "lighthouse")]
)
def test_a_described_scene_is_found(published: Workplace, film_truth: Mapping[str, Any], words: str, picture: str):
    found = rushes(published, "search", words, "--in", "pictures")["shots"]["items"]
    assert found
    assert {picture_at(film_truth, (hit["start"] + hit["end"]) / 2) for hit in found} == {picture}


def test_a_spoken_line_is_found_at_its_time(published: Workplace, film_truth: Mapping[str, Any]):
    (line,) = [s for s in film_truth["sentences"] if "one chance" in s["text"]]
    found = rushes(published, "search", '"there is only one chance"', "--in", "dialogue")["dialogue"]["items"]
    assert [hit["title"] for hit in found] == [TITLE]
    assert found[0]["start"] == pytest.approx(line["start"], abs=0.3)


def test_a_similar_shot_is_found_and_not_the_shot_itself(
    published: Workplace, shots: tuple[Shot, ...], film: Asset, film_truth: Mapping[str, Any]
):
    first = next(shot for shot in shots if picture_at(film_truth, shot.middle) == "coffee")
    found = rushes(published, "search", "--like", f"{film.asset_id}-{first.number:04d}")["shots"]["items"]
    assert found
    assert picture_at(film_truth, (found[0]["start"] + found[0]["end"]) / 2) == "coffee"
    assert all(hit["start"] != first.start for hit in found)


def test_what_is_not_there_matches_nothing(published: Workplace):
    found = rushes(published, "search", "a plate of spaghetti", "--in", "pictures")["shots"]
    assert found["items"] == []


def test_the_film_has_a_preview_with_pictures_and_sound(published: Workplace, film: Asset):
    (preview,) = published.store.read(PREVIEWS)[film.asset_id]
    assert preview.status == "published"
    with av.open(published.store.files.path(f"previews/{film.asset_id}/preview.mp4")) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        assert float(container.duration or 0) / av.time_base == pytest.approx(preview.duration_s, abs=0.2)
    assert preview.loudness_lufs == pytest.approx(-16, abs=0.5)
