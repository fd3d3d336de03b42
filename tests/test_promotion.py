"""Which episodes judge, when a ranker is replaced, and where rankers are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_episodes import judgement
from test_grading import by_hand

from featurization.errors import ModelError
from ranking.features import FEATURES_VERSION
from ranking.linear import LinearRanker
from ranking.prior import Prior
from ranking.saved import to_json
from steps.judging import CHALLENGER, CHAMPION, Judgement
from steps.promotion import decide
from steps.rankers import (
    CHAMPION as IN_USE,
)
from steps.rankers import Lineage, current_ranker, keep_ranker, kept_ranker, known_rankers, lineage_of, promote, retire
from steps.settings import Settings
from steps.slices import slices
from steps.splitting import split
from steps.store import Store
from steps.training import Fitted

SETTINGS = Settings()
FITTED = Fitted("", "linear@new", "linear", 1.0, None, episodes=40, shows=("T",))
RANKER = LinearRanker(tuple(float(w) for w in Prior().weights))


def of_shows(iou: float, shows: int, *, wobble: float = 0.0) -> list[Judgement]:
    """One episode of each show."""
    return [
        replace(judgement(0, iou + wobble * (n % 2)), asset_id=f"{n:016}", show=f"show {n}", traits={"show": f"{n}"})
        for n in range(shows)
    ]


def verdict(ours: list[Judgement], theirs: list[Judgement], fitted: Fitted = FITTED, taught: tuple[str, ...] = ()):
    return decide({CHALLENGER: ours, CHAMPION: theirs}, fitted, "prior@old", taught=taught, settings=SETTINGS)


def test_a_surely_better_ranker_is_promoted():
    found = verdict(of_shows(0.6, 8), of_shows(0.4, 8))
    assert found.promoted
    assert found.reason == "nDCG@5 +0.200 (+0.200 to +0.200) on 8 held-out shows"


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (of_shows(0.4, 8), of_shows(0.6, 8), "the interval must lie above zero"),
        (of_shows(0.45, 8, wobble=-0.1), of_shows(0.4, 8), "the interval must lie above zero"),
        (of_shows(0.6, 4), of_shows(0.4, 4), "on 4 held-out shows; 5 are needed to tell"),
        ([], [], "no held-out show is new to both rankers"),
    ],
)
def test_what_is_not_surely_better_is_kept_out(ours: list[Judgement], theirs: list[Judgement], why: str):
    found = verdict(ours, theirs)
    assert found.decision == "kept"
    assert why in found.reason


def test_shows_that_taught_the_champion_do_not_judge_it():
    ours, theirs = of_shows(0.6, 8), of_shows(0.4, 8)
    found = verdict(ours, theirs, taught=tuple(f"show {n}" for n in range(4)))
    assert "on 4 held-out shows; 5 are needed" in found.reason


def test_a_ranker_without_a_say_or_without_news_is_not_promoted():
    silent = verdict(of_shows(0.6, 8), of_shows(0.4, 8), replace(FITTED, weight=0.0))
    assert "does not help the documented prior yet" in silent.reason
    same = verdict(of_shows(0.6, 8), of_shows(0.4, 8), replace(FITTED, identity="prior@old"))
    assert "in use already" in same.reason


@given(counts=st.lists(st.integers(1, 4), min_size=2, max_size=25), seed=st.integers(0, 99))
def test_no_show_teaches_and_judges(counts: list[int], seed: int):
    episodes = [
        by_hand(name=f"{show:02}{n}", show=f"show {show}") for show, count in enumerate(counts) for n in range(count)
    ]
    found = split(episodes, share=0.25, at_least=5, seed=seed)
    teaching, judging = found.training(episodes), found.judging(episodes)
    assert len(teaching) + len(judging) == len(episodes)
    assert not {e.show for e in teaching} & {e.show for e in judging}
    assert found.by == "show"
    assert len(found.shows) >= min(5, len(counts) // 2)
    assert teaching


def test_a_show_stays_on_its_side_when_many_others_join():
    few = [by_hand(name=f"{n:02}", show=f"show {n}") for n in range(40)]
    many = [*few, *(by_hand(name=f"{n:02}", show=f"show {n}") for n in range(40, 80))]
    before, after = (split(e, share=0.25, at_least=5, seed=7) for e in (few, many))
    assert set(before.shows) <= set(after.shows)


def test_two_shows_of_one_name_are_two_and_one_show_is_split_by_episode():
    one = [by_hand(name=f"{n}", show="https://a.example/feed.xml") for n in range(4)]
    found = split(one, share=0.25, at_least=5, seed=7)
    assert found.by == "episode"
    assert len(found.held_out) == 2
    assert set(found.train) | set(found.held_out) == {episode.asset_id for episode in one}


@pytest.mark.parametrize("golden", [[], [by_hand()], [by_hand(), by_hand(golden=((60.0, 90.0, 1),), name="2")]])
def test_too_little_to_learn_from_is_said(golden: list):
    with pytest.raises(ModelError, match="a ranker needs two: one to learn from and one to be judged by"):
        split(golden, share=0.25, at_least=5, seed=7)


def test_what_listeners_liked_teaches_but_does_not_judge():
    streamed = by_hand(golden=((60.0, 90.0, 2),), name="9", show="show 9")
    found = split([by_hand(name="1", show="a"), by_hand(name="2", show="b"), streamed], share=0.5, at_least=1, seed=7)
    assert streamed.asset_id in found.train
    assert streamed.asset_id not in found.held_out


# slices -------------------------------------------------------------------------------------------------------------


def test_a_slice_that_got_worse_everywhere_is_flagged_and_chance_is_not():
    def night(iou: float) -> list[Judgement]:
        return [replace(j, traits={"language": "en"}) for j in of_shows(iou, 8, wobble=0.01)]

    (worse,) = slices(night(0.4), night(0.6))
    assert worse.dropped
    assert worse.since is not None
    assert worse.since.mean == pytest.approx(-0.2)
    (same,) = slices(night(0.6), night(0.6))
    assert not same.dropped
    (fresh,) = slices(night(0.4))
    assert fresh.since is None
    (few,) = slices(night(0.4)[:2], night(0.6)[:2])
    assert not few.dropped


# rankers ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(str(tmp_path / "store"))


def lineage(identity: str) -> Lineage:
    return Lineage(identity, "TrainRanker/1", "rushes 0", "d" * 32, 40, ("a", "b"), "kept x: y", {"IoU": 0.5})


def test_a_ranker_is_kept_promoted_and_retired(store: Store):
    assert current_ranker(store, SETTINGS).identity == Prior().identity
    keep_ranker(RANKER, lineage(RANKER.identity), store=store)
    assert current_ranker(store, SETTINGS).identity == Prior().identity
    assert lineage_of(RANKER.identity, store=store) == lineage(RANKER.identity)
    assert known_rankers(store) == [lineage(RANKER.identity)]
    promote(RANKER.identity.partition("@")[2][:6], store=store)
    assert current_ranker(store, SETTINGS) == RANKER
    retire(store=store)
    assert current_ranker(store, SETTINGS).identity == Prior().identity


def test_a_ranker_that_is_not_there_is_named(store: Store):
    with pytest.raises(ModelError, match=r"0 trained rankers are called 'linear@x'; known: none yet"):
        kept_ranker("linear@x", store)


def test_a_ranker_of_another_version_refuses_to_load(store: Store):
    other = to_json(RANKER).replace(f'"features_version": {FEATURES_VERSION}', '"features_version": 1')
    store.files.write(IN_USE, other.encode())
    with pytest.raises(ModelError, match="version 1"):
        current_ranker(store, SETTINGS)
