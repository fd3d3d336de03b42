"""Each feature against an episode in which its value can be counted by hand; the prior and its standardising too."""

import time
from dataclasses import replace

import numpy as np
import pytest
from episode_factory import clip, episode, heard, say
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import AdSpan, Shot, SoundSpan, SpoilerSpan, Topic, Turn, Word
from ranking.candidates import Candidate, make_candidates
from ranking.features import FEATURE_NAMES, FEATURES, feature_matrix, feature_table
from ranking.prior import WEIGHTS, Prior, PriorOptions, standardise

STORY = heard(
    say(
        "Welcome back to the show.",  # 0
        "Who lit the lamp?",  # 1
        "He was 12 years old.",  # 2
        "In the storm Arthur Grant vanished, and he never came back.",  # 3
        "Imagine that you see the lamp burning.",  # 4
        "So it burned for eleven nights.",  # 5
        "Thank you for listening, and see you next week.",  # 6
    ),
    duration_s=40.0,
)


def features(hearing, *runs, **changes):
    matrix = feature_matrix([clip(hearing, first, last) for first, last in runs], episode(hearing, **changes))
    return {name: matrix[:, column].tolist() for column, name in enumerate(FEATURE_NAMES)}


def test_each_feature_is_described_once_and_weighted_by_the_prior():
    assert len(set(FEATURE_NAMES)) == len(FEATURES) == len(WEIGHTS)
    assert set(WEIGHTS) == set(FEATURE_NAMES)
    assert {group for _, group, _ in feature_table()} == {"words", "sound", "speakers", "place", "risk", "picture"}
    assert all(description for _, _, description in feature_table())


def test_complete_edges_are_counted_at_both_ends():
    pieces = say("and then it stopped", "He went on.", "Nobody knew why.")
    hearing = heard([replace(pieces[0], complete=False), *pieces[1:]])
    assert features(hearing, (0, 1), (0, 2), (1, 3))["complete"] == [0.0, 0.5, 1.0]


def test_openings_ask_surprise_and_address():
    found = features(STORY, (1, 4), (3, 6), (4, 6), (2, 4))
    assert found["opening_question"] == [1, 0, 0, 0]
    assert found["opening_curiosity"] == [0, 2, 0, 2]  # vanished, never
    assert found["opening_address"] == [0, 2, 2, 0]  # imagine, you


def test_questions_names_and_numbers_are_counted():
    found = features(STORY, (1, 3), (2, 4), (0, 2))
    assert found["questions"] == [1, 0, 1]
    assert found["closing_question"] == [0, 0, 1]
    assert found["names"] == pytest.approx([0, 100 * 2 / 16, 0])  # Arthur Grant in 5 + 11 words
    assert found["numbers"] == pytest.approx([100 / 9, 100 / 16, 0])  # 12


def test_a_clip_that_leans_on_what_came_before_is_found_out():
    found = features(STORY, (1, 4), (2, 4), (3, 5), (5, 7))
    assert found["dangling_start"] == [0, 1, 0, 1]  # He …, So …
    assert found["unresolved"] == [1, 1, 0, 1]  # "he" and "it" before Arthur Grant is named
    assert found["orphan_answer"] == [0, 1, 0, 0]  # after "Who lit the lamp?"


def test_keywords_and_vocabulary():
    found = features(STORY, (1, 2), (0, 7), (5, 6), keywords=("lamp", "Arthur Grant", "storm's", "boat"))
    assert found["keyword_coverage"] == [0.25, 0.75, 0.0]
    assert found["vocabulary"][0] == 1.0
    assert features(heard(say("tea tea tea tea")), (0, 1))["vocabulary"] == [0.25]


def test_clarity_weighs_sentences_by_their_words():
    first, second = say("one two three.", "four.")
    hearing = heard([replace(first, probability=0.5), replace(second, probability=0.9)])
    assert features(hearing, (0, 2))["clarity"] == pytest.approx([0.6])


def test_rate_and_pauses_follow_the_words():
    hearing = heard(say("one two three four", "five six seven eight", length_s=4.0, gap_s=2.0))
    found = features(hearing, (0, 2), (0, 1))
    assert found["speech_rate"] == pytest.approx([1.0, 1.0])
    assert found["pause_share"] == pytest.approx([0.2, 0.0])


def test_energy_is_relative_to_the_episode_and_ignores_pauses():
    hearing = heard(say("a", "b", length_s=10.0, gap_s=0.0), duration_s=20.0)
    levels = np.array([-30.0] * 100 + [-20.0] * 50 + [-np.inf] * 50, dtype=np.float32)
    found = features(hearing, (0, 1), (1, 2), (0, 2), levels=levels)
    mean = (100 * -30 + 50 * -20) / 150
    assert found["energy"] == pytest.approx([-30 - mean, -20 - mean, 0.0])
    assert found["energy_opening"] == pytest.approx([-30 - mean, -20 - mean, -30 - mean])
    assert found["energy_variation"] == pytest.approx([0.0, 0.0, np.std([-30] * 100 + [-20] * 50)], abs=1e-5)


def test_music_ads_and_spoilers_are_measured():
    hearing = replace(
        heard(say("a", "b", "c", length_s=10.0, gap_s=0.0)),
        sounds=(SoundSpan(5.0, 8.0, "music"), SoundSpan(7.0, 10.0, "music"), SoundSpan(0.0, 30.0, "speech")),
        ads=(AdSpan(12.5, 15.0, "sponsor", 0.1),),
        spoilers=(SpoilerSpan(25.0, 40.0, 0.4), SpoilerSpan(28.0, 29.0, 0.7)),
    )
    found = features(hearing, (0, 1), (1, 2), (2, 3))
    assert found["music_share"] == pytest.approx([0.5, 0.0, 0.0])
    assert found["ad_share"] == pytest.approx([0.0, 0.25, 0.0])
    assert found["spoiler_risk"] == [0.0, 0.0, 0.7]


def test_speakers_turns_and_balance():
    turns = (Turn(0.0, 10.0, "S1"), Turn(10.0, 15.0, "S2"), Turn(15.0, 19.5, "S1"), Turn(19.5, 20.0, "S3"))
    hearing = replace(heard(say("a", "b", length_s=10.0, gap_s=0.0)), turns=turns)
    found = features(hearing, (0, 1), (1, 2), (0, 2))
    assert found["speakers"] == [1, 2, 2]  # S3 says half a second
    assert found["turns"] == [0, 2, 3]
    assert found["balance"] == pytest.approx([0.0, 0.5, 1 - 14.5 / 20])


def test_place_in_episode_and_topic():
    topics = (Topic(0.0, 10.0, "tea"), Topic(10.0, 40.0, "bread"))
    hearing = replace(heard(say("a", "b", "c", "d", length_s=10.0, gap_s=0.0), duration_s=40.0), topics=topics)
    found = features(hearing, (0, 1), (1, 2), (2, 4), (0, 2))
    assert found["position"] == pytest.approx([0.125, 0.375, 0.75, 0.25])
    assert found["topic_distance"] == [0.0, 0.0, 10.0, 0.0]
    assert found["topic_changes"] == [0, 0, 0, 1]
    assert found["length_deviation"] == pytest.approx([2.0, 2.0, 1.0, 1.0])


def test_centrality_and_novelty_follow_the_vectors():
    hearing = heard(say("a", "b", "c", "d", length_s=10.0, gap_s=0.0))
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    found = features(hearing, (0, 1), (2, 3), (3, 4), vectors=vectors)
    assert found["centrality"] == pytest.approx([3 / 10**0.5, 3 / 10**0.5, 1 / 10**0.5])
    assert found["novelty"] == pytest.approx([0.0, 0.0, 1.0])


FILM = (
    Shot(0.0, 10.0, 0, "start", brightness=0.0, contrast=0.0, motion=0.0),
    Shot(10.0, 30.0, 1, "cut", brightness=0.5, contrast=0.2, motion=0.1),
    Shot(30.0, 40.0, 2, "cut", brightness=0.8, contrast=0.4, motion=0.4),
)
SEEN = np.array([[0, 1], [1, 0], [1, 0]], dtype=np.float32)


def seen(*spans, hearing=None, **changes):
    """Features of runs of shots in which nothing is said."""
    hearing = hearing or heard((), 40.0)
    clips = [Candidate(start, end, "a", 0, 0, "", made_of="shots") for start, end in spans]
    matrix = feature_matrix(clips, episode(hearing, **{"shots": FILM, "pictures": SEEN} | changes))
    return {name: matrix[:, column].tolist() for column, name in enumerate(FEATURE_NAMES)}


def test_cuts_are_counted_inside_and_the_longest_shot_is_found():
    found = seen((0.0, 40.0), (10.0, 30.0), (5.0, 35.0))
    assert found["shot_rate"] == pytest.approx([3.0, 0.0, 4.0])
    assert found["longest_shot"] == pytest.approx([0.5, 1.0, 20 / 30])
    assert found["starts_on_shot"] == [1, 1, 0]
    assert found["ends_on_shot"] == [1, 1, 0]


def test_light_and_motion_are_means_over_time():
    found = seen((10.0, 30.0), (20.0, 40.0), (5.0, 15.0))
    assert found["brightness"] == pytest.approx([0.5, 0.65, 0.25])
    assert found["contrast"] == pytest.approx([0.2, 0.3, 0.1])
    assert found["motion"] == pytest.approx([0.1, 0.25, 0.05])
    assert found["black_share"] == pytest.approx([0.0, 0.0, 0.5])


def test_pictures_unlike_the_film_are_far_from_it():
    found = seen((0.0, 10.0), (10.0, 40.0), (0.0, 40.0))
    whole = np.array([3.0, 1.0]) / 10**0.5  # 30 s of one picture, 10 s of the other
    assert found["picture_distance"] == pytest.approx([1 - whole[1], 1 - whole[0], 0.0], abs=1e-6)
    assert seen((0.0, 10.0), pictures=np.zeros((0, 0), dtype=np.float32))["picture_distance"] == [0.0]


def test_without_pictures_all_that_is_seen_is_neutral():
    found = features(STORY, (0, 2), (3, 5))
    assert {tuple(found[name]) for name, group, _ in feature_table() if group == "picture"} == {(0.0, 0.0)}


def test_where_nothing_is_said_what_is_said_is_neutral():
    """Also beside sentences, and behind the last one."""
    sounds = (SoundSpan(0.0, 40.0, "music"),)
    for hearing in (heard((), 40.0), replace(STORY, sounds=sounds)):
        last = len(hearing.sentences)
        clips = [Candidate(0.0, 20.0, "a", k, k, "", made_of="shots") for k in (0, last)]
        matrix = feature_matrix(clips, episode(hearing, shots=FILM, pictures=SEEN, keywords=("lamp",)))
        assert np.isfinite(matrix).all()
        for column, (name, group, _) in enumerate(feature_table()):
            if group == "words" or name in ("centrality", "novelty", "greeting", "outro", "music_share"):
                assert matrix[:, column].tolist() == [0.0, 0.0], name


def test_pictures_of_another_film_are_refused():
    with pytest.raises(ValueError, match="2 picture vectors for 3 shots"):
        seen((0.0, 10.0), pictures=SEEN[:2])


def test_the_prior_prefers_lively_pictures_to_black_ones():
    clips = [Candidate(start, start + 10.0, "a", 0, 0, "", made_of="shots") for start in (0.0, 10.0, 30.0)]
    matrix = feature_matrix(clips, episode(heard((), 40.0), shots=FILM, pictures=SEEN))
    assert np.argmax(Prior().score(matrix).values) == 2


def test_greeting_and_leave_taking_are_risks():
    found = features(STORY, (0, 2), (3, 5), (5, 7))
    assert found["greeting"] == [1, 0, 0]
    assert found["outro"] == [0, 0, 1]


def test_vectors_of_another_episode_are_refused():
    with pytest.raises(ValueError, match="3 sentence vectors for 7 sentences"):
        episode(STORY, vectors=np.zeros((3, 4), dtype=np.float32))


def test_an_episode_of_which_nothing_is_known_has_finite_features():
    hearing = replace(heard(say("", "…", "?!")), words=())
    empty = np.zeros((3, 4), dtype=np.float32)
    matrix = feature_matrix(
        [clip(hearing, 0, 3)], episode(hearing, vectors=empty, levels=np.zeros(0, dtype=np.float32))
    )
    assert np.isfinite(matrix).all()
    assert feature_matrix([], episode(hearing)).shape == (0, len(FEATURES))


def test_an_hour_takes_less_than_two_seconds():
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(["he", "lamp", "Arthur", "never", "tea", "seven"], 12)) + "." for _ in range(900)]
    hearing = replace(
        heard(say(*texts, length_s=3.7, gap_s=0.3), duration_s=3600.0),
        turns=tuple(Turn(4.0 * k, 4.0 * k + 4, f"S{k % 3}") for k in range(900)),
    )
    candidates = make_candidates("a", hearing)
    vectors = rng.normal(size=(900, 384)).astype(np.float32)
    levels = rng.normal(-25, 5, size=36_000).astype(np.float32)
    begun = time.process_time()
    matrix = feature_matrix(candidates, episode(hearing, vectors=vectors, levels=levels, keywords=("lamp", "tea")))
    assert time.process_time() - begun < 2.0
    assert len(matrix) > 1500
    assert np.isfinite(matrix).all()


def test_the_prior_prefers_the_hook_to_the_greeting_and_to_the_fragment():
    hearing = heard(
        say(
            "Welcome back to the show, and thank you for joining me.",
            "so that was how it went with it",
            "Nobody knows why Arthur Grant vanished from the lamp at night.",
        )
    )
    matrix = feature_matrix([clip(hearing, k, k + 1) for k in range(3)], episode(hearing, keywords=("lamp",)))
    assert np.argmax(Prior().score(matrix).values) == 2


def test_weights_come_from_the_options_and_change_the_identity():
    matrix = np.zeros((2, len(FEATURES)))
    matrix[1, FEATURE_NAMES.index("questions")] = 1.0
    fond = Prior(PriorOptions({"questions": 5.0}))
    shy = Prior(PriorOptions({"questions": -5.0}))
    assert np.argmax(fond.score(matrix).values) == 1
    assert np.argmax(shy.score(matrix).values) == 0
    assert len({fond.identity, shy.identity, Prior().identity}) == 3
    assert Prior().identity == Prior(PriorOptions({"questions": WEIGHTS["questions"]})).identity


def test_a_weight_for_no_feature_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no feature is called loudnes; known: complete, .*energy"):
        PriorOptions({"loudnes": 1.0})


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 1e6]))
def test_contributions_add_up_and_do_not_depend_on_unit_or_zero(seed, unit):
    matrix = unit * np.random.default_rng(seed).integers(-9, 9, (7, len(FEATURES)))
    matrix[:, 0] = 5.0
    scores = Prior().score(matrix)
    assert scores.values == pytest.approx(scores.contributions.sum(axis=1))
    assert np.abs(standardise(matrix)).max() <= 3.0
    assert standardise(matrix * 4.0) == pytest.approx(standardise(matrix))


def test_words_without_times_of_their_own_fall_back_to_sentences():
    hearing = heard(say("one two", "three four", length_s=4.0, gap_s=1.0))
    assert features(replace(hearing, words=()), (0, 2))["pause_share"] == pytest.approx([1 / 9])
    half = replace(hearing, words=tuple(Word(w.start, w.middle, w.text) for w in hearing.words))
    assert features(half, (0, 2))["pause_share"] == pytest.approx([5 / 9])
