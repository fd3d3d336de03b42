"""The search: never worse than not searching, judged on shows it did not learn from, the same every time."""

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from taste import episode, plain

from eval.ranking_metrics import ndcg
from featurization.errors import ModelError
from ranking.kinds import KINDS, Kind
from ranking.lambdarank import LambdaRankOptions
from ranking.linear import LinearOptions
from ranking.neural import NeuralOptions
from ranking.ranker import Scores
from ranking.tune import TuneOptions, tune

EPISODES = tuple(episode(number, taste=plain, clips=25) for number in range(20))
START = {
    "lambdarank": LambdaRankOptions(rounds=15),
    "linear": LinearOptions(rounds=2),
    "neural": NeuralOptions(rounds=3, width=8),
}


def metric(scores, grades):
    return ndcg(scores, grades, 5)


@dataclass(frozen=True)
class ToyOptions:
    tilt: float = 1.0
    rounds: int = 9


@dataclass(frozen=True)
class Tilted:
    """A ranker that remembers which shows taught it, and is as good as its option says."""

    tilt: float
    options: dict
    shows: frozenset
    name: str = "toy"
    identity: str = "toy@0"

    def score(self, matrix):
        return Scores(np.column_stack([self.tilt * plain(matrix)]))


SEEN = []


def train_toy(groups, *, validation=(), options=None):
    if options.tilt < -2:
        raise ModelError("too tilted to learn")
    sides = [frozenset(group.show for group in part) for part in (groups, validation)]
    SEEN.append((sides, [len(groups), len(validation)]))
    return Tilted(options.tilt, {"rounds": len(groups)}, sides[0])


TOY = Kind(
    "toy", train_toy, lambda trial, options: replace(options, tilt=trial.suggest_float("tilt", -4, 1)), ToyOptions
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_searched_repeatably_and_survives_pickling(kind):
    options = TuneOptions(trials=3, folds=2)
    found = tune(KINDS[kind], EPISODES, metric=metric, options=options, start=START[kind])
    again = tune(KINDS[kind], EPISODES[::-1], metric=metric, options=options, start=START[kind])
    assert found.kind == kind
    assert isinstance(found.options, KINDS[kind].options_type)
    assert 1 <= found.options.rounds <= START[kind].rounds
    assert pickle.dumps(again) == pickle.dumps(found)


def test_the_given_options_are_the_first_trial_and_the_best_one_wins():
    found = tune(TOY, EPISODES, metric=metric, options=TuneOptions(trials=8, folds=3))
    assert found.trials[0].options == {"tilt": 1.0, "rounds": 9}
    assert found.trials[0].score == pytest.approx(1)
    assert found.score == max(trial.score for trial in found.trials) == found.trials[0].score
    assert found.options.tilt == 1.0


def test_options_that_cannot_learn_are_passed_over():
    found = tune(TOY, EPISODES, metric=metric, options=TuneOptions(trials=30, folds=2))
    assert len(found.trials) < 30
    assert all(trial.options["tilt"] >= -2 for trial in found.trials)


def test_no_show_is_learned_from_and_judged_nor_stopped_by_and_learned_from():
    SEEN.clear()
    many = [episode(number, taste=plain, clips=25, shows=20) for number in range(80)]
    found = tune(TOY, many, metric=metric, options=TuneOptions(trials=1, folds=4))
    assert [sizes for _, sizes in SEEN] == [[48, 12]] * 4
    for (trained, stopping), _ in SEEN:
        assert not trained & stopping
        assert len(trained | stopping) == 15
    assert sorted(found.out_of_fold) == [group.asset_id for group in many]
    assert found.options.rounds == 48


def test_a_few_episodes_teach_instead_of_saying_when_to_stop():
    SEEN.clear()
    tune(TOY, EPISODES, metric=metric, options=TuneOptions(trials=1, folds=4))
    assert [held for _, (_, held) in SEEN] == [0] * 4
    assert sum(len(EPISODES) - learned for _, (learned, _) in SEEN) == len(EPISODES)


def test_a_trial_that_is_worse_on_half_of_the_folds_is_given_up():
    found = tune(TOY, EPISODES, metric=metric, options=TuneOptions(trials=12, folds=4))
    first, *others = found.trials
    assert first.folds == 4
    assert {trial.folds for trial in others} == {2, 4}
    assert all((trial.folds == 2) == (trial.score < first.score) for trial in others)


def test_a_kind_is_not_searched_longer_than_it_needs():
    found = tune(replace(TOY, trials=3), EPISODES, metric=metric, options=TuneOptions(trials=12, folds=2))
    assert len(found.trials) <= 3


def test_what_cannot_be_searched_is_said():
    with pytest.raises(ModelError, match="one episode with golden clips is too few"):
        tune(TOY, EPISODES[:1], metric=metric)
    with pytest.raises(ModelError, match="none of 0 training episodes"):
        tune(TOY, [], metric=metric)
    with pytest.raises(ModelError, match="too tilted"):
        tune(TOY, EPISODES, metric=metric, start=ToyOptions(tilt=-3))
    with pytest.raises(ValueError, match="at least 1 trial and 2 folds"):
        TuneOptions(folds=1)


def test_two_episodes_of_one_show_can_be_searched():
    pair = [replace(group, show="only") for group in EPISODES[:2]]
    assert set(tune(TOY, pair, metric=metric, options=TuneOptions(trials=1)).out_of_fold) == {
        group.asset_id for group in pair
    }
