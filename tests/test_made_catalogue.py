"""The made catalogue is what learning can be tested on: varied, repeatable, with a taste that can be found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.made_catalogue import MadeEpisode, make_catalogue, stock
from featurization.media import overlap_s
from ranking.features import FEATURES
from ranking.graded import GradedEpisode, teaching
from ranking.lambdarank import LambdaRankOptions, train
from ranking.prior import Prior
from steps.episodes import Episode, read_episodes
from steps.golden import GoldenOptions, gather_golden
from steps.grading import grade_episode
from steps.judging import judge, judge_ranker, pooled
from steps.settings import Settings
from steps.store import Store

EPISODES, SHOWS, TAUGHT_SHOWS = 54, 18, 12
OPTIONS = LambdaRankOptions(rounds=40)
NEVER = {"outro", "starts_on_shot", "ends_on_shot"}  # gated away with the episode's end, or of films


def graded(catalogue: tuple[MadeEpisode, ...]) -> list[GradedEpisode]:
    settings = Settings()
    return [grade_episode(made.episode, made.golden, length_s=30.0, settings=settings) for made in catalogue]


@pytest.fixture(scope="module")
def catalogue() -> tuple[MadeEpisode, ...]:
    return make_catalogue(EPISODES, shows=SHOWS)


@pytest.fixture(scope="module")
def episodes(catalogue: tuple[MadeEpisode, ...]) -> list[GradedEpisode]:
    return graded(catalogue)


def figures(scored: list[tuple[GradedEpisode, np.ndarray]]) -> float:
    return pooled(judge(episode, scores) for episode, scores in scored).figures()["nDCG@5"]


def everywhere(episode: GradedEpisode, values: np.ndarray) -> np.ndarray:
    """Scores of all clips from those of the clips that passed."""
    scores = np.full(len(episode.start), -np.inf)
    scores[episode.passed] = values
    return scores


def test_episodes_have_the_wanted_number_of_candidates_and_most_of_them_pass(episodes) -> None:
    counts = [len(episode.start) for episode in episodes]
    assert 285 < np.mean(counts) < 315
    assert 200 < np.mean([episode.passed.sum() for episode in episodes]) < np.mean(counts) - 20


def test_every_feature_of_sound_varies(episodes) -> None:
    passed = np.concatenate([episode.matrix[episode.passed] for episode in episodes])
    constant = {feature.name for feature, column in zip(FEATURES, passed.T, strict=True) if np.ptp(column) == 0}
    assert constant == {feature.name for feature in FEATURES if feature.group == "picture"} | (constant & NEVER)
    within = np.mean([np.ptp(e.matrix[e.passed], axis=0) > 0 for e in episodes], axis=0)
    assert (within > 0.9).sum() >= 25


def test_golden_clips_lie_inside_their_episodes_and_outside_ads(catalogue) -> None:
    assert all(len(made.golden) == 2 for made in catalogue)
    for made in catalogue:
        for golden in made.golden:
            assert golden.end <= made.episode.asset.duration_s
            assert 19 < golden.duration < 41
            assert overlap_s(golden, made.episode.hearing.ads) < 0.5
            assert golden.asset_id == made.episode.asset.asset_id
    assert len({made.episode.asset.asset_id for made in catalogue}) == EPISODES
    assert len({made.episode.asset.feed for made in catalogue}) == SHOWS


def test_a_smaller_catalogue_is_the_beginning_of_a_larger_one(catalogue) -> None:
    for made, again in zip(catalogue, make_catalogue(3, shows=SHOWS), strict=False):
        assert again.golden == made.golden
        same(again.episode, made.episode)
    assert make_catalogue(1, seed=8)[0].golden != catalogue[0].golden


def same(one: Episode, other: Episode) -> None:
    assert (one.asset, one.hearing, one.shots) == (other.asset, other.hearing, other.shots)
    assert np.array_equal(one.levels, other.levels)
    assert np.array_equal(one.vectors, other.vectors)
    assert one.pictures.size == other.pictures.size == 0


def test_the_prior_knows_something_of_the_taste_and_not_all(catalogue, episodes) -> None:
    chance = figures([(e, e.baselines["random"]) for e in episodes])
    prior = figures([(e, everywhere(e, Prior().score(e.matrix[e.passed]).values)) for e in episodes])
    tastes = [
        (e, everywhere(e, made.taste.score(e.matrix[e.passed]))) for made, e in zip(catalogue, episodes, strict=True)
    ]
    assert chance + 0.08 < prior < figures(tastes) - 0.2


def taught(episodes: list[GradedEpisode]) -> tuple[list[GradedEpisode], list[GradedEpisode]]:
    """Episodes to learn from and episodes of other shows."""
    shows = sorted({episode.show for episode in episodes})[:TAUGHT_SHOWS]
    return [e for e in episodes if e.show in shows], [e for e in episodes if e.show not in shows]


def test_learning_finds_the_taste_in_shows_it_never_saw(episodes) -> None:
    known, held_out = taught(episodes)
    learned = judge_ranker(train(teaching(known), options=OPTIONS), held_out)
    prior = judge_ranker(Prior(), held_out)
    assert pooled(learned).figures()["nDCG@5"] > pooled(prior).figures()["nDCG@5"] + 0.1


def test_in_shuffled_labels_there_is_nothing_to_find(catalogue) -> None:
    shuffled = make_catalogue(EPISODES, shows=SHOWS, shuffled=True)
    assert shuffled[0].episode.hearing == catalogue[0].episode.hearing
    known, held_out = taught(graded(shuffled))
    learned = pooled(judge_ranker(train(teaching(known), options=OPTIONS), held_out)).figures()["nDCG@5"]
    chance = figures([(e, e.baselines["random"]) for e in held_out])
    assert abs(learned - chance) < 0.1


def test_a_stocked_store_gives_the_same_episodes_and_golden_clips_back(catalogue, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    some = catalogue[:3]
    stock(store, some)
    read = read_episodes([made.episode.asset.asset_id for made in some], store=store)
    for made, episode in zip(some, read, strict=True):
        same(made.episode, episode)
    gathered = gather_golden(store=store, options=GoldenOptions())
    assert gathered.refused == ()
    for made in some:
        assert set(gathered.clips[made.episode.asset.asset_id]) == set(made.golden)
