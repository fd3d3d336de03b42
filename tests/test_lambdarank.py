"""The trees learn a known order, explain it by its causes, and do not fall into LightGBM's silent traps."""

from dataclasses import replace

import numpy as np
import pytest

from featurization.errors import ModelError
from featurization.media import Segment
from ranking.features import FEATURE_NAMES
from ranking.groups import RankingGroup
from ranking.labels import best_ious, grades
from ranking.lambdarank import LambdaRankOptions, train

WANTED, UNWANTED = FEATURE_NAMES.index("opening_curiosity"), FEATURE_NAMES.index("dangling_start")
OPTIONS = LambdaRankOptions(rounds=60)


def group(number, *, clips=60, labels=None):
    """An episode whose editors like curiosity and dislike a dangling start; everything else is noise."""
    rng = np.random.default_rng(number)
    matrix = rng.normal(size=(clips, len(FEATURE_NAMES)))
    liking = matrix[:, WANTED] - matrix[:, UNWANTED] + 0.3 * rng.normal(size=clips)
    known = np.searchsorted([1.0, 1.7, 2.4, 3.1], liking).astype(np.int64)
    return RankingGroup(f"episode-{number:03}", matrix, known if labels is None else labels)


def sorted_by_grade(episode):
    order = np.argsort(-episode.grades)
    return replace(episode, matrix=episode.matrix[order], grades=episode.grades[order])


def ndcg(values, known, k=10):
    gain = 2.0**known - 1
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = (np.sort(gain)[::-1][:k] * discount).sum()
    return float((gain[np.argsort(-values, kind="stable")][:k] * discount).sum() / best)


@pytest.fixture(scope="module")
def ranker():
    return train([group(k) for k in range(20)], options=OPTIONS)


def test_it_orders_episodes_it_never_saw_far_better_than_chance(ranker):
    held_out = [g for k in range(100, 120) if (g := group(k)).grades.max() > 0]
    rng = np.random.default_rng(0)
    learned = np.mean([ndcg(ranker.score(g.matrix).values, g.grades) for g in held_out])
    chance = np.mean([ndcg(rng.random(len(g.grades)), g.grades) for g in held_out])
    assert len(held_out) > 15
    assert learned > 0.8
    assert learned > chance + 0.4


def test_contributions_add_up_to_the_trees_own_score_and_name_the_cause(ranker):
    matrix = group(200).matrix
    scores = ranker.score(matrix)
    assert scores.contributions.shape == matrix.shape
    assert scores.values == pytest.approx(ranker._booster.predict(matrix))
    strongest = np.argsort(-np.abs(scores.contributions).mean(axis=0))[:2]
    assert set(strongest) == {WANTED, UNWANTED}


def test_validation_stops_before_the_last_round():
    stopped = train(
        [group(k, clips=30) for k in range(4)],
        validation=[group(k) for k in range(50, 55)],
        options=LambdaRankOptions(rounds=200, patience=5),
    )
    assert stopped.options["rounds"] == stopped._booster.num_trees() < 200


def test_ungraded_episodes_change_nothing(ranker):
    empty = group(900, labels=np.zeros(60, dtype=np.int64))
    assert train([*(group(k) for k in range(20)), empty], options=OPTIONS).identity == ranker.identity


def test_nothing_to_learn_from_is_said():
    ungraded = [group(k, labels=np.zeros(60, dtype=np.int64)) for k in range(3)]
    with pytest.raises(ModelError, match="none of 3 training episodes has clips of different grades"):
        train(ungraded, options=OPTIONS)
    with pytest.raises(ModelError, match="none of 3 validation episodes"):
        train([group(1)], validation=ungraded, options=OPTIONS)


def test_a_model_of_single_leaves_is_refused():
    few = group(1, clips=8, labels=np.array([0, 0, 0, 4, 0, 0, 1, 0]))
    with pytest.raises(ModelError, match=r"learned nothing from 1 episodes.*lower min_leaf"):
        train([few], options=OPTIONS)


def test_groups_that_would_mislead_lightgbm_are_refused():
    with pytest.raises(ValueError, match="grades must be integers"):
        group(1, labels=np.zeros(60))
    with pytest.raises(ValueError, match=r"\(60, \d+\) features for 59 grades"):
        group(1, labels=np.zeros(59, dtype=np.int64))


def test_rows_sorted_by_grade_do_not_pass_for_a_perfect_order():
    """A constant score leaves sorted rows in the best order: LightGBM would see NDCG 1 in round one and stop."""
    by_grade = [sorted_by_grade(group(k)) for k in range(24)]
    ranker = train(by_grade[:16], validation=by_grade[16:], options=LambdaRankOptions(rounds=60, patience=10))
    assert ranker.options["rounds"] > 10


def test_more_candidates_than_lightgbm_takes_are_thinned(caplog):
    long = group(1, clips=12_000)
    train([long], options=LambdaRankOptions(rounds=2))
    assert "episode-001: 12000 candidates, trained on 10000 of them" in caplog.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rounds": 0}, "at least 1"),
        ({"leaves": 1}, "at least 2 leaves"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
    ],
)
def test_options_out_of_range_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        LambdaRankOptions(**change)


def test_grades_follow_the_best_overlap():
    golden = [Segment(100.0, 130.0), Segment(300.0, 330.0)]
    clips = [Segment(100.0 + shift, 130.0 + shift) for shift in (0.0, 7.0, 15.0, 24.0, 30.0)]
    assert best_ious(clips, golden) == pytest.approx([1.0, 23 / 37, 15 / 45, 6 / 54, 0.0])
    assert grades([*clips, Segment(301.0, 331.0)], golden).tolist() == [4, 3, 2, 1, 0, 4]
    assert grades(clips, []).tolist() == [0] * 5
    assert grades([], golden).tolist() == []
