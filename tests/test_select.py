"""The best clip that passed is chosen, always the same one; if none passed, none is."""

from dataclasses import replace

import numpy as np
import pytest
from episode_factory import clip, episode, heard, say
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import AdSpan, Shot, Topic
from ranking.candidates import make_candidates
from ranking.features import FEATURE_NAMES, FEATURES
from ranking.gates import Exclusion, Verdict, apply_gates
from ranking.prior import Prior, PriorOptions
from ranking.select import Choice, NoChoice, Ranked, SelectOptions, choose, rank, stitch, top

TALK = heard(
    say(
        "We had soup and bread for dinner.",
        "Nobody knew that the door was hidden.",
        "We had soup and bread for dinner.",
        "Nobody knew that the door was hidden.",
        "We walked to the shop and home again.",
        "We had tea with milk in the garden.",
        length_s=28.0,
        gap_s=2.0,
    ),
    duration_s=300.0,
)
CLIPS = tuple(clip(TALK, k, k + 1) for k in range(6))
CURIOUS = Prior(PriorOptions(dict.fromkeys(FEATURE_NAMES, 0.0) | {"opening_curiosity": 1.0}))


def verdicts(hearing=TALK):
    return apply_gates(CLIPS, hearing, duration_s=300.0)


def ranked(*scored):
    """Clips of TALK by sentence number and score."""
    return [Ranked(CLIPS[k], score, ()) for k, score in scored]


def numbers(items):
    return [item.candidate.first for item in items]


def test_the_best_is_chosen_and_a_tie_goes_to_the_earlier():
    choice = choose(verdicts(), episode(TALK), CURIOUS)
    assert isinstance(choice, Choice)
    assert numbers(choice.moments) == [1]
    assert choice.best == choice.moments[0]
    assert choice.ranker == CURIOUS.identity
    assert (choice.considered, len(choice.ranked)) == (6, 6)


def test_contributions_are_sorted_named_and_add_up():
    best = rank(verdicts(), episode(TALK), Prior())[0]
    assert sum(part.contribution for part in best.contributions) == pytest.approx(best.score)
    sizes = [abs(part.contribution) for part in best.contributions]
    assert sizes == sorted(sizes, reverse=True)
    assert {part.feature for part in best.contributions} == {feature.name for feature in FEATURES}
    assert next(part.value for part in best.contributions if part.feature == "opening_curiosity") == 2.0


def test_what_a_gate_excludes_is_never_scored():
    hearing = replace(TALK, ads=(AdSpan(30.0, 58.0, "sponsor", 0.9),))
    choice = choose(verdicts(hearing), episode(hearing), CURIOUS)
    assert isinstance(choice, Choice)
    assert numbers(choice.moments) == [3]
    assert 1 not in numbers(choice.runners_up)
    assert (choice.considered, len(choice.ranked)) == (6, 5)
    assert [(gate.gate, gate.excluded) for gate in choice.gates] == [("ad", 1)]


def test_runners_up_overlap_neither_the_pick_nor_each_other():
    hearing = heard(say(*[f"Sentence {k} of many." for k in range(60)]))
    context = episode(hearing)
    choice = choose(apply_gates(make_candidates("a", hearing), hearing, duration_s=600.0), context, Prior())
    assert isinstance(choice, Choice)
    shown = [item.candidate for item in (*choice.moments, *choice.runners_up)]
    assert len(shown) == 6
    assert not any(a.overlaps(b) for a in shown for b in shown if a is not b)


def test_never_the_least_bad_ad():
    hearing = replace(TALK, ads=(AdSpan(0.0, 300.0, "sponsor", 0.9),))
    choice = choose(verdicts(hearing), episode(hearing), CURIOUS)
    assert isinstance(choice, NoChoice)
    assert choice.reason == "all 6 candidates were excluded (ad 6), for example: 28.3 s of sponsor at 0:00"
    assert (choice.considered, choice.gates[0].excluded) == (6, 6)


def test_a_refused_episode_and_one_without_candidates_say_so():
    refusal = Exclusion("rights", "derivatives are forbidden, and a preview is one")
    refused = choose(verdicts(), episode(TALK), CURIOUS, refusals=(refusal,))
    assert refused == NoChoice("rights: derivatives are forbidden, and a preview is one", (), 6)
    assert choose((), episode(TALK), CURIOUS) == NoChoice("no run of whole sentences lasts 20 to 40 s")
    film = episode(TALK, shots=(Shot(0.0, 300.0, 0, "start"),))
    assert choose((), film, CURIOUS) == NoChoice("no run of whole sentences or shots lasts 20 to 40 s")


def test_top_keeps_the_gap():
    order = ranked((1, 9.0), (2, 8.0), (4, 7.0), (5, 6.0))
    assert numbers(top(order, 3)) == [1, 2, 4]
    assert numbers(top(order, 3, min_gap_s=10.0)) == [1, 4]
    assert top((), 3) == ()


def test_moments_come_from_different_topics_in_order_of_time():
    topics = (Topic(0.0, 90.0, "soup"), Topic(90.0, 150.0, "door"), Topic(150.0, 300.0, "tea"))
    order = ranked((5, 9.0), (0, 8.0), (2, 7.0), (3, 6.0))
    assert numbers(stitch(order, topics, moments=3)) == [0, 3, 5]
    assert numbers(stitch(order, topics, moments=1)) == [5]


def test_too_few_topics_are_filled_up_from_any():
    order = ranked((5, 9.0), (0, 8.0), (2, 7.0), (3, 6.0))
    assert numbers(stitch(order, (), moments=3)) == [0, 2, 5]
    assert numbers(stitch(order[:1], (), moments=3)) == [5]


def test_more_than_three_moments_are_refused():
    with pytest.raises(ValueError, match="1 to 3 moments, got 4"):
        SelectOptions(moments=4)


@given(st.permutations(range(6)))
def test_the_order_of_the_candidates_does_not_matter(order):
    shuffled = tuple(verdicts()[k] for k in order)
    assert numbers(rank(shuffled, episode(TALK), Prior())) == numbers(rank(verdicts(), episode(TALK), Prior()))


def test_scores_that_differ_by_rounding_are_ties():
    class Noisy:
        name = identity = "noisy"

        def score(self, matrix):
            scores = Prior().score(np.zeros_like(matrix))
            scores.contributions[:, 0] = 1.0 + 1e-13 * np.arange(len(matrix))
            return scores

    assert numbers(rank(tuple(Verdict(c) for c in CLIPS), episode(TALK), Noisy())) == [0, 1, 2, 3, 4, 5]
