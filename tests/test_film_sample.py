"""The sample film is what its truth says."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any

import av
import numpy as np
import pytest

from featurization.decode import decode_audio
from featurization.media import Segment
from featurization.probe import probe
from steps.ingest import list_source
from steps.settings import Settings
from steps.store import ROOT

FOLDER = ROOT / "samples" / "film"
FILM = FOLDER / "the-keeper-of-gull-point.mp4"


@pytest.fixture(scope="module")
def facts() -> Mapping[str, Any]:
    return json.loads((FOLDER / "truth.json").read_text())[FILM.name]


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Every frame, small, in presentation order: (frames, 45, 80) luma in [0, 1]."""
    with av.open(str(FILM)) as container:
        frames = [frame.reformat(80, 45, "gray8").to_ndarray() for frame in container.decode(video=0)]
    return np.stack(frames).astype(np.float32) / 255


def differences(pictures: np.ndarray) -> np.ndarray:
    """Mean absolute difference of every frame to the one before."""
    return np.concatenate([[0.0], np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2))])


def test_the_file_is_small_and_well_formed(facts):
    found = probe(FILM)
    assert FILM.stat().st_size < 3_000_000
    assert (found.kind, found.container, found.codec, found.video_codec) == ("video", "mp4", "aac", "h264")
    assert (found.width, found.height, found.frame_rate) == (facts["width"], facts["height"], facts["frame_rate"])
    assert found.duration_s == pytest.approx(facts["duration_s"], abs=0.05)
    assert (found.title, found.problems, found.chapters, found.subtitle_tracks) == (facts["title"], (), (), ())


def test_it_starts_to_play_before_it_is_there(facts):
    data = FILM.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_its_pictures_are_counted_and_even(facts, pictures):
    assert len(pictures) == facts["frames"] == round(facts["duration_s"] * facts["frame_rate"])
    with av.open(str(FILM)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([n / facts["frame_rate"] for n in range(len(times))], abs=1e-6)


def test_the_lead_in_is_black_and_what_follows_is_not(facts, pictures):
    lead_in = facts["black_lead_in"]["end_frame"]
    assert pictures[:lead_in].max() < 0.1
    assert pictures[lead_in + 30].mean() > 0.1


def test_frames_differ_at_cuts_and_nowhere_else_but_at_the_flash(facts, pictures):
    cuts = {join["start_frame"] for join in facts["transitions"] if join["type"] == "cut"}
    flashes = {n for flash in facts["flashes"] for n in range(flash["start_frame"], flash["end_frame"] + 1)}
    sudden = {int(n) for n in np.flatnonzero(differences(pictures) > 0.09)}
    assert len(cuts) == 6
    assert cuts <= sudden
    assert sudden - cuts <= flashes


def test_a_flash_returns_to_the_picture_before_it(facts, pictures):
    (flash,) = facts["flashes"]
    before, at, after = (pictures[n] for n in (flash["start_frame"] - 1, flash["start_frame"], flash["end_frame"]))
    assert at.mean() > before.mean() + 0.2
    assert np.abs(after - before).mean() < 0.03


def test_gradual_joins_are_mixtures(facts, pictures):
    for join in facts["transitions"]:
        if join["type"] == "dissolve":
            before, after = pictures[join["start_frame"] - 1], pictures[join["end_frame"]]
            middle = pictures[(join["start_frame"] + join["end_frame"]) // 2]
            assert np.abs(middle - (before + after) / 2).mean() < 0.05
    (fade,) = (join for join in facts["transitions"] if join["type"] == "fade")
    assert pictures[(fade["start_frame"] + fade["end_frame"]) // 2].mean() < 0.05


def test_shots_follow_each_other_and_move(facts, pictures):
    shots = facts["shots"]
    assert [shot["start_frame"] for shot in shots] == [0, *(shot["end_frame"] for shot in shots[:-1])]
    assert shots[-1]["end_frame"] == facts["frames"]
    assert len(shots) == len(facts["transitions"]) + 1
    for shot in shots:
        start = max(shot["start_frame"] + 16, facts["fade_in"]["end_frame"])
        first, last = (pictures[n] for n in (start, min(shot["end_frame"] - 18, facts["fade_out"]["start_frame"])))
        assert np.abs(last - first).mean() > 0.01, shot["description"]


def test_shots_said_to_be_alike_are(facts, pictures):
    def tones(number: int) -> np.ndarray:
        shot = facts["shots"][number]
        middle = pictures[(shot["start_frame"] + shot["end_frame"]) // 2]
        return np.histogram(middle, bins=16, range=(0, 1))[0] / middle.size

    pairs = {tuple(pair) for pair in facts["alike"]}
    assert len(pairs) == 3
    for one, other in pairs:
        distances = [np.abs(tones(one) - tones(n)).sum() for n in range(len(facts["shots"])) if n != one]
        assert np.abs(tones(one) - tones(other)).sum() == min(distances)


def test_speech_and_music_are_where_they_are_said_to_be(facts, tmp_path):
    pcm = decode_audio(FILM, scratch=tmp_path)
    assert pcm.duration_s == pytest.approx(facts["duration_s"], abs=0.05)

    def level(start: float, end: float) -> float:
        return float(10 * np.log10(np.mean(pcm.read(Segment(start, end)) ** 2) + 1e-12))

    for span in (*facts["sentences"], *facts["music"]):
        assert level(span["start"], span["end"]) > -35
    (quiet,) = (shot for shot in facts["shots"] if shot["picture"] == "galaxies")
    assert any(span["start"] < quiet["start"] and quiet["end"] < span["end"] for span in facts["nobody_speaks"])
    assert level(quiet["start"] + 0.1, quiet["end"] - 0.1) < -55
    ends = {join["start"] for join in facts["transitions"] if join["type"] == "cut"}
    gaps = [min(abs(edge - cut) for cut in ends) for s in facts["sentences"] for edge in (s["start"], s["end"])]
    assert sum(gap < 0.5 for gap in gaps) >= 3  # some begin or end near a cut


def test_the_manifest_gives_it_its_rights(facts):
    (entry,) = list_source(str(FOLDER / "manifest.csv"), limit=0, settings=Settings()).items
    assert (entry.item.title, entry.item.rights.license, entry.item.rights.preview) == (
        facts["title"],
        "cc-by-4.0",
        "allowed",
    )
    assert entry.location == str(FILM)


def test_the_table_of_transitions_agrees(facts):
    with (FOLDER / "the-keeper-of-gull-point.transitions.csv").open(newline="") as file:
        rows = [(row["type"], int(row["start_frame"]), int(row["end_frame"])) for row in csv.DictReader(file)]
    assert rows == [(join["type"], join["start_frame"], join["end_frame"]) for join in facts["transitions"]]
