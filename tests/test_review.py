"""Judging previews: what a verdict keeps, what it does to what is published, and what may be published instead."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from golden_store import made_asset, mark, put, told, words_of
from heard_store import PICK, audible
from stocked_store import HEARING, LAMP

from featurization.media import AdSpan, Rights, Segment
from ranking.candidates import Candidate
from ranking.gates import Rejected, Verdict, without_rejected
from serving.api import create_app
from serving.commands.rollback import roll_back
from steps.choose import choose_preview
from steps.episodes import read_episodes
from steps.feed_copies.publish_copies import write_feed_copies
from steps.feedback import GOLDEN_CLIPS, FeedbackError, standing
from steps.golden import GoldenOptions, gather_golden
from steps.people import PEOPLE, Person
from steps.previews import PREVIEWS, Preview
from steps.publish import commit_previews, publish_chunk
from steps.rankers import current_ranker
from steps.references import in_pieces
from steps.review import Said, TakenBack, adjust, approve, closed_gates, reject, take_back
from steps.settings import Settings
from steps.store import Store
from steps.tables import ASSETS, SENTENCES
from steps.verdicts import REVIEWS, Review, judged, reviewed, taught

# Sentences lie at 1, 6.5, 12 and 17.5 s and last 5 s; music lies before 2 s, an ad from 100 to 130 s.
SETTINGS = Settings()


def test_a_clip_that_was_taken_back_teaches_nothing_and_may_be_marked_again(tmp_path):
    store, episode = Store(str(tmp_path)), made_asset("a")
    put(store, episode, told(words_of(1, 400)))
    mark(store, episode, 10.0, 40.0)
    mark(store, episode, 50.0, 80.0)
    mark(store, episode, 10.0, 40.0, withdraws="clip0")
    kept = gather_golden(store=store, options=GoldenOptions())
    assert [clip.start for clip in kept.clips[episode.asset_id]] == [50.0]
    assert not kept.refused
    mark(store, episode, 10.0, 40.0)
    kept = gather_golden(store=store, options=GoldenOptions())
    assert [clip.start for clip in kept.clips[episode.asset_id]] == [10.0, 50.0]


# what rows say ------------------------------------------------------------------------------------------------------


def review(number: int, decision: str, start: float, end: float, **facts: object) -> Review:
    return Review(
        f"r{number}", "ann", f"2026-01-01T00:00:0{number}", decision, (Segment(start, end),), "recipe", **facts
    )


@pytest.mark.parametrize(
    ("decision", "reason", "grade", "note"),
    [
        ("approved", "", 4, "approved: fine"),
        ("adjusted", "", 4, "adjusted: fine"),
        ("rejected", "dull", 0, "dull: fine"),
        ("rejected", "spoiler", 0, "spoiler: fine"),
        ("rejected", "cut off", 1, "cut off: fine"),
        ("rejected", "wrong speaker", 1, "wrong speaker: fine"),
    ],
)
def test_a_verdict_teaches_a_grade(decision, reason, grade, note):
    (clip,) = taught(review(1, decision, 10, 40, reason=reason, note="fine"), LAMP)
    assert (clip.start, clip.end, clip.grade, clip.note, clip.source, clip.who) == (
        10,
        40,
        grade,
        note,
        "verdict",
        "ann",
    )


def test_what_was_said_last_of_a_stretch_holds():
    rows = [review(1, "rejected", 10, 40, reason="dull"), review(2, "rejected", 50, 80, reason="ad")]
    assert reviewed(rows).rejected == (Rejected(10, 40, "dull"), Rejected(50, 80, "ad"))
    assert reviewed([*rows, review(3, "approved", 10, 40)]).rejected == (Rejected(50, 80, "ad"),)
    assert reviewed([*rows, review(3, "rejected", 50, 80, withdraws="r2")]).rejected == (Rejected(10, 40, "dull"),)


def test_edges_are_wanted_until_they_are_rejected():
    rows = [review(1, "adjusted", 10, 40), review(2, "adjusted", 12, 40)]
    assert reviewed(rows).wanted == (Segment(12, 40),)
    assert reviewed([*rows, review(3, "rejected", 12, 40)]).wanted == ()
    assert reviewed([*rows, review(3, "rejected", 60, 90)]).wanted == (Segment(12, 40),)


def test_a_preview_is_judged_by_what_it_plays():
    shown = Preview("published", "", "r", "", "", "", moments=(Segment(10, 40),))
    assert judged(shown, [review(1, "approved", 10.04, 40)]) == review(1, "approved", 10.04, 40)
    assert judged(shown, [review(1, "approved", 10.1, 40)]) is None
    assert judged(shown, [review(1, "approved", 10, 40), review(2, "approved", 10, 40, withdraws="r1")]) is None


@pytest.mark.parametrize(
    ("start", "end", "reason", "excluded"),
    [
        (10, 40, "dull", True),
        (25, 55, "dull", True),  # half of it
        (26, 56, "dull", False),
        (10, 40, "cut off", True),
        (10, 40.9, "cut off", True),
        (10, 42, "cut off", False),  # that is how it is mended
    ],
)
def test_clips_like_a_rejected_one_are_excluded(start, end, reason, excluded):
    verdicts = [Verdict(Candidate(start, end, "a", 0, 1, ""))]
    (verdict,) = without_rejected(verdicts, [Rejected(10, 40, reason)])
    assert verdict.passed is not excluded
    assert [one.gate for one in verdict.exclusions] == ["review"] * excluded


# what a verdict does ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("heard")
    write_feed_copies(settings=SETTINGS, store=audible(place))
    return place


@pytest.fixture
def store(made, tmp_path) -> Store:
    return Store(str(shutil.copytree(made, tmp_path / "store")))


def shown(store: Store) -> Preview:
    return store.read(PREVIEWS, [LAMP])[LAMP][0]


def said(store: Store, **facts: str) -> Said:
    return Said(LAMP, shown(store).recipe, "ann", **facts)


def clips(store: Store) -> list[tuple[float, float, int, str]]:
    rows = store.read(GOLDEN_CLIPS).values()
    return [(c.start, c.end, c.grade, c.note) for c in standing(clip for its in rows for clip in its)]


def files(store: Store) -> list[str]:
    return sorted(store.files.list(f"previews/{LAMP}"))


def feed(store: Store) -> str:
    (name,) = store.files.list("feeds")
    return store.files.read(f"feeds/{name}").decode()


def test_approving_changes_nothing_but_what_is_known(store):
    before = shown(store)
    kept = approve(said(store), store=store)
    assert shown(store) == before
    assert clips(store) == [(*PICK, 4, "approved")]
    assert judged(before, store.read(REVIEWS, [LAMP])[LAMP]) == kept


def test_rejecting_takes_a_preview_out_everywhere_and_undoing_brings_it_back(store):
    before, there, told_of = shown(store), files(store), feed(store)
    assert "preview.mp3" in there and "soundbite" in told_of
    kept = reject(said(store, reason="dull", note="too slow"), settings=SETTINGS, store=store)
    assert (shown(store).status, shown(store).reason) == ("refused", "review: dull: too slow")
    assert clips(store) == [(*PICK, 0, "dull: too slow")]
    assert files(store) == []
    assert "soundbite" not in feed(store)
    take_back(TakenBack(LAMP, kept.id, "bob"), settings=SETTINGS, store=store)
    assert shown(store) == before
    assert clips(store) == []
    assert files(store) == there
    assert feed(store) == told_of
    assert store.files.list("placing") == []


def test_what_was_rejected_is_not_published_again(store):
    reject(said(store, reason="dull"), settings=SETTINGS, store=store)
    outcomes = publish_chunk([LAMP], length_s=16.0, run="PublishPreviews/9", settings=SETTINGS, store=store)
    summary = commit_previews([[LAMP]], outcomes, died="", run="PublishPreviews/9", store=store)
    assert summary.refused == (LAMP,)
    assert "review" in shown(store).reason
    assert files(store) == []


def test_edges_are_moved_and_stay_when_a_run_publishes_anew(store):
    told_shares: list[float] = []
    before = shown(store)
    kept = adjust(said(store), [Segment(12.0, 22.5)], settings=SETTINGS, store=store, told=told_shares.append)
    moved = shown(store)
    assert moved.moments == (Segment(12.0, 22.5),)
    assert moved.text == "Nobody knows. It burned all night."
    assert 10.5 <= moved.duration_s <= 11.0
    assert moved.run == f"Review/{kept.id}"
    assert told_shares == sorted(told_shares)
    described = json.loads(store.files.read(f"previews/{LAMP}/preview.json"))
    assert (described["start"], described["end"]) == (12.0, 22.5)
    assert hashlib.sha256(store.files.read(f"previews/{LAMP}/preview.mp3")).hexdigest() in moved.files["preview.mp3"]
    assert 'startTime="12' in feed(store)
    assert clips(store) == [(12.0, 22.5, 4, "adjusted")]
    outcomes = publish_chunk([LAMP], length_s=16.0, run="PublishPreviews/9", settings=SETTINGS, store=store)
    commit_previews([[LAMP]], outcomes, died="", run="PublishPreviews/9", store=store)
    assert shown(store).moments == moved.moments
    assert shown(store).files["preview.mp3"] == moved.files["preview.mp3"]
    assert before.recipe != moved.recipe


def test_what_was_taken_out_is_kept_as_long_as_it_can_be_brought_back(store):
    before = shown(store)
    reject(said(store), settings=SETTINGS, store=store)
    assert set(before.files.values()) <= in_pieces(store.keys(store.current()), store)


def publish_again(store: Store, *, length_s: float, run: str = "PublishPreviews/9") -> None:
    outcomes = publish_chunk([LAMP], length_s=length_s, run=run, settings=SETTINGS, store=store)
    commit_previews([[LAMP]], outcomes, died="", run=run, store=store)


def test_names_of_speakers_are_in_what_is_published_once_they_are_known(store):
    def transcript() -> str:
        return store.files.read(f"previews/{LAMP}/transcript.vtt").decode()

    store.commit("turns", {SENTENCES: {LAMP: [replace(one, speaker="S1") for one in HEARING.sentences]}})
    publish_again(store, length_s=16.0)
    assert "<v S1>" in transcript()
    person = Person("S1", "ab" * 8, 1.0, 20.0, "voices", (1.0,), listed="Ann Lee")
    store.commit("people", {PEOPLE: {LAMP: [person]}})
    publish_again(store, length_s=16.0, run="PublishPreviews/10")
    assert "<v Ann Lee>" in transcript()
    assert "<v S1>" not in transcript()


def test_rolling_back_undoes_the_last_run_and_no_verdict(store):
    kept = approve(said(store), store=store)
    adjust(said(store), [Segment(12.0, 22.5)], settings=SETTINGS, store=store, told=lambda _: None)
    moved = shown(store)
    store.commit("IngestMedia/9", {ASSETS: {"new": [made_asset("new")]}})
    reject(said(store), settings=SETTINGS, store=store)
    assert roll_back(settings=SETTINGS, store=store).run == "rollback of IngestMedia/9"
    assert "new" not in store.read(ASSETS)
    assert store.read(REVIEWS, [LAMP])[LAMP][0] == kept
    assert (shown(store).status, shown(store).reason, shown(store).title) == ("refused", "review", moved.title)
    assert files(store) == []


def test_what_was_rejected_stays_out_when_the_run_after_it_is_rolled_back(store):
    before, there = shown(store), files(store)
    kept = reject(said(store, reason="ad"), settings=SETTINGS, store=store)
    publish_again(store, length_s=11.0)
    assert shown(store).run == "PublishPreviews/9"
    roll_back(settings=SETTINGS, store=store)
    assert (shown(store).status, shown(store).reason) == ("refused", "review: ad")
    assert (files(store), feed(store).count("soundbite")) == ([], 0)
    take_back(TakenBack(LAMP, kept.id, "bob"), settings=SETTINGS, store=store)
    assert (shown(store), files(store)) == (before, there)


def test_what_was_rejected_after_a_run_stays_out_of_the_state_before_it(store):
    """The run changed nothing about the lamp, so that the state before it shows what was rejected."""
    store.commit("IngestMedia/9", {ASSETS: {"new": [made_asset("new")]}})
    reject(said(store), settings=SETTINGS, store=store)
    roll_back(settings=SETTINGS, store=store)
    assert shown(store).status == "refused"
    with TestClient(create_app(store, {})) as client:
        assert client.get("/previews").json()["total"] == 0


def test_moved_edges_stay_when_a_run_is_rolled_back(store):
    store.commit("IngestMedia/9", {ASSETS: {"new": [made_asset("new")]}})
    adjust(said(store), [Segment(12.0, 22.5)], settings=SETTINGS, store=store, told=lambda _: None)
    moved = shown(store)
    roll_back(settings=SETTINGS, store=store)
    assert shown(store) == moved
    assert store.files.read(f"previews/{LAMP}/preview.mp3") == store.files.read(moved.files["preview.mp3"])


def test_what_is_said_twice_is_kept_once(store):
    """A page that heard no answer asks again, with the same id."""
    first = said(store, id="a" * 16, reason="dull")
    assert reject(first, settings=SETTINGS, store=store) == reject(first, settings=SETTINGS, store=store)
    back = TakenBack(LAMP, first.id, "ann", "b" * 16)
    rows = [take_back(back, settings=SETTINGS, store=store) for _ in range(2)]
    good = said(store, id="c" * 16)
    assert [approve(good, store=store).id for _ in range(2)] == [good.id] * 2
    edges = replace(good, id="d" * 16)
    moments = [Segment(12.0, 22.5)]
    for _ in range(2):
        rows.append(adjust(edges, moments, settings=SETTINGS, store=store, told=lambda _: None))
    assert [row.id[:1] for row in store.read(REVIEWS, [LAMP])[LAMP]] == ["a", "b", "c", "d"]
    assert [row.id[:1] for row in rows] == ["b", "b", "d", "d"]
    assert clips(store) == [(*PICK, 4, "approved"), (12.0, 22.5, 4, "adjusted")]


def test_undoing_new_edges_brings_the_old_ones_back(store):
    before = shown(store)
    kept = adjust(said(store), [Segment(12.0, 22.5)], settings=SETTINGS, store=store, told=lambda _: None)
    take_back(TakenBack(LAMP, kept.id, "ann"), settings=SETTINGS, store=store)
    assert shown(store) == before
    assert clips(store) == []


@pytest.mark.parametrize(
    ("moments", "why"),
    [
        ([(90, 110)], "ad: 10.3 s of sponsor at 1:40"),
        ([(0, 22.5)], "music"),
        ([(500, 530)], "spoiler"),
        ([(10, 12)], "2.0 s is not from 5 to 180 s"),
        ([(590, 610)], "the episode at 600.0 s"),
        ([(10, 30), (20, 40)], "the moments overlap"),
    ],
)
def test_gates_are_closed_for_new_edges_too(store, moments, why):
    spans = [Segment(start, end) for start, end in moments]
    with pytest.raises(FeedbackError, match=why):
        adjust(said(store), spans, settings=SETTINGS, store=store, told=lambda _: None)
    assert shown(store).moments == (Segment(*PICK),)
    assert clips(store) == []


def test_rights_and_the_edge_of_an_ad_close_the_gate(store):
    (episode,) = read_episodes([LAMP], store=store)
    span = [Segment(6.5, 22.5)]
    assert closed_gates(episode, span, settings=SETTINGS) == []
    forbidden = replace(episode, asset=replace(episode.asset, rights=Rights(derivatives="forbidden")))
    assert closed_gates(forbidden, span, settings=SETTINGS)[0].startswith("rights: ")
    near = replace(episode, hearing=replace(HEARING, ads=(AdSpan(22.6, 40, "sponsor", 0.9),)))
    assert closed_gates(near, span, settings=SETTINGS)[0].startswith("ad: ")


def test_wanted_edges_that_an_ad_was_found_in_are_not_published(store):
    (episode,) = read_episodes([LAMP], store=store)
    ads = replace(episode, hearing=replace(HEARING, ads=(AdSpan(12, 16, "sponsor", 0.9),)))
    wanted = reviewed([review(1, "adjusted", 12.0, 22.5)])
    ranker = current_ranker(store, SETTINGS)
    for heard, moments in ((episode, [(12.0, 22.5)]), (ads, None)):
        choice, rows = choose_preview(heard, ranker=ranker, length_s=16, settings=SETTINGS, reviewed=wanted)
        found = [(m.candidate.start, m.candidate.end) for m in getattr(choice, "moments", ())] or None
        assert found == moments
        assert [(row.start, row.end) for row in rows if row.picked] == (moments or [])


def test_what_changed_since_it_was_heard_is_not_judged(store):
    old = said(store)
    kept = reject(old, settings=SETTINGS, store=store)
    for act in (lambda: approve(old, store=store), lambda: reject(old, settings=SETTINGS, store=store)):
        with pytest.raises(FeedbackError, match="reload"):
            act()
    publish_again(store, length_s=11.0)
    with pytest.raises(FeedbackError, match="decided anew"):
        take_back(TakenBack(LAMP, kept.id, "ann"), settings=SETTINGS, store=store)
    with pytest.raises(FeedbackError, match="nothing to undo"):
        take_back(TakenBack(LAMP, "gone", "ann"), settings=SETTINGS, store=store)


def test_a_rejected_preview_is_gone_from_the_listing_at_once(store):
    with TestClient(create_app(store, {})) as client:
        assert client.get("/previews").json()["total"] == 1
        reject(said(store), settings=SETTINGS, store=store)
        assert client.get("/previews").json()["total"] == 0
        assert client.get(f"/previews/{LAMP}/preview.mp3").status_code == 404
        assert store.read(ASSETS, [LAMP])
