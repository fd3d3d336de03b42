"""The golden set: what editors chose, from every source, after every check."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from golden_store import made_asset, mark, put, told, words_of

from featurization.errors import ConfigError
from featurization.media import Segment, Soundbite
from steps.golden import Golden, GoldenOptions, GoldenSet, RefusedClip, gather_golden, show_key
from steps.golden.claims import from_streams
from steps.golden.clips import SourceWeights
from steps.options import build
from steps.settings import Settings
from steps.store import Store
from steps.streams import StreamedClip

TALK = words_of(1, 1000)  # 500 s
AD = words_of(9, 60)  # 30 s
ONE, OTHER = made_asset("1"), made_asset("2")
OPTIONS = GoldenOptions()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def gather(store: Store, table: str = "", **options: object) -> GoldenSet:
    """The golden set of the store, and of a CSV with this text."""
    file = Path(store.url) / "clips.csv"
    if table:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(table)
    return gather_golden(store=store, options=replace(OPTIONS, **options), file=file if table else None)


def clips(golden: GoldenSet) -> list[tuple[str, str, float, float]]:
    """First letter of the asset, editor, and the edges to the millisecond."""
    found = [clip for of_asset in golden.clips.values() for clip in of_asset]
    return [(clip.asset_id[0], clip.editor, round(clip.start, 3), round(clip.end, 3)) for clip in found]


def reasons(golden: GoldenSet) -> list[str]:
    return [refused.reason for refused in golden.refused]


# sources ------------------------------------------------------------------------------------------------------------


def test_every_source_is_kept_apart_and_weighted(store: Store):
    put(store, replace(ONE, soundbites=(Soundbite(10, 40, "The hook"),)))
    mark(store, ONE, 100, 130, "ann", grade=3)
    mark(store, ONE, 200, 230, "bob", source="verdict", grade=0)
    golden = gather(store, f"asset_id,start,end,editor\n{ONE.asset_id},300,330,cy\n")
    assert golden.clips == {
        ONE.asset_id: (
            Golden(10, 40, ONE.asset_id, "publisher of Night", "soundbite", 4, 0.5, "The hook"),
            Golden(100, 130, ONE.asset_id, "ann", "studio", 3, 1.0),
            Golden(200, 230, ONE.asset_id, "bob", "verdict", 0, 0.7),
            Golden(300, 330, ONE.asset_id, "cy", "file", 4, 1.0),
        )
    }
    assert golden.refused == ()


def test_a_source_that_weighs_nothing_is_left_out(store: Store):
    put(store, replace(ONE, soundbites=(Soundbite(10, 40), Soundbite(700, 730))))
    mark(store, ONE, 100, 130)
    golden = gather(store, weights=SourceWeights(soundbite=0))
    assert clips(golden) == [("1", "ann", 100, 130)]
    assert golden.refused == ()


def test_an_empty_store_has_an_empty_set(store: Store):
    golden = gather(store)
    assert (golden.clips, golden.refused) == ({}, ())
    assert golden.describe() == "no golden clips\nno episode has two editors, so their agreement is not known"


def test_soundbites_of_what_was_not_heard_wait(store: Store):
    put(store, replace(ONE, soundbites=(Soundbite(10, 40),)), heard=False)
    golden = gather(store)
    assert (golden.clips, golden.refused) == ({}, ())


# checks -------------------------------------------------------------------------------------------------------------


def test_each_check_refuses_with_its_reason_and_the_way_out(store: Store):
    put(store, ONE, ads=[Segment(100, 130)])
    put(store, OTHER, heard=False)
    rows = {
        "unknown-asset": ("ffff", 10, 40, "`rushes assets`"),
        "unheard": (OTHER.asset_id, 10, 40, "flows/featurize_media.py"),
        "outside": (ONE.asset_id, 590, 620, "Episode 1, 600.0 s long"),
        "length": (ONE.asset_id, 10, 12, "2.0 s is no plausible length (5 to 180 s)"),
        "ad": (ONE.asset_id, 90, 110, "10.0 s of it are advertising"),
        "malformed": (ONE.asset_id, 30, 20, "end (20 s) must be after start (30 s)"),
    }
    table = "\n".join(f"{asset},{start},{end},ann" for asset, start, end, _ in rows.values())
    golden = gather(store, f"asset_id,start,end,editor\n{table}\n{ONE.asset_id},10,40,ann\n")
    assert clips(golden) == [("1", "ann", 10, 40)]
    assert {refused.reason: refused.where for refused in golden.refused} == {why: row[0] for why, row in rows.items()}
    for refused in golden.refused:
        assert rows[refused.reason][3] in refused.detail
        assert refused.detail.startswith("clips.csv, row ")
        assert ";" in refused.detail or refused.reason == "malformed"


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (570, 600, (570, 600)),
        (570, 600.9, (570, 600)),
        (570, 601.1, None),
        (600, 600.5, None),
        (300, 480, (300, 480)),
        (300, 480.1, None),
        (10, 15, (10, 15)),
        (10, 14.9, None),
        (80, 101, (80, 101)),  # one second of ads is let pass
        (80, 101.1, None),
    ],
)
def test_where_the_limits_lie(store: Store, start: float, end: float, kept: tuple[float, float] | None):
    put(store, ONE, ads=[Segment(100, 130)])
    golden = gather(store, f"asset_id,start,end,editor\n{ONE.asset_id},{start},{end},ann\n")
    assert clips(golden) == ([("1", "ann", *kept)] if kept else [])


def test_a_reason_is_one_line_whatever_the_title(store: Store):
    put(store, replace(ONE, title="The\nlamp\r\n"))
    mark(store, ONE, 590, 620)
    (refused,) = gather(store).refused
    assert refused.detail.startswith("590.0 to 620.0 s is not within The lamp , 600.0 s long; ")


def test_rows_of_the_store_are_checked_too(store: Store):
    put(store, ONE)
    put(store, replace(OTHER, soundbites=(Soundbite(550, 650),)))
    mark(store, ONE, 590, 700)
    mark(store, made_asset("3"), 10, 40)
    mark(store, ONE, 10, 40, grade=9)
    golden = gather(store)
    assert golden.clips == {}
    assert sorted(reasons(golden)) == ["malformed", "outside", "outside", "unknown-asset"]


# one episode, several rows ------------------------------------------------------------------------------------------


def test_what_an_editor_said_last_of_a_stretch_holds(store: Store):
    put(store, ONE)
    mark(store, ONE, 100, 130, grade=4)
    mark(store, ONE, 100.5, 130.5, grade=1, source="verdict")  # IoU 29.5/30.5
    mark(store, ONE, 104, 130, "bob")
    golden = gather(store)
    assert [(clip.editor, clip.grade) for clip in golden.clips[ONE.asset_id]] == [("ann", 1), ("bob", 4)]
    (refused,) = golden.refused
    assert (refused.reason, refused.start, refused.source) == ("duplicate", 100, "studio")


@pytest.mark.parametrize(("end", "count"), [(129, 1), (127.1, 1), (127, 2), (120, 2)])
def test_clips_of_one_editor_that_are_nearly_the_same_count_once(store: Store, end: float, count: int):
    put(store, ONE)
    golden = gather(store, f"asset_id,start,end,editor\n{ONE.asset_id},100,130,ann\n{ONE.asset_id},100,{end},ann\n")
    assert len(clips(golden)) == count
    assert reasons(golden) == ["duplicate"] * (2 - count)


def test_the_same_clip_from_two_sources_counts_in_both(store: Store):
    put(store, ONE)
    mark(store, ONE, 100, 130)
    golden = gather(store, f"asset_id,start,end,editor\n{ONE.asset_id},100,130,ann\n")
    assert [clip.source for clip in golden.clips[ONE.asset_id]] == ["file", "studio"]
    assert golden.agreement.pairs == 0  # one editor


def test_a_bad_row_replaces_no_good_one(store: Store):
    put(store, ONE, ads=[Segment(130, 160)])
    mark(store, ONE, 100, 130)
    mark(store, ONE, 100, 132)
    golden = gather(store)
    assert (clips(golden), reasons(golden)) == ([("1", "ann", 100, 130)], ["ad"])


def test_many_clips_of_one_episode_take_no_square_of_time(store: Store):
    put(store, replace(ONE, duration_s=36_000))
    rows = "\n".join(f"{ONE.asset_id},{k},{k + 20},ann" for k in range(5_000))
    golden = gather(store, f"asset_id,start,end,editor\n{rows}\n")
    assert len(clips(golden)) + len(golden.refused) == 5_000
    assert set(reasons(golden)) == {"duplicate"}


# which episode ------------------------------------------------------------------------------------------------------


def test_an_episode_is_found_by_its_guid(store: Store):
    put(store, ONE)
    golden = gather(store, f"guid,start,end,editor\n{ONE.guid},10,40,ann\nnone,10,40,ann\n")
    assert clips(golden) == [("1", "ann", 10, 40)]
    assert [(refused.reason, refused.where) for refused in golden.refused] == [("unknown-asset", "none")]


def test_two_shows_with_the_same_name_and_guids_stay_two(store: Store):
    there = replace(OTHER, guid=ONE.guid, feed="https://other.example/feed.xml")
    put(store, ONE)
    put(store, there)
    rows = [f"{ONE.guid},{feed},10,40,ann" for feed in ("", "Night", there.feed, "Day")]
    golden = gather(store, "guid,feed,start,end,editor\n" + "\n".join(rows))
    assert clips(golden) == [("2", "ann", 10, 40)]
    assert golden.shows == {there.asset_id: there.feed}
    assert reasons(golden) == ["unknown-asset"] * 3
    assert ONE.feed in golden.refused[0].detail
    assert there.feed in golden.refused[0].detail


def test_the_key_of_a_show():
    assert show_key(ONE) == "https://night.example/feed.xml"
    assert show_key(replace(ONE, feed="")) == "Night"
    assert show_key(replace(ONE, feed="", show="")) == ONE.asset_id


def test_an_id_and_a_guid_must_be_of_one_episode(store: Store):
    put(store, ONE)
    golden = gather(store, row(asset_id=ONE.asset_id, guid=OTHER.guid) + f"{ONE.guid},10,40,ann,{ONE.asset_id}\n")
    assert (clips(golden), reasons(golden)) == ([("1", "ann", 10, 40)], ["miskeyed"])


# other bytes --------------------------------------------------------------------------------------------------------


def reissued(store: Store, *, ad_at: int = 0) -> None:
    """ONE as it was, then OTHER: the same episode with thirty seconds of ads put in before a word."""
    put(store, ONE, told(TALK))
    words = told([*TALK[:ad_at], *AD, *TALK[ad_at:]])
    ad = Segment(ad_at * 0.5, ad_at * 0.5 + 30)
    put(store, replace(OTHER, guid=ONE.guid, duration_s=630.0), words, ads=[ad])
    for asset, second in ((ONE, 1000), (OTHER, 2000)):
        os.utime(store.files.path(asset.blob), (second, second))


def csv(**facts: object) -> str:
    return f"{','.join(facts)}\n" + ",".join(f'"{value}"' for value in facts.values()) + "\n"


def row(**facts: object) -> str:
    return csv(**{"guid": ONE.guid, "start": 100, "end": 130, "editor": "ann", **facts})


def test_bytes_that_are_named_are_meant_and_the_clip_moves_on_to_the_newest(store: Store):
    reissued(store)
    golden = gather(store, row(sha256=ONE.sha256))
    assert clips(golden) == [("1", "ann", 100, 130), ("2", "ann", 130, 160)]
    assert [clip.realigned_s for of_asset in golden.clips.values() for clip in of_asset] == [0, pytest.approx(30)]


def test_a_clip_of_other_bytes_is_moved_to_its_words(store: Store):
    reissued(store)
    golden = gather(store, row(asset_id=OTHER.asset_id, sha256=ONE.sha256))
    assert clips(golden) == [("2", "ann", 130, 160)]


def test_its_words_may_come_from_the_table(store: Store):
    reissued(store)
    golden = gather(store, row(asset_id=OTHER.asset_id, sha256="f" * 64, text=" ".join(TALK[200:260])))
    assert clips(golden) == [("2", "ann", 130, 159.9)]
    assert golden.clips[OTHER.asset_id][0].realigned_s == pytest.approx(30)


@pytest.mark.parametrize("known", [{"sha256": "f" * 64}, {"duration_s": 602}, {"duration_s": 500}])
def test_a_clip_of_unknown_bytes_is_miskeyed(store: Store, known: dict[str, object]):
    put(store, ONE, told(TALK))
    golden = gather(store, row(**known))
    assert (golden.clips, reasons(golden)) == ({}, ["miskeyed"])
    assert "column text" in golden.refused[0].detail


@pytest.mark.parametrize(("duration_s", "asset"), [(600.4, "1"), (630.9, "2")])
def test_the_length_tells_which_bytes_were_heard(store: Store, duration_s: float, asset: str):
    reissued(store, ad_at=1000)
    golden = gather(store, row(duration_s=duration_s))
    assert (asset, "ann", 100, 130) in clips(golden)
    assert golden.refused == ()


def test_without_a_word_on_the_bytes_the_newest_are_meant(store: Store):
    reissued(store)
    assert clips(gather(store, row())) == [("2", "ann", 100, 130)]


def test_words_tell_whether_the_times_are_right(store: Store):
    put(store, ONE, told(TALK))
    said = {name: " ".join(TALK[first : first + 60]) for name, first in (("there", 204), ("elsewhere", 600))}
    assert clips(gather(store, row(text=said["there"]))) == [("1", "ann", 100, 130)]
    assert clips(gather(store, row(text=said["elsewhere"]))) == [("1", "ann", 300, 329.9)]
    assert reasons(gather(store, row(text=" ".join(AD)))) == ["miskeyed"]
    assert clips(gather(store, row(text="too few words"))) == [("1", "ann", 100, 130)]


def test_a_clip_that_an_ad_cuts_in_two_stays_with_the_older_bytes(store: Store):
    reissued(store, ad_at=230)  # at 115 s
    mark(store, ONE, 100, 130)
    golden = gather(store)
    assert clips(golden) == [("1", "ann", 100, 130)]
    assert golden.refused == ()


def test_clips_move_to_newer_bytes_unless_their_editor_marked_those(store: Store):
    reissued(store)
    mark(store, ONE, 100, 130, "ann")
    mark(store, ONE, 200, 230, "bob")
    mark(store, replace(OTHER, guid=ONE.guid), 400, 430, "bob")
    golden = gather(store)
    assert clips(golden) == [
        ("1", "ann", 100, 130),
        ("1", "bob", 200, 230),
        ("2", "ann", 130, 160),
        ("2", "bob", 400, 430),
    ]


def test_clips_of_the_newest_bytes_do_not_move_back(store: Store):
    reissued(store)
    mark(store, replace(OTHER, guid=ONE.guid), 400, 430)
    assert clips(gather(store)) == [("2", "ann", 400, 430)]


# the set ------------------------------------------------------------------------------------------------------------


def test_agreement_is_that_of_editors_on_what_they_would_publish(store: Store):
    put(store, ONE)
    mark(store, ONE, 100, 130, "ann")
    mark(store, ONE, 110, 140, "bob")  # shares 20 of 40 s
    mark(store, ONE, 300, 330, "cy", grade=1)
    found = gather(store).agreement
    assert (found.pairs, found.episodes, found.mean_iou) == (1, 1, 0.5)


def test_it_says_in_a_few_lines_what_it_holds(store: Store):
    reissued(store)
    put(store, made_asset("3", soundbites=(Soundbite(10, 40), Soundbite(10, 41), Soundbite(700, 730))))
    mark(store, ONE, 100, 130, "ann")
    mark(store, ONE, 110, 140, "bob")
    assert gather(store).describe().splitlines() == [
        "5 golden clips (4 studio, 1 soundbite): 3 episodes, 1 show, 3 editors",
        "editors agree with a mean IoU of 0.50 (2 pairs in 2 episodes)",
        "2 moved to where their words are in other bytes",
        "2 refused: 1 duplicate, 1 outside",
    ]


def test_the_same_store_gives_the_same_set(store: Store):
    reissued(store)
    for editor in ("bob", "ann", "cy"):
        mark(store, ONE, 100, 130, editor)
    assert gather(store) == gather(store)
    assert [clip[1] for clip in clips(gather(store))] == ["ann", "bob", "cy"] * 2


@pytest.mark.parametrize("wrong", [{"grade": 5}, {"grade": -1}, {"weight": 0.0}, {"weight": float("nan")}])
def test_a_golden_clip_that_makes_no_sense_cannot_be(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=r"grade is 0 to 4|weight must be a positive number"):
        Golden(
            **{"start": 1, "end": 2, "asset_id": "a", "editor": "e", "source": "file", "grade": 4, "weight": 1, **wrong}
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_s": 200.0},
        {"slack_s": -1.0},
        {"same_iou": 0.0},
        {"weights": {"studio": -1.0}},
        {"weights": {"studio": float("inf")}},
        {"realign": {"min_score": 2.0}},
        {"weights": {"magic": 1.0}},
    ],
)
def test_the_config_is_checked(wrong: dict[str, object]):
    with pytest.raises(ConfigError, match="golden"):
        build(Settings, {"golden": wrong})


def test_a_refused_clip_names_what_was_given(store: Store):
    put(store, ONE)
    golden = gather(store, row(guid="none"))
    assert golden.refused == (
        RefusedClip(
            "file",
            "ann",
            "none",
            100,
            130,
            "unknown-asset",
            "clips.csv, row 1: no episode 'none' in the store; ingest it first",
        ),
    )


def streamed(start: float, rate: float, *, asset: str = "a" * 16, trust: float = 0.5) -> StreamedClip:
    return StreamedClip(start, start + 30.0, asset, 20, rate, 20.0, 20 * rate, trust)


def test_listeners_order_the_clips_of_an_episode_below_what_editors_publish():
    shown = [streamed(0, 0.1), streamed(60, 0.5), streamed(120, 0.3), streamed(0, 0.9, asset="b" * 16)]
    claims = list(from_streams([*shown, streamed(200, 0.9, trust=0.0)]))
    assert [(claim.start, claim.grade) for claim in claims] == [(0, 0), (120, 1), (60, 2)]
    assert {(claim.source, claim.editor, claim.trust) for claim in claims} == {("streams", "listeners", 0.5)}
