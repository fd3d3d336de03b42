"""Events: what is taken and what is refused, that nobody can be told from the log, and what it says of clips."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from stocked_store import DRUM, JAR, LAMP, stocked

from benchmarks.made_listeners import made_log, made_views
from eval.off_policy import OffPolicyOptions
from featurization.errors import ConfigError
from featurization.media import Segment
from serving.api import create_app
from steps.event_log import EventLog, read_log, tend_log
from steps.events import Event, EventOptions
from steps.listeners import SALT, disguise
from steps.store import Store
from steps.streams import read_views, stream_clips, stream_rate

OPTIONS = EventOptions()
NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)
ADA, HER_EVENING = "ada@example.org", "session of the evening"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def event(name: str, kind: str = "impression", **facts: object) -> Event:
    return Event(**{"id": name, "asset_id": LAMP, "kind": kind, "when": NOON, **facts})


def ids(store: Store) -> list[str]:
    return sorted(read_log(store)["id"].to_pylist())


# the service --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, TestClient]]:
    """A stocked store and its service."""
    store = stocked(tmp_path_factory.mktemp("shop"))
    with TestClient(create_app(store, {}), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield store, client


def test_events_are_kept_once_and_come_back_whole(shop: tuple[Store, TestClient]):
    store, client = shop
    when = datetime.now(UTC) - timedelta(hours=3)
    sent = {
        "id": "e1",
        "asset_id": LAMP,
        "kind": "quartile2",
        "when": when.isoformat(),
        "listener": ADA,
        "session": HER_EVENING,
        "experiment": "autumn",
        "arm": "random",
        "position_s": 10.5,
        "preview": "PublishPreviews/3",
        "start": 100,
        "end": 130,
        "propensity": 0.25,
    }
    assert client.post("/events", json=sent).json() == {"added": ["e1"], "known": []}
    again = client.post("/events", json=[sent, {**sent, "id": "e2"}, sent])
    assert again.json() == {"added": ["e2"], "known": ["e1"]}
    row = next(row for row in read_log(store).to_pylist() if row["id"] == "e1")
    for name in ("asset_id", "kind", "experiment", "arm", "position_s", "preview", "start", "end", "propensity"):
        assert row[name] == sent[name]
    assert row["when"] == when
    assert (len(row["listener"]), len(row["session"])) == (32, 32)


@pytest.mark.parametrize(
    "kind",
    ["impression", "start", "quartile1", "quartile2", "quartile3", "complete", "stream", "skip", "like", "share"],
)
def test_every_kind_is_taken(shop: tuple[Store, TestClient], kind: str):
    assert shop[1].post("/events", json={"asset_id": LAMP, "kind": kind}).status_code == 201


def test_the_same_thing_may_well_happen_twice(shop: tuple[Store, TestClient]):
    play = {"asset_id": LAMP, "kind": "play"}
    assert len(shop[1].post("/events", json=[play, play]).json()["added"]) == 2


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"asset_id": "ffff"}, "row 1: no asset 'ffff'"),
        ({"kind": "dance"}, "Input should be 'impression'"),
        ({"position_s": 24}, "row 1: 24 s lies behind the end of the preview, 22 s"),
        ({"kind": "stream", "position_s": 700}, "row 1: 700 s lies behind the end of The lamp, 600 s"),
        ({"start": 10, "end": 40, "position_s": 32}, "behind the end of the clip, 30 s"),
        ({"when": in_days(1)}, "still to come"),
        ({"when": in_days(-31)}, "over 30 days ago"),
        ({"when": "2026-07-20T12:00:00"}, "timezone"),
        ({"when": "yesterday"}, "when"),
        ({"start": 10}, "needs both start and end"),
        ({"start": 10, "end": 10}, "has no length"),
        ({"start": 10, "end": 900}, "behind the end of The lamp"),
        ({"propensity": 0}, "greater than 0"),
        ({"propensity": 1.5}, "less than or equal to 1"),
        ({"arm": "random"}, "send both or none"),
        ({"query": "lamp oil", "listener": ADA}, "not kept together with who did"),
        ({"query": "lamp oil", "session": HER_EVENING}, "not kept together with who did"),
        ({"email": ADA}, "Extra inputs"),
    ],
)
def test_a_row_that_cannot_be_is_named_and_nothing_of_its_batch_is_kept(
    shop: tuple[Store, TestClient], wrong: dict[str, object], sentence: str
):
    store, client = shop
    before = len(read_log(store))
    good = {"asset_id": LAMP, "kind": "complete", "position_s": 22}
    answer = client.post("/events", json=[good, {**good, **wrong}])
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert len(read_log(store)) == before


def test_more_than_a_batch_holds_is_refused(shop: tuple[Store, TestClient]):
    row = {"asset_id": LAMP, "kind": "play"}
    assert shop[1].post("/events", json=[row] * 501).status_code == 422


def test_a_fast_clock_is_set_right(shop: tuple[Store, TestClient]):
    store, client = shop
    client.post("/events", json={"id": "fast", "asset_id": LAMP, "kind": "play", "when": in_days(0.002)})
    (when,) = (row["when"] for row in read_log(store).to_pylist() if row["id"] == "fast")
    assert when <= datetime.now(UTC)


def test_of_an_older_preview_the_length_is_not_known(shop: tuple[Store, TestClient]):
    older = {"asset_id": LAMP, "kind": "skip", "position_s": 50, "preview": "PublishPreviews/1"}
    assert shop[1].post("/events", json=older).status_code == 201
    assert shop[1].post("/events", json={**older, "asset_id": JAR, "preview": ""}).status_code == 201  # it has none


# the log ------------------------------------------------------------------------------------------------------------


def test_an_id_is_known_to_another_process_and_to_the_same_one(store: Store):
    first = EventLog(store, OPTIONS)
    assert first.append([event("a"), event("b")], now=NOON).added == ("a", "b")
    assert first.append([event("b"), event("c")], now=NOON).known == ("b",)
    assert EventLog(store, OPTIONS).append([event("a"), event("d")], now=NOON).known == ("a",)
    assert ids(store) == ["a", "b", "c", "d"]


def test_what_two_processes_took_at_once_is_read_once(store: Store):
    one, other = EventLog(store, OPTIONS), EventLog(store, OPTIONS)
    one.append([event("z")], now=NOON)
    other.append([event("z")], now=NOON)
    one.append([event("a")], now=NOON)
    other.append([event("a")], now=NOON)
    assert ids(store) == ["a", "z"]


def test_a_long_life_does_not_fill_the_memory(store: Store):
    log = EventLog(store, EventOptions(remembered=3))
    for name in "abcde":
        log.append([event(name)], now=NOON)
    assert log.append([event("e")], now=NOON).known == ("e",)
    assert log.append([event("a")], now=NOON).added == ("a",)  # as if new, and yet
    assert ids(store) == list("abcde")


def test_events_are_read_by_column_and_condition(store: Store):
    EventLog(store, OPTIONS).append([event("a", arm="x", experiment="e"), event("b", "stream")], now=NOON)
    read = read_log(store, ["kind"], filters=[("experiment", "=", "e")])
    assert read.to_pylist() == [{"kind": "impression", "id": "a"}]
    assert len(read_log(Store(f"{store.url}/nothing"))) == 0


def test_many_threads_append_at_once(store: Store):
    log = EventLog(store, OPTIONS)
    batches = [[event(f"{n}-{k}") for k in range(20)] + [event("shared")] for n in range(8)]
    threads = [threading.Thread(target=log.append, args=(batch,), kwargs={"now": NOON}) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(store)) == 8 * 20 + 1


# who ----------------------------------------------------------------------------------------------------------------


def test_nothing_in_the_store_says_who(store: Store):
    EventLog(store, OPTIONS).append([event("a", listener=ADA, session=HER_EVENING)], now=NOON)
    written = b"".join(path.read_bytes() for path in Path(store.url).rglob("*") if path.is_file())
    assert ADA.encode() not in written
    assert HER_EVENING.encode() not in written
    row = read_log(store).to_pylist()[0]
    assert ADA not in str(row)


def test_a_listener_is_one_digest_until_the_salt_is_rotated(store: Store):
    log = EventLog(store, OPTIONS)
    later = [NOON, NOON + timedelta(minutes=5), NOON + timedelta(days=OPTIONS.retention_days)]
    for number, now in enumerate(later):
        log.append([event(str(number), listener=ADA, when=now)], now=now)
    digests = [row["listener"] for row in sorted(read_log(store).to_pylist(), key=lambda row: row["id"])]
    assert digests[0] == digests[1] != digests[2]


def test_the_salt_is_private_and_another_in_each_store(tmp_path: Path):
    listeners = set()
    for name in ("one", "two"):
        store = Store(str(tmp_path / name))
        EventLog(store, OPTIONS).append([event("a", listener=ADA)], now=NOON)
        (salt,) = (tmp_path / name / "secrets").iterdir()
        assert stat.S_IMODE(salt.stat().st_mode) == 0o600
        assert len(salt.read_bytes()) == 32
        listeners.add(read_log(store)["listener"][0].as_py())
    assert len(listeners) == 2


def test_a_salt_may_be_given_and_must_not_be_guessable(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SALT, "correct horse battery staple")
    EventLog(store, OPTIONS).append([event("a", listener=ADA)], now=NOON)
    assert read_log(store)["listener"].to_pylist() == [disguise(ADA, b"correct horse battery staple")]
    assert not (Path(store.url) / "secrets").exists()
    monkeypatch.setenv(SALT, "pepper")
    with pytest.raises(ConfigError, match="has 6 characters"):
        EventLog(store, OPTIONS).append([event("b")], now=NOON)


def test_listeners_are_forgotten_in_time_and_visits_stay_visits(store: Store):
    log = EventLog(store, OPTIONS)
    log.append([event("a", listener=ADA, session="s1"), event("b", listener=ADA, session="s2")], now=NOON)
    log.append([event("c", "stream", session="s1"), event("d", listener="bob"), event("e")], now=NOON)
    before = {row["id"]: row for row in read_log(store).to_pylist()}
    kept = tend_log(store, now=NOON + timedelta(days=OPTIONS.retention_days), options=OPTIONS)
    assert (kept.forgotten, {r["id"]: r for r in read_log(store).to_pylist()}) == (0, before)
    later = NOON + timedelta(days=OPTIONS.retention_days + 1)
    assert tend_log(store, now=later, options=OPTIONS).forgotten == 5
    after = {row["id"]: row for row in read_log(store).to_pylist()}
    assert {row["listener"] for row in after.values()} == {""}
    assert not {row["session"] for row in after.values()} & {
        row["session"] for row in before.values() if row["session"]
    }
    assert after["a"]["session"] == after["c"]["session"] != after["b"]["session"]
    assert after["d"]["session"].startswith("past-")
    assert after["e"]["session"] == ""
    unchanged = {"listener": "", "session": ""}
    assert [{**after[k], **unchanged} for k in "abcde"] == [{**before[k], **unchanged} for k in "abcde"]


def test_forgetting_twice_changes_nothing_and_old_salts_go(store: Store):
    log = EventLog(store, OPTIONS)
    log.append([event("a", listener=ADA)], now=NOON)
    much_later = NOON + timedelta(days=2 * OPTIONS.retention_days)
    tend_log(store, now=much_later, options=OPTIONS)
    files = sorted(path.name for path in Path(store.url).rglob("*") if path.is_file())
    again = tend_log(store, now=much_later, options=OPTIONS)
    assert (again.forgotten, again.merged) == (0, 0)
    assert sorted(path.name for path in Path(store.url).rglob("*") if path.is_file()) == files
    assert not any(name.startswith("event-salt") for name in files)


def test_the_salt_outlives_the_last_listener_it_hides(store: Store):
    log = EventLog(store, OPTIONS)
    log.append([event("a", listener=ADA)], now=NOON)
    tend_log(store, now=NOON + timedelta(days=OPTIONS.retention_days - 1), options=OPTIONS)
    assert list((Path(store.url) / "secrets").iterdir())


def test_files_of_a_day_that_is_over_become_one(store: Store):
    log = EventLog(store, OPTIONS)
    for name in "abc":
        log.append([event(name)], now=NOON)
    assert tend_log(store, now=NOON, options=OPTIONS).merged == 0  # the day goes on
    before = read_log(store).sort_by("id")
    assert tend_log(store, now=NOON + timedelta(days=1), options=OPTIONS).merged == 1
    assert len(list(Path(store.url).glob("events/*/*"))) == 1
    assert read_log(store).sort_by("id").equals(before)
    log.append([event("d")], now=NOON)  # a clock that lags
    assert tend_log(store, now=NOON + timedelta(days=1), options=OPTIONS).merged == 1
    assert ids(store) == list("abcd")


def test_who_reads_while_files_are_merged_reads_all(store: Store):
    log, later = EventLog(store, OPTIONS), NOON + timedelta(days=1)
    names = [f"{number:03d}" for number in range(60)]
    for name in names:
        log.append([event(name)], now=NOON)
    merging = threading.Thread(target=tend_log, args=(store,), kwargs={"now": later, "options": OPTIONS})
    merging.start()
    while merging.is_alive():
        assert ids(store) == names
    merging.join()


@pytest.mark.parametrize("wrong", [{"retention_days": 0}, {"oldest_days": 0}, {"ahead_s": -1.0}, {"remembered": 0}])
def test_options_that_cannot_be_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="1 or more"):
        replace(OPTIONS, **wrong)


# streams ------------------------------------------------------------------------------------------------------------

FAVOURITE, OTHER = Segment(0, 30), Segment(100, 130)


def view(name: str, clip: Segment, chance: float | None, streamed: bool) -> list[Event]:
    shown = event(name, session=name, start=clip.start, end=clip.end, propensity=chance)
    after = event(f"{name}-stream", "stream", session=name, when=NOON + timedelta(minutes=1))
    return [shown, after] if streamed else [shown]


@pytest.fixture
def watched(store: Store) -> Store:
    """The favourite was shown nine times as often as the other; one view in three is streamed, and one in two."""
    rows = [row for n in range(90) for row in view(f"f{n}", FAVOURITE, 0.9, n % 3 == 0)]
    rows += [row for n in range(10) for row in view(f"o{n}", OTHER, 0.1, n % 2 == 0)]
    EventLog(store, OPTIONS).append(rows, now=NOON)
    return store


def test_clips_are_worth_what_their_views_are(watched: Store):
    favourite, other = stream_clips(watched, OffPolicyOptions(prior_views=0))
    assert (favourite.asset_id, favourite.start, favourite.end, favourite.views) == (LAMP, 0.0, 30.0, 90)
    assert (favourite.rate, other.rate) == pytest.approx((1 / 3, 1 / 2))
    assert (favourite.weighted_views, other.weighted_views) == pytest.approx((100, 100))
    assert (favourite.weighted_streams, other.weighted_streams) == pytest.approx((100 / 3, 50))


def test_a_choice_that_was_rarely_shown_can_be_judged(watched: Store):
    estimate = stream_rate(watched, {LAMP: OTHER}, OffPolicyOptions())
    assert estimate.value == pytest.approx(0.5)
    assert estimate.low < 0.5 < estimate.high
    assert stream_rate(watched, {LAMP: Segment(5, 35)}, OffPolicyOptions()) is None
    assert stream_rate(watched, {DRUM: OTHER}, OffPolicyOptions()) is None


def test_views_of_unknown_chance_teach_nothing_and_are_counted(watched: Store):
    EventLog(watched, OPTIONS).append(view("blind", OTHER, None, True), now=NOON)
    views = read_views(watched)
    assert (len(views.rows), views.unweighted) == (100, 1)


def test_a_view_counts_once_a_visit_and_a_stream_before_it_does_not(store: Store):
    shown = view("v", OTHER, 0.5, False)[0]
    early = event("early", "stream", session="v", when=NOON - timedelta(minutes=1))
    start = replace(shown, id="start", kind="start", when=NOON + timedelta(seconds=2))
    elsewhere = event("elsewhere", "stream", session="v", asset_id=JAR, when=NOON + timedelta(minutes=1))
    EventLog(store, OPTIONS).append([shown, start, early, elsewhere], now=NOON)
    (clip,) = stream_clips(store, OffPolicyOptions(prior_views=0))
    assert (clip.views, clip.rate) == (1, 0.0)


def test_clips_can_be_learned_after_their_listeners_were_forgotten(watched: Store):
    before = stream_clips(watched, OffPolicyOptions())
    tend_log(watched, now=NOON + timedelta(days=365), options=OPTIONS)
    assert stream_clips(watched, OffPolicyOptions()) == before


def test_without_events_there_are_no_clips(store: Store):
    assert stream_clips(store, OffPolicyOptions()) == ()


def test_worth_is_found_in_a_log_of_habits(store: Store):
    made = made_log(episodes=5, clips=6, rows=5000, habit=0.5, seed=11)
    log = EventLog(store, OPTIONS)
    log.append(made_views(made, when=NOON), now=NOON)
    clips = stream_clips(store, OffPolicyOptions())
    assert len(clips) == 30
    assert np.corrcoef([clip.rate for clip in clips], made.worth)[0, 1] > 0.7
