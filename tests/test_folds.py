"""Splits keep shows whole, stay balanced, and do not move when the catalogue grows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.folds import held_out, show_folds

SHOWS = st.lists(st.sampled_from([f"show-{number}" for number in range(12)]), min_size=1, max_size=60)


@given(SHOWS, st.integers(2, 6), st.integers(0, 5))
def test_no_show_is_in_two_folds_and_no_fold_is_empty(shows, k, seed):
    folds = show_folds(shows, k, seed)
    if len(set(shows)) > 1:
        assert len({(show, fold) for show, fold in zip(shows, folds, strict=True)}) == len(set(shows))
        assert set(folds) == set(range(min(k, len(set(shows)))))


@given(SHOWS, st.integers(2, 6))
def test_folds_do_not_depend_on_the_order_of_episodes(shows, k):
    if len(set(shows)) > 1:
        assert show_folds(shows[::-1], k, 3).tolist() == show_folds(shows, k, 3)[::-1].tolist()


def test_folds_hold_about_as_many_episodes_each():
    shows = [*["daily"] * 40, *["weekly"] * 20, *["monthly"] * 15, *["once"] * 5]
    assert sorted(np.bincount(show_folds(shows, 2, 7))) == [40, 40]


def test_a_single_show_is_split_by_episode():
    assert np.bincount(show_folds(["only"] * 10, 3, 7)).tolist() == [4, 3, 3]


def test_one_fold_is_no_split():
    with pytest.raises(ValueError, match="at least 2 folds, got 1"):
        show_folds(["a", "b"], 1, 7)


@given(SHOWS, st.floats(0, 1), st.integers(0, 5))
def test_something_is_held_out_and_something_is_left(shows, share, seed):
    kept = held_out(shows, share, seed)
    by_show = {show: set(kept[[other == show for other in shows]].tolist()) for show in shows}
    assert all(len(sides) == 1 for sides in by_show.values())
    assert kept.any() == (not kept.all()) == (len(by_show) > 1) or len(by_show) == 1
    if len(by_show) == 1:
        assert not kept.any()


def test_a_show_stays_on_its_side_when_others_come():
    before = [f"show-{number}" for number in range(100)]
    grown = [*(f"new-{number}" for number in range(400)), *before]
    assert held_out(grown, 0.2, 7)[400:].tolist() == held_out(before, 0.2, 7).tolist()
    assert 0.15 < held_out(grown, 0.2, 7).mean() < 0.25


def test_another_seed_is_another_split():
    shows = [f"show-{number}" for number in range(50)]
    assert held_out(shows, 0.5, 1).tolist() != held_out(shows, 0.5, 2).tolist()
    assert show_folds(shows, 4, 1).tolist() != show_folds(shows, 4, 2).tolist()
