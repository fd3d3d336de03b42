"""Which assets a run works on, and how they are handed out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.errors import ConfigError
from steps.chunks import FanoutOptions, Waiting, admit, chosen, media_hours, plan_chunks

HOURS = FanoutOptions(task_minutes=24.0, audio_factor=0.1, video_factor=0.4)  # four hours of sound a task


def assets(*hours: float) -> list[Waiting]:
    return [Waiting(f"a{n:03}", h * 3600) for n, h in enumerate(hours)]


@given(st.lists(st.floats(0.01, 20), max_size=40), st.integers(1, 10))
def test_every_asset_is_in_one_chunk_and_there_are_never_too_many(hours: list[float], most: int):
    chunks = plan_chunks(assets(*hours), FanoutOptions(task_minutes=24.0, audio_factor=0.1, max_tasks=most))
    assert sorted(a for chunk in chunks for a in chunk) == [a.asset_id for a in assets(*hours)]
    assert 1 <= len(chunks) <= most


@given(st.lists(st.floats(0.01, 20), min_size=1, max_size=40), st.integers(1, 10))
def test_no_chunk_is_longer_than_a_fair_share_and_one_asset(hours: list[float], most: int):
    options = FanoutOptions(task_minutes=24.0, audio_factor=0.1, max_tasks=most)
    work = {asset.asset_id: options.work_s(asset) for asset in assets(*hours)}
    chunks = plan_chunks(assets(*hours), options)
    fair = sum(work.values()) / len(chunks)
    assert max(sum(work[a] for a in chunk) for chunk in chunks) <= fair + max(work.values()) + 1e-6


def test_chunks_take_about_equally_long():
    assert [sorted(c) for c in plan_chunks(assets(4, 1, 1, 1, 1), HOURS)] == [
        ["a000"],
        ["a001", "a002", "a003", "a004"],
    ]


def test_a_film_weighs_as_much_as_it_takes():
    film = Waiting("film", 3600, "video")
    assert [sorted(c) for c in plan_chunks([film, *assets(1, 1, 1, 1)], HOURS)] == [
        ["film"],
        ["a000", "a001", "a002", "a003"],
    ]


DATED = [
    Waiting("old", 3600, published="2019-03-01T08:00:00Z"),
    Waiting("new", 3600, published="2026-07-01T08:00:00Z"),
    Waiting("undated", 3600),
]


@pytest.mark.parametrize(
    ("max_hours", "listened", "taken"),
    [
        (0.0, {}, ["new", "old", "undated"]),
        (2.0, {}, ["new", "old"]),
        (2.5, {}, ["new", "old"]),
        (0.1, {}, ["new"]),  # one at least, else nothing would ever be taken
        (0.0, {"undated": 7, "old": 2}, ["undated", "old", "new"]),
        (1.0, {"undated": 7, "old": 2}, ["undated"]),
    ],
)
def test_what_goes_first_and_how_much_is_admitted(max_hours: float, listened: dict[str, int], taken: list[str]):
    admission = admit(DATED, max_hours=max_hours, listened=listened)
    assert [asset.asset_id for asset in admission.assets] == taken
    assert admission.left == 3 - len(taken)
    assert admission.left_hours == admission.left


@given(st.lists(st.floats(0.01, 20), max_size=40), st.floats(0.1, 50))
def test_run_after_run_everything_is_admitted_once(hours: list[float], bound: float):
    left, taken = assets(*hours), []
    while left:
        admission = admit(left, max_hours=bound)
        assert media_hours(admission.assets) <= bound + 1e-6 or len(admission.assets) == 1
        taken += admission.assets
        left = [asset for asset in left if asset not in admission.assets]
    assert sorted(taken, key=lambda a: a.asset_id) == assets(*hours)


def test_nothing_to_do_is_one_empty_chunk():
    assert plan_chunks([], FanoutOptions()) == [[]]


@pytest.mark.parametrize(
    ("which", "found"), [("all", ["a000", "a001"]), ("new", ["a001"]), ("a001, a000", ["a001", "a000"])]
)
def test_assets_are_chosen_as_asked(which: str, found: list[str]):
    known = {a.asset_id: a for a in assets(1, 1)}
    picked = chosen(which, known, done={"a000"}, failed={}, refusal=("no asset", "here"))
    assert [a.asset_id for a in picked] == found


def test_what_failed_is_tried_again_after_the_others_but_not_what_kills_tasks():
    known = {a.asset_id: a for a in assets(1, 1, 1)}
    failed = {"a000": "unreadable", "a001": "task-died"}
    picked = chosen("new", known, done=(), failed=failed, refusal=("no asset", "here"))
    assert [a.asset_id for a in picked] == ["a000", "a002"]
    assert [a.asset_id for a in admit(picked, max_hours=1.0).assets] == ["a002"]


def test_unknown_ids_are_named_with_the_way_out():
    with pytest.raises(ConfigError, match=r"^no asset b, c here; list them$"):
        chosen(
            "a000,b,c", {a.asset_id: a for a in assets(1)}, done=(), failed={}, refusal=("no asset", "here; list them")
        )
