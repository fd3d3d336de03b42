"""Experiments from the first listener to the page: what is planted in a log of events is read from it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import axe, fits
from fastapi.testclient import TestClient
from live_server import served
from stocked_store import JAR, LAMP, ROPE, preview, stocked

from benchmarks.made_listeners import Habits, made_events
from eval.online import Difference, Experiment, ExperimentOptions, Reading, Units, assign, read
from featurization.media import Segment
from serving import cli
from serving.api import create_app
from steps.choose import CANDIDATES, ScoredCandidate
from steps.event_log import EventLog, tend_log
from steps.events import Event, EventOptions
from steps.experiments import read_experiment, readings
from steps.exploring import shown_clip
from steps.reporting.experiment_report import experiment_report, interval_svg
from steps.reporting.experiment_words import conclusion, left_out, said_of
from steps.settings import Settings
from steps.store import Store

OPTIONS = EventOptions()
AUTUMN = Experiment("autumn", planned=3000)
BEGIN = datetime(2026, 7, 1, tzinfo=UTC)
LATER = BEGIN + timedelta(days=6)
LISTENERS = 4000
SAME = Habits(dict.fromkeys(AUTUMN.arms, 0.2), dict.fromkeys(AUTUMN.arms, 0.5))
BETTER = Habits({"control": 0.15, "random": 0.2, "ranked": 0.3}, {"control": 0, "random": 0.4, "ranked": 0.6})


def logged(place: Path, habits: Habits, **options: object) -> tuple[Store, list[Event]]:
    """A store with the events of an experiment."""
    store = Store(str(place))
    events = made_events(AUTUMN, habits, asset_id=LAMP, listeners=LISTENERS, begin=BEGIN, seed=3, **options)
    log = EventLog(store, OPTIONS)
    for first in range(0, len(events), 2000):
        log.append(events[first : first + 2000], now=LATER)
    return store, events


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Event]]:
    return logged(tmp_path_factory.mktemp("better"), BETTER)


# readings -----------------------------------------------------------------------------------------------------------


def test_counts_are_those_of_the_log(better: tuple[Store, list[Event]]):
    store, events = better
    reading = read_experiment(AUTUMN, store=store, now=LATER)
    done = Counter((e.arm, e.kind) for e in events)
    assert [(a.name, a.units, a.completed, a.streamed) for a in reading.arms] == [
        (arm, done[arm, "impression"], done[arm, "complete"], done[arm, "stream"]) for arm in AUTUMN.arms
    ]
    assert sum(a.units for a in reading.arms) == LISTENERS
    assert (reading.contaminated, reading.pending, reading.nameless, reading.strange) == (0, 0, 0, 0)


def test_a_planted_effect_is_found_and_covered(better: tuple[Store, list[Event]]):
    reading = read_experiment(AUTUMN, store=better[0], now=LATER)
    assert reading.verdict == "ahead"
    for one in reading.differences:
        rates = BETTER.streams if one.outcome == "stream" else BETTER.completes
        assert one.low <= rates[one.arm] - rates[one.against] <= one.high


def test_equal_arms_are_not_told_apart(tmp_path: Path):
    reading = read_experiment(AUTUMN, store=logged(tmp_path, SAME)[0], now=LATER)
    assert reading.verdict == "too early"
    assert not any(one.settled for one in reading.differences)


def test_lost_events_of_an_arm_break_the_experiment(tmp_path: Path):
    reading = read_experiment(AUTUMN, store=logged(tmp_path, BETTER, lost={"ranked": 0.2})[0], now=LATER)
    assert reading.verdict == "broken"
    assert "do not fit their shares" in conclusion(reading)


def test_the_past_can_be_read_again(better: tuple[Store, list[Event]]):
    store, events = better
    early = read_experiment(AUTUMN, store=store, now=BEGIN + timedelta(days=2))
    over = sum(e.kind == "impression" and e.when + timedelta(days=1) <= BEGIN + timedelta(days=2) for e in events)
    shown = sum(e.kind == "impression" and e.when <= BEGIN + timedelta(days=2) for e in events)
    assert (sum(a.units for a in early.arms), early.pending) == (over, shown - over)


def test_other_experiments_and_strangers_do_not_count(tmp_path: Path):
    store, log = Store(str(tmp_path)), EventLog(Store(str(tmp_path)), OPTIONS)

    def said(name: str, **facts: object) -> Event:
        return Event(**{"id": name, "asset_id": LAMP, "kind": "impression", "when": BEGIN, "arm": "ranked", **facts})

    log.append(
        [
            said("a", experiment="autumn", listener="ada"),
            said("b", experiment="autumn", session="only a session"),
            said("c", experiment="winter", listener="bob"),
            said("d", experiment="autumn", listener="cyd", arm="louder"),
            said("e", experiment="autumn"),
            said("f", experiment="autumn", listener="eve"),
            said("g", experiment="autumn", listener="eve", arm="control"),
        ],
        now=BEGIN,
    )
    reading = read_experiment(AUTUMN, store=store, now=LATER)
    assert [a.units for a in reading.arms] == [0, 0, 2]
    assert (reading.strange, reading.nameless, reading.contaminated) == (1, 1, 1)
    assert left_out(reading) == (
        "1 listeners seen in two arms, 1 events of nobody or of listeners forgotten since, 1 events of an unknown arm"
    )


def test_forgotten_listeners_are_no_listeners(tmp_path: Path):
    store, events = logged(tmp_path, SAME)
    later = LATER + timedelta(days=OPTIONS.retention_days + 1)
    tend_log(store, now=later, options=OPTIONS)
    reading = read_experiment(AUTUMN, store=store, now=later)
    assert sum(a.units for a in reading.arms) == 0
    assert reading.nameless == len(events)


def test_every_running_experiment_is_read(better: tuple[Store, list[Event]]):
    options = ExperimentOptions((AUTUMN, Experiment("winter")))
    assert [r.experiment for r in readings(better[0], options, now=LATER)] == ["autumn", "winter"]


# words and pictures -------------------------------------------------------------------------------------------------


def difference(middle: float, low: float, high: float) -> Difference:
    return Difference("stream", "ranked", "control", middle, low, high)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (difference(0.021, 0.004, 0.038), "ranked beats control by 2.1 points of stream rate (0.4 to 3.8)"),
        (difference(-0.021, -0.038, -0.004), "ranked is behind control by 2.1 points of stream rate (0.4 to 3.8)"),
        (difference(0.0, -0.01, 0.02), "ranked may be anything from 1.0 points below control to 2.0 above"),
        (difference(0.0, -1.0, 1.0), "too little happened yet"),
    ],
)
def test_differences_are_said_in_words(one: Difference, sentence: str):
    assert sentence in said_of(one)


def test_the_picture_of_an_interval_stays_in_its_frame():
    drawn = interval_svg(difference(0.0, -1.0, 1.0), 0.05, sizes_fit=True)
    assert '<rect x="0.0"' in drawn
    assert 'width="260.0"' in drawn


def test_only_what_can_be_believed_is_coloured():
    ahead = difference(0.02, 0.01, 0.03)
    assert "--good" in interval_svg(ahead, 0.05, sizes_fit=True)
    assert "--good" not in interval_svg(ahead, 0.05, sizes_fit=False)


def test_names_from_the_config_cannot_steer_the_page():
    hostile = Experiment("<script>alert(1)</script>".replace("/", ""), arms=("<b>", "ranked"))
    section = experiment_report(nobody(hostile), hostile)
    assert "<script" not in section
    assert "<b>" not in section


def nobody(experiment: Experiment) -> Reading:
    nothing = np.zeros(0, bool)
    return read(experiment, Units(np.zeros(0, np.int64), nothing, nothing))


# which clip to show -------------------------------------------------------------------------------------------------

CLIPS = [
    ScoredCandidate(10.0, 40.0, 0, 2, "a", 0.5, picked=True),
    ScoredCandidate(50.0, 80.0, 3, 4, "b", 0.2),
    ScoredCandidate(90.0, 120.0, 5, 6, "c", None, ("ad: sponsor",)),
    ScoredCandidate(130.0, 160.0, 7, 8, "d", 0.1),
]
PICKED = Segment(10.5, 40.0)  # cut where it sounds best


def test_chances_are_those_with_which_clips_are_shown(tmp_path: Path):
    experiment = Experiment("autumn", shares=(0.2, 0.3, 0.5))
    published = replace(preview(Store(str(tmp_path)), b""), moments=(PICKED,))
    shown = [
        shown_clip(f"listener {n}", experiment, asset_id=LAMP, preview=published, candidates=CLIPS) for n in range(9000)
    ]
    assert {s.arm: s.clip for s in shown if s.arm != "random"} == {"control": None, "ranked": PICKED}
    with_clip = [s for s in shown if s.clip]
    seen = Counter((s.clip.start, s.propensity) for s in with_clip)
    expected = {10.5: (0.5 + 0.1) / 0.8, 50.0: 0.1 / 0.8, 130.0: 0.1 / 0.8}
    assert dict(seen.keys()) == pytest.approx(expected)
    for (_, chance), count in seen.items():
        assert count / len(with_clip) == pytest.approx(chance, abs=0.02)


def test_a_lone_clip_is_certain_to_be_shown(tmp_path: Path):
    published = replace(preview(Store(str(tmp_path)), b""), moments=(PICKED,))
    shown = shown_clip(
        "ada", Experiment("e", arms=("random", "ranked")), asset_id=LAMP, preview=published, candidates=()
    )
    assert (shown.clip, shown.propensity) == (PICKED, 1.0)


# the service and the command ----------------------------------------------------------------------------------------


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    """The autumn experiment runs."""
    configured = replace(Settings(), experiments=ExperimentOptions((AUTUMN,)))
    for module in ("serving.api", "serving.commands.experiments"):
        monkeypatch.setattr(f"{module}.settings", lambda: configured)


@pytest.fixture
def client(tmp_path: Path, running: None) -> Iterator[TestClient]:
    store = stocked(tmp_path)
    store.commit("PublishPreviews/3", {CANDIDATES: {LAMP: CLIPS}})
    with TestClient(create_app(store, {}), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield client


def test_a_listener_gets_an_arm_and_a_clip(client: TestClient):
    arm = assign("ada", AUTUMN)
    assert client.get("/experiments/autumn/assign?listener=ada").json() == {"experiment": "autumn", "arm": arm}
    clips = [client.get(f"/experiments/autumn/clip?listener={n}&asset={LAMP}").json() for n in range(40)]
    assert {clip["arm"] for clip in clips} == set(AUTUMN.arms)
    assert all((clip["start"] is None) == (clip["arm"] == "control") for clip in clips)
    assert client.get(f"/experiments/autumn/clip?listener=ada&asset={ROPE}").status_code == 404
    assert client.get(f"/experiments/autumn/clip?listener=ada&asset={JAR}").json()["start"] is None  # it was refused
    assert client.get("/experiments/autumn/assign").status_code == 422


def test_what_a_clip_earns_comes_back_as_an_event(client: TestClient):
    clip = client.get(f"/experiments/autumn/clip?listener=ada&asset={LAMP}").json()
    row = {name: clip[name] for name in ("experiment", "arm", "asset_id", "start", "end", "propensity", "preview")}
    assert client.post("/events", json={**row, "kind": "impression", "listener": "ada"}).status_code == 201
    reading = client.get("/experiments/autumn").json()
    assert (reading["verdict"], reading["pending"]) == ("too early", 1)


def test_an_unknown_experiment_is_named_with_those_that_run(client: TestClient):
    answer = client.get("/experiments/winter")
    assert (answer.status_code, answer.json()["detail"]) == (404, "no experiment 'winter'; running: autumn")


def test_the_page_says_what_the_numbers_say(better: tuple[Store, list[Event]], running: None):
    client = TestClient(create_app(better[0], {}))
    page, reading = client.get("/experiments").text, client.get("/experiments/autumn").json()
    assert reading["verdict"] == "ahead"
    assert reading["says"].startswith("ranked beats control by")
    assert reading["says"][1:] in page
    assert page.count("<svg") == len(reading["differences"]) == 4
    assert "http" not in page


def test_the_page_is_one_of_the_studio_and_fit_for_everybody(
    better: tuple[Store, list[Event]], running: None, any_page: Any
):
    with served(better[0]) as client:
        any_page.goto(f"{client.base_url}/experiments")
        assert any_page.locator(".top nav [aria-current=page]").inner_text() == "Experiments"
        assert any_page.locator("section.card h2").all_inner_texts() == ["autumn"]
        assert axe(any_page) == []
        assert fits(any_page)
        any_page.get_by_role("link", name="Review").click()
        any_page.wait_for_url("**/studio/review")


def test_without_an_experiment_the_page_says_how_to_declare_one(tmp_path: Path):
    assert "[[experiments.running]]" in TestClient(create_app(Store(str(tmp_path)), {})).get("/experiments").text


def test_the_command_says_it_too(
    better: tuple[Store, list[Event]],
    running: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("RUSHES_STORE", better[0].url)
    for arguments in (["experiments"], ["experiments", "--json"]):
        monkeypatch.setattr(sys, "argv", ["rushes", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
    said, _, as_json = capsys.readouterr().out.partition("[\n")
    assert "ranked beats control by" in said
    assert json.loads("[" + as_json)[0]["experiment"] == "autumn"
