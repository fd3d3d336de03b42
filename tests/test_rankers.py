"""Every kind of ranker: it learns, explains, repeats itself, is stored and comes back, and refuses what it must."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from taste import DISLIKED, LIKED, entangled, episode, plain

from eval.ranking_metrics import ndcg
from featurization.errors import ModelError
from ranking.ablation import FEATURE_GROUPS, blinded
from ranking.blend import BlendedRanker
from ranking.features import FEATURE_NAMES, FEATURES, FEATURES_VERSION
from ranking.groups import MOST_CLIPS, thinned
from ranking.importance import by_group, summarise
from ranking.kinds import KINDS
from ranking.lambdarank import LambdaRankOptions
from ranking.linear import LinearOptions
from ranking.neural import NeuralOptions
from ranking.prior import Prior, PriorOptions, standardise
from ranking.saved import from_json, load, save, to_json

OPTIONS = {
    "lambdarank": LambdaRankOptions(rounds=40),
    "linear": LinearOptions(rounds=2),
    "neural": NeuralOptions(rounds=15, width=12, learning_rate=0.01),
}
EPISODES = tuple(episode(number, taste=plain) for number in range(24))
UNSEEN = tuple(episode(number, taste=plain, seed=1) for number in range(20))
RANKERS = (*KINDS, "prior", "blend")


def train(kind, groups, **validation):
    return KINDS[kind].train(groups, options=OPTIONS[kind], **validation)


@pytest.fixture(scope="module")
def rankers():
    learned = {kind: train(kind, EPISODES) for kind in KINDS}
    prior = Prior(PriorOptions({"numbers": -0.7}))
    return learned | {"prior": prior, "blend": BlendedRanker(learned["linear"], prior, 0.3)}


def quality(ranker, groups):
    return np.mean([ndcg(ranker.score(group.matrix).values, group.grades, 5) for group in groups])


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_a_taste_that_is_not_the_priors(rankers, kind):
    assert quality(rankers[kind], UNSEEN) > quality(Prior(), UNSEEN) + 0.3


@pytest.mark.parametrize("kind", RANKERS)
def test_contributions_and_base_add_up_and_are_about_the_features(rankers, kind):
    matrix = UNSEEN[0].matrix
    scores = rankers[kind].score(matrix)
    assert scores.contributions.shape == matrix.shape
    assert np.isfinite(scores.values).all()
    assert len(np.unique(scores.values)) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_the_strongest_contributions_are_the_causes(rankers, kind):
    strongest = summarise(rankers[kind], UNSEEN)[:2]
    assert {effect.feature for effect in strongest} == {FEATURE_NAMES[LIKED], FEATURE_NAMES[DISLIKED]}
    assert {effect.feature: np.sign(effect.direction) for effect in strongest} == {
        FEATURE_NAMES[LIKED]: 1,
        FEATURE_NAMES[DISLIKED]: -1,
    }


@pytest.mark.parametrize("kind", RANKERS)
def test_no_clips_and_one_clip_have_scores(rankers, kind):
    assert rankers[kind].score(np.zeros((0, len(FEATURE_NAMES)))).values.shape == (0,)
    assert np.isfinite(rankers[kind].score(UNSEEN[0].matrix[:1]).values).all()


@pytest.mark.parametrize("kind", RANKERS)
def test_a_saved_ranker_comes_back_and_scores_alike(rankers, kind, tmp_path):
    ranker = rankers[kind]
    save(ranker, tmp_path / "ranker.json")
    back = load(tmp_path / "ranker.json")
    assert back.identity == ranker.identity
    assert back.score(UNSEEN[0].matrix).values.tolist() == ranker.score(UNSEEN[0].matrix).values.tolist()
    assert to_json(back) == to_json(ranker)


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_gives_one_file_whatever_the_order_of_episodes(rankers, kind):
    assert to_json(train(kind, EPISODES[::-1])) == to_json(rankers[kind])
    assert train(kind, EPISODES[:-1]).identity != rankers[kind].identity


@pytest.mark.parametrize("kind", KINDS)
def test_episodes_that_teach_nothing_change_nothing(rankers, kind):
    empty = replace(UNSEEN[0], asset_id="empty", grades=np.zeros(40, dtype=np.int64))
    assert train(kind, [*EPISODES, empty]).identity == rankers[kind].identity


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_editors_who_disagree_the_trusted_one_is_followed(kind):
    agreeing = [replace(group, weight=4.0) for group in EPISODES]
    contrary = [
        replace(episode(number, taste=lambda matrix: -plain(matrix)), asset_id=f"again-{number}")
        for number in range(len(EPISODES))
    ]
    assert quality(train(kind, [*agreeing, *contrary]), UNSEEN) > quality(Prior(), UNSEEN) + 0.2


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.stops])
def test_the_best_round_is_kept_and_told(kind):
    stopped = train(kind, EPISODES[:4], validation=UNSEEN[:5])
    rounds = stopped.options["rounds"]
    assert 1 <= rounds <= OPTIONS[kind].rounds
    again = KINDS[kind].train(EPISODES[:4], options=replace(OPTIONS[kind], rounds=rounds))
    assert again.score(UNSEEN[0].matrix).values.tolist() == stopped.score(UNSEEN[0].matrix).values.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_feature_that_is_no_number_is_refused_by_name(kind, value):
    spoilt = EPISODES[3].matrix.copy()
    spoilt[7, LIKED] = value
    with pytest.raises(ModelError, match="episode-0003: numbers is not a number"):
        train(kind, [*EPISODES[:3], replace(EPISODES[3], matrix=spoilt)])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_learn_from_is_said(kind):
    ungraded = [replace(group, grades=np.zeros(40, dtype=np.int64)) for group in EPISODES[:3]]
    single = [replace(group, matrix=group.matrix[:1], grades=group.grades[:1]) for group in EPISODES[:3]]
    for groups in (ungraded, single, []):
        with pytest.raises(ModelError, match=f"none of {len(groups)} training episodes has clips of different grades"):
            train(kind, groups)
    if KINDS[kind].stops:
        with pytest.raises(ModelError, match="none of 3 validation episodes"):
            train(kind, EPISODES[:3], validation=ungraded)


@pytest.mark.parametrize("kind", KINDS)
def test_candidates_that_are_all_alike_are_refused(kind):
    alike = [replace(group, matrix=np.ones_like(group.matrix)) for group in EPISODES[:10]]
    with pytest.raises(ModelError, match="learned nothing from 10 episodes"):
        train(kind, alike)


@pytest.mark.parametrize("kind", KINDS)
def test_clips_that_are_there_twice_are_scored_alike(kind):
    doubled = [
        replace(group, matrix=np.repeat(group.matrix, 2, axis=0), grades=np.repeat(group.grades, 2))
        for group in EPISODES[:20]
    ]
    scores = train(kind, doubled).score(doubled[0].matrix).values
    assert scores[::2].tolist() == scores[1::2].tolist()


@pytest.mark.parametrize("kind", ["lambdarank", "neural"])
def test_what_no_weighted_sum_can_say_is_learned_by_trees_and_network(kind):
    groups = [episode(number, taste=entangled, clips=60) for number in range(80)]
    unseen = [episode(number, taste=entangled, clips=60, seed=1) for number in range(20)]
    options = {"lambdarank": LambdaRankOptions(rounds=60), "neural": NeuralOptions(learning_rate=0.02, rounds=15)}
    linear = KINDS["linear"].train(groups)
    assert quality(KINDS[kind].train(groups, options=options[kind]), unseen) > quality(linear, unseen) + 0.2


def test_integrated_gradients_miss_next_to_nothing(rankers):
    ranker, clips = rankers["neural"], standardise(UNSEEN[0].matrix)
    added = ranker._network(clips) - ranker._network(np.zeros_like(clips))
    assert ranker._integrated(clips).sum(axis=1) == pytest.approx(added, abs=1e-6)
    assert ranker.score(UNSEEN[0].matrix).values == pytest.approx(ranker.values(UNSEEN[0].matrix), abs=1e-9)


def test_the_linear_ranker_stays_near_the_prior_when_there_is_little_to_learn_from():
    prior = Prior().weights
    away = [np.linalg.norm(np.array(KINDS["linear"].train(EPISODES[:count]).weights) - prior) for count in (1, 5, 20)]
    assert away == sorted(away)


def test_thinning_keeps_every_graded_clip_and_evenly_of_the_rest():
    group = replace(
        EPISODES[0],
        matrix=np.arange(200_000.0)[:, None] * np.ones(len(FEATURE_NAMES)),
        grades=np.where(np.arange(200_000) % 1000 == 0, 3, 0),
    )
    kept = thinned(group)
    assert len(kept.grades) == MOST_CLIPS
    assert (kept.grades == 3).sum() == 200
    assert np.diff(kept.matrix[kept.grades == 0][:, 0]).max() < 23


def test_thinning_leaves_something_of_every_grade():
    many = replace(
        EPISODES[0], matrix=np.zeros((30, len(FEATURE_NAMES))), grades=np.repeat([0, 2, 4], 10).astype(np.int64)
    )
    assert np.bincount(thinned(many, 10).grades).tolist() == [1, 0, 1, 0, 8]


def test_hidden_features_do_not_count(rankers):
    hidden = blinded(EPISODES, "words")
    ranker = train("linear", hidden)
    assert by_group(summarise(ranker, hidden))["words"] == 0
    assert quality(ranker, blinded(UNSEEN, "words")) < quality(rankers["linear"], UNSEEN) - 0.3
    assert {feature.group for feature in FEATURES} == set(FEATURE_GROUPS)
    with pytest.raises(ValueError, match="'smell'; known: words, sound"):
        blinded(EPISODES, "smell")


def test_shares_of_a_summary_add_up(rankers):
    effects = summarise(rankers["lambdarank"], UNSEEN)
    assert len(effects) == len(FEATURE_NAMES)
    assert sum(effect.share for effect in effects) == pytest.approx(1)
    assert sum(by_group(effects).values()) == pytest.approx(1)
    assert next(iter(by_group(effects))) == "words"


@pytest.mark.parametrize("kind", RANKERS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": [*FEATURE_NAMES[:-1], "laughter"]}, rf"gone: laughter; new: {FEATURE_NAMES[-1]}"),
        ({"features": FEATURE_NAMES[::-1]}, f"version {FEATURES_VERSION} or their order"),
        ({"features_version": 0}, f"version 0 or their order, now version {FEATURES_VERSION}.*train it again"),
        ({"kind": "oracle"}, "no ranker is of the kind 'oracle'; known: lambdarank, linear"),
        ({"kind": None}, "no ranker is of the kind 'None'"),
        ({"model": "tree"}, "sha256 differs"),
        ({"model": None}, "sha256 differs"),
        ({"options": 3}, "not a saved ranker"),
    ],
)
def test_a_document_that_does_not_fit_refuses_to_load(rankers, tmp_path, kind, change, said):
    path = tmp_path / "ranker.json"
    path.write_text(json.dumps(json.loads(to_json(rankers[kind])) | change))
    with pytest.raises(ModelError, match=rf"ranker.json: .*{said}"):
        load(path)


def test_a_ranker_inside_a_blend_is_checked_too(rankers):
    document = json.loads(to_json(rankers["blend"]))
    document["model"]["learned"]["features_version"] = 0
    from ranking.digest import digest

    document["sha256"] = digest(document["model"])
    with pytest.raises(ModelError, match="version 0"):
        from_json(json.dumps(document))


def test_a_missing_or_foreign_file_is_one_line(tmp_path):
    for name, content in {"page.html": b"<html>", "list.json": b"[1]", "latin.txt": b"\xff\xfe"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="not a saved ranker"):
            load(tmp_path / name)
    with pytest.raises(ModelError, match="no such ranker; train one"):
        load(tmp_path / "none.json")


def test_a_linear_champion_needs_no_library_of_trees_or_networks():
    code = (
        "import sys, steps.choose, ranking.tune, ranking.kinds;"
        "print(sorted({'lightgbm', 'torch', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "change", "said"),
    [
        (LinearOptions, {"rounds": 0}, "at least 1"),
        (LinearOptions, {"l2": 0.0}, "above 0"),
        (NeuralOptions, {"width": 1}, "width at least 2"),
        (NeuralOptions, {"decay": -1.0}, "decay not below"),
    ],
)
def test_options_out_of_range_are_refused(options, change, said):
    with pytest.raises(ValueError, match=said):
        options(**change)
