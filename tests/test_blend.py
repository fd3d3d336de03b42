"""A blend is exactly what it says, and what was learned has to earn its weight."""

import numpy as np
import pytest
from taste import accidental, episode, plain

from eval.ranking_metrics import ndcg
from ranking.blend import GRID, BlendedRanker, choose_weight
from ranking.folds import show_folds
from ranking.linear import LinearOptions, LinearRanker, train
from ranking.prior import Prior
from ranking.ranker import Scores

MATRIX = episode(1, taste=plain).matrix
PRIOR, OTHER = Prior(), LinearRanker(tuple(np.linspace(-1, 1, MATRIX.shape[1]).tolist()))


class Flat:
    """A ranker that likes everything equally."""

    name, identity = "flat", "flat@0"

    def score(self, matrix):
        return Scores(np.zeros_like(matrix), base=3.0)


def metric(scores, grades):
    return ndcg(scores, grades, 5)


def standard(values):
    return (values - values.mean()) / values.std()


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_blend_is_the_weighted_mean_of_standardised_scores(weight):
    ours, theirs = (standard(ranker.score(MATRIX).values) for ranker in (OTHER, PRIOR))
    blend = BlendedRanker(OTHER, PRIOR, weight)
    assert blend.score(MATRIX).values == pytest.approx(weight * ours + (1 - weight) * theirs)


def test_contributions_of_a_blend_are_those_of_both():
    parts = BlendedRanker(OTHER, PRIOR, 0.5).score(MATRIX).contributions
    ours, theirs = OTHER.score(MATRIX), PRIOR.score(MATRIX)
    halves = ours.contributions / ours.values.std() + theirs.contributions / theirs.values.std()
    assert parts == pytest.approx(halves / 2)


def test_a_ranker_that_says_nothing_changes_no_order():
    scores = BlendedRanker(Flat(), PRIOR, 0.9).score(MATRIX).values
    assert np.argsort(scores).tolist() == np.argsort(PRIOR.score(MATRIX).values).tolist()


def test_without_a_say_of_the_other_a_blend_orders_as_one_ranker():
    for weight, alone in ((0.0, PRIOR), (1.0, OTHER)):
        scores = BlendedRanker(OTHER, PRIOR, weight).score(MATRIX).values
        assert np.argsort(scores).tolist() == np.argsort(alone.score(MATRIX).values).tolist()
    assert BlendedRanker(OTHER, PRIOR, 0.4).identity != BlendedRanker(OTHER, PRIOR, 0.5).identity


def test_a_weight_is_a_share():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.1"):
        BlendedRanker(OTHER, PRIOR, 1.1)


def test_the_weight_is_one_if_the_prior_is_noise_and_zero_if_the_learned_is():
    groups = [episode(number, taste=plain) for number in range(30)]
    right = [plain(group.matrix) for group in groups]
    noise = [np.random.default_rng(number).normal(size=40) for number in range(30)]
    grades, shows = [group.grades for group in groups], [group.show for group in groups]
    chosen = choose_weight(right, noise, grades, metric, shows=shows)
    assert chosen.weight >= 0.8
    assert chosen.gain > 0.5
    assert dict(chosen.curve)[1.0] == pytest.approx(1)
    assert choose_weight(noise, right, grades, metric, shows=shows).weight == 0


def test_ties_go_to_the_prior():
    groups = [episode(number, taste=plain) for number in range(10)]
    scores = [plain(group.matrix) for group in groups]
    chosen = choose_weight(scores, scores, [group.grades for group in groups], metric)
    assert (chosen.weight, chosen.gain) == (0.0, 0.0)


def test_one_episode_or_none_proves_nothing():
    group = episode(1, taste=plain)
    right, wrong = [plain(group.matrix)], [-plain(group.matrix)]
    assert choose_weight(right, wrong, [group.grades], metric).weight == 0
    assert choose_weight(right, wrong, [np.zeros(40, dtype=np.int64)], metric).curve == ()
    assert choose_weight([], [], [], metric).weight == 0


def test_many_episodes_of_two_shows_prove_less_than_those_of_many():
    """One show gains a lot and the other nothing: by episodes that looks sure, by shows it is one against one."""
    groups = [episode(number, taste=plain, shows=2) for number in range(40)]
    prior = [-plain(group.matrix) for group in groups]
    learned = [plain(g.matrix) if g.show == "show-0" else -plain(g.matrix) for g in groups]
    grades = [group.grades for group in groups]
    assert choose_weight(learned, prior, grades, metric, shows=[group.show for group in groups]).weight == 0
    assert choose_weight(learned, prior, grades, metric).weight > 0


def test_what_is_learned_from_shuffled_labels_gets_no_weight():
    """Eight sets of accidental labels, each with its out-of-fold scores; by design one in forty may get a weight."""
    given = [weight_of([episode(n, taste=accidental, seed=seed) for n in range(20)]) for seed in range(8)]
    assert sum(weight > 0 for weight in given) <= 1
    assert weight_of([episode(number, taste=plain) for number in range(20)]) in GRID[5:]


def weight_of(groups):
    shows = [group.show for group in groups]
    folds = show_folds(shows, 4, 7)
    learned = [np.zeros(0)] * len(groups)
    for fold in range(4):
        ranker = train(
            [g for g, own in zip(groups, folds, strict=True) if own != fold], options=LinearOptions(rounds=1)
        )
        for place in np.flatnonzero(folds == fold):
            learned[place] = ranker.score(groups[place].matrix).values
    prior = [PRIOR.score(group.matrix).values for group in groups]
    return choose_weight(learned, prior, [group.grades for group in groups], metric, shows=shows).weight
