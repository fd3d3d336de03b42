"""Which assets a run works on, and how they are handed out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_tables import EPISODE

from featurization.errors import ConfigError
from featurization.media import Asset
from steps.chunks import FanoutOptions, chosen, plan_chunks


def assets(*hours: float) -> list[Asset]:
    return [replace(EPISODE, asset_id=f"a{n:03}", duration_s=h * 3600) for n, h in enumerate(hours)]


@given(st.lists(st.floats(0.01, 20), max_size=40), st.integers(1, 10))
def test_every_asset_is_in_one_chunk_and_there_are_never_too_many(hours: list[float], most: int):
    chunks = plan_chunks(assets(*hours), FanoutOptions(media_hours=4.0, max_tasks=most))
    assert sorted(a for chunk in chunks for a in chunk) == [a.asset_id for a in assets(*hours)]
    assert 1 <= len(chunks) <= most


def test_chunks_take_about_equally_long():
    assert [sorted(c) for c in plan_chunks(assets(4, 1, 1, 1, 1), FanoutOptions())] == [
        ["a000"],
        ["a001", "a002", "a003", "a004"],
    ]


def test_nothing_to_do_is_one_empty_chunk():
    assert plan_chunks([], FanoutOptions()) == [[]]


@pytest.mark.parametrize(
    ("which", "found"), [("all", ["a000", "a001"]), ("new", ["a001"]), ("a001, a000", ["a001", "a000"])]
)
def test_assets_are_chosen_as_asked(which: str, found: list[str]):
    known = {a.asset_id: a for a in assets(1, 1)}
    picked = chosen(which, known, done={"a000"}, refusal=("no asset", "here"))
    assert [a.asset_id for a in picked] == found


def test_unknown_ids_are_named_with_the_way_out():
    with pytest.raises(ConfigError, match=r"^no asset b, c here; list them$"):
        chosen("a000,b,c", {a.asset_id: a for a in assets(1)}, done=(), refusal=("no asset", "here; list them"))
