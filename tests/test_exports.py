"""What editors open: every format is read again by the library that owns it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import opentimelineio as otio
import pysubs2
import pytest
from episode_factory import ASSET, heard, say

from featurization.errors import ConfigError
from featurization.media import AdSpan, Scene, Shot, Tag, Topic
from serving.commands.export import export
from serving.export_formats.contents import Contents
from serving.export_formats.timecode import frame_rate

FILM = replace(
    ASSET,
    kind="video",
    title="Gull Point – the café",
    source="/films/gull point.mp4",
    duration_s=60.0,
    width=640,
    height=360,
    frame_rate=25.0,
)
SHOTS = (
    Shot(0.0, 4.0, 0, "start"),
    Shot(4.0, 10.52, 1, "cut", confidence=0.9),
    Shot(10.52, 40.0, 2, "dissolve", fade_in_s=0.4),
    Shot(40.0, 60.0, 3, "fade"),
)
CONTENTS = Contents(
    FILM,
    replace(
        heard(say("We found a lamp.", "Who lit it & why?")),
        topics=(Topic(0.0, 30.0, "The lamp"), Topic(30.0, 60.0, "The night")),
        ads=(AdSpan(20.0, 25.0, "sponsor", 0.9),),
    ),
    SHOTS,
    scenes=(Scene(0.0, 40.0, 0, 3), Scene(40.0, 60.0, 3, 4)),
    tags=(Tag(4.0, 10.52, "cat", 0.8, "zero-shot"), Tag(11.0, 39.0, "rocket", 0.6, "zero-shot")),
)


def at_rate(rate: float) -> Contents:
    return replace(CONTENTS, asset=replace(FILM, frame_rate=rate))


def clips_of(timeline: Any) -> list[Any]:
    return list(timeline.find_clips())


# timecode -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0])
def test_timecode_agrees_with_opentimelineio(rate):
    ours = frame_rate(rate)
    theirs = otio.opentime.RationalTime(0, float(ours.exact)).rate
    for frame in [0, 1, 1799, 1800, 1801, 17981, 17982, 17983, 35964, 53999, 107892, 215784, 2_000_000]:
        expected = otio.opentime.to_timecode(otio.opentime.RationalTime(frame, theirs), theirs, ours.drop)
        assert ours.timecode(frame) == expected, frame


@pytest.mark.parametrize(
    ("average", "nominal", "drop"),
    [
        (29.97003, 30, True),
        (23.98, 24, False),
        (25.0, 25, False),
        (59.9401, 60, True),
        (29.83, 30, False),
        (0.2, 1, False),
    ],
)
def test_the_rate_nearest_to_an_average(average, nominal, drop):
    assert (frame_rate(average).nominal, frame_rate(average).drop) == (nominal, drop)


def test_an_hour_of_drop_frame_is_an_hour():
    rate = frame_rate(30000 / 1001)
    assert rate.timecode(rate.frame(3600.0)) == "01:00:00;00"
    assert rate.timecode(1799) == "00:00:59;29"
    assert rate.timecode(1800) == "00:01:00;02"


# EDL and OTIO ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [23.976, 25.0, 29.97])
def test_an_edl_opens_as_the_shots(rate):
    text = export(at_rate(rate), "edl")
    exact, counted = frame_rate(rate).exact, frame_rate(rate)
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(exact) if counted.drop else counted.nominal)
    clips = clips_of(timeline)
    assert len(clips) == len(SHOTS)
    for clip, shot in zip(clips, SHOTS, strict=True):
        seconds = float(clip.source_range.duration.value / exact)
        assert seconds == pytest.approx(shot.duration, abs=float(1 / exact))
    assert timeline.name == "Gull Point the cafe"


def test_an_edl_says_where_each_cut_lies_and_what_is_seen():
    lines = export(CONTENTS, "edl").splitlines()
    assert lines[:2] == ["TITLE: Gull Point the cafe", "FCM: NON-DROP FRAME"]
    times = "00:00:04:00 00:00:10:13"
    assert f"002  AX       V     C        {times} {times}" in lines
    assert "* COMMENT: cat" in lines
    assert "* COMMENT: BEGINS WITH A DISSOLVE" in lines
    assert "* SOURCE FILE: gull point.mp4" in lines
    assert export(at_rate(29.97), "edl").splitlines()[1] == "FCM: DROP FRAME"


def test_shots_shorter_than_a_frame_of_the_list_still_have_one():
    shots = [Shot(n * 0.01, (n + 1) * 0.01, n, "cut") for n in range(5)]
    timeline = otio.adapters.read_from_string(export(replace(CONTENTS, shots=shots), "edl"), "cmx_3600", rate=25)
    assert [clip.source_range.duration.value for clip in clips_of(timeline)] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("rate", [23.976, 25.0, 29.97])
def test_otio_opens_as_clips_with_their_file(rate):
    timeline = otio.adapters.read_from_string(export(at_rate(rate), "otio"), "otio_json")
    (video,) = timeline.video_tracks()
    clips = list(video.find_clips())
    exact = float(frame_rate(rate).exact)
    assert [clip.source_range.start_time.to_seconds() for clip in clips] == pytest.approx(
        [shot.start for shot in SHOTS], abs=1 / exact
    )
    assert video.duration().to_seconds() == pytest.approx(60.0, abs=1 / exact)
    assert {clip.media_reference.target_url for clip in clips} == {"file:///films/gull%20point.mp4"}
    for clip in clips:
        assert clip.source_range.end_time_exclusive() <= clip.available_range().end_time_exclusive()
    assert clips[1].metadata["rushes"]["tags"] == {"cat": 0.8}
    assert clips[2].metadata["rushes"]["transition"] == "dissolve"


def test_otio_marks_topics_tags_scenes_and_advertisements():
    timeline = otio.adapters.read_from_string(export(CONTENTS, "otio"), "otio_json")
    marks = {mark.name: mark.marked_range for mark in timeline.tracks.markers}
    assert list(marks) == ["scene 1", "scene 2", "The lamp", "The night", "sponsor", "cat", "rocket"]
    assert marks["sponsor"].start_time.to_seconds() == 20.0
    assert marks["sponsor"].duration.to_seconds() == 5.0


def test_a_silent_film_has_no_sound_track():
    silent = replace(CONTENTS, asset=replace(FILM, has_audio=False))
    for contents, kinds in ((CONTENTS, ["Video", "Audio"]), (silent, ["Video"])):
        timeline = otio.adapters.read_from_string(export(contents, "otio"), "otio_json")
        assert [track.kind for track in timeline.tracks] == kinds


@pytest.mark.parametrize("form", ["edl", "otio"])
def test_a_film_that_was_seen_but_not_heard_can_be_cut(form):
    assert export(replace(CONTENTS, hearing=None), form)


# the others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["vtt", "srt"])
def test_captions_open_again(form):
    subtitles = pysubs2.SSAFile.from_string(export(CONTENTS, form), format_=form)
    said = " ".join(event.plaintext.replace("\n", " ") for event in subtitles)
    assert "We found a lamp." in said
    assert "Who lit it" in said
    assert subtitles[0].start == pytest.approx(1000 * CONTENTS.heard.sentences[0].start, abs=1)


def test_chapters_of_a_film_without_topics_are_its_scenes():
    def chapters(contents: Contents) -> list[tuple[float, str]]:
        found = json.loads(export(contents, "chapters"))["chapters"]
        return [(chapter["startTime"], chapter["title"]) for chapter in found]

    assert chapters(CONTENTS) == [(0.0, "The lamp"), (30.0, "The night")]
    untold = replace(CONTENTS, hearing=replace(CONTENTS.heard, topics=()))
    assert chapters(untold) == [(0.0, "Scene 1"), (40.0, "Scene 2")]


def test_label_studio_gets_shots_and_tags_of_a_film():
    (task,) = json.loads(export(CONTENTS, "label-studio"))
    assert task["data"]["video"] == FILM.source
    seen = [r for r in task["predictions"][0]["result"] if r["to_name"] == "video"]
    assert [(r["from_name"], r["value"]["timelinelabels"], r["value"]["ranges"][0]) for r in seen[1:2]] == [
        ("shot", ["cut"], {"start": 101, "end": 263})
    ]
    assert [r["value"]["timelinelabels"] for r in seen if r["from_name"] == "tag"] == [["cat"], ["rocket"]]
    (audio_task,) = json.loads(export(Contents(ASSET, CONTENTS.hearing), "label-studio"))
    assert "video" not in audio_task["data"]


def test_everything_as_json_has_what_was_seen():
    everything = json.loads(export(CONTENTS, "json"))
    assert [shot["transition"] for shot in everything["shots"]] == ["start", "cut", "dissolve", "fade"]
    assert everything["tags"][0]["label"] == "cat"
    assert "shots" not in json.loads(export(Contents(ASSET, CONTENTS.hearing), "json"))


@pytest.mark.parametrize(
    ("contents", "form", "said"),
    [
        (Contents(ASSET, CONTENTS.hearing), "edl", "has no pictures"),
        (replace(CONTENTS, shots=()), "otio", "was not looked at yet"),
        (replace(CONTENTS, hearing=None), "srt", "was not heard yet"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(contents, form, said):
    with pytest.raises(ConfigError, match=said) as caught:
        export(contents, form)
    assert "\n" not in str(caught.value)
