"""Judging previews: what a verdict keeps, what it does to what is published, and what may be published instead."""

from __future__ import annotations

from golden_store import made_asset, mark, put, told, words_of

from steps.golden import GoldenOptions, gather_golden
from steps.store import Store


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
