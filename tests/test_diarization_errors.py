import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.diarization_errors import DiarizationErrors, diarization_errors
from featurization.media import Turn


def turns(*rows):
    return tuple(Turn(start, end, speaker=speaker) for start, end, speaker in rows)


@st.composite
def some_turns(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8), st.sampled_from("ABC")), max_size=6))
    return turns(*((start, start + length, name) for start, length, name in rows))


TWO = turns((0, 10, "anna"), (10, 20, "ben"))


def test_names_do_not_matter():
    found = turns((0, 10, "S1"), (10, 20, "S2"))
    assert diarization_errors(TWO, found) == DiarizationErrors(spoken_s=20)


def test_one_speaker_for_two_confuses_the_shorter_half():
    assert diarization_errors(TWO, turns((0, 20, "S1"))) == DiarizationErrors(spoken_s=20, confused_s=10)


def test_missed_and_invented_speech():
    errors = diarization_errors(turns((0, 10, "anna")), turns((2, 13, "S1")))
    assert errors == DiarizationErrors(spoken_s=10, missed_s=2, false_alarm_s=3)
    assert errors.rate == pytest.approx(0.5)


def test_two_at_once_of_whom_one_is_heard():
    reference = turns((0, 10, "anna"), (4, 8, "ben"))
    assert diarization_errors(reference, turns((0, 10, "S1"))) == DiarizationErrors(spoken_s=14, missed_s=4)


def test_the_best_mapping_is_found_where_the_greedy_one_is_not():
    """S1 shares 5 s with anna and 4 s with ben, S2 shares 4 s with anna alone: anna is S2 and ben S1, 8 s in all."""
    reference = turns((0, 9, "anna"), (9, 13, "ben"))
    found = turns((0, 5, "S1"), (5, 9, "S2"), (9, 13, "S1"))
    assert diarization_errors(reference, found) == DiarizationErrors(spoken_s=13, confused_s=5)


def test_a_collar_forgives_edges_that_are_a_little_off():
    found = turns((0, 10.2, "S1"), (10.2, 20.2, "S2"))
    assert diarization_errors(TWO, found).confused_s == pytest.approx(0.2)
    forgiven = diarization_errors(TWO, found, collar_s=0.25)
    assert forgiven.rate == 0
    assert forgiven.spoken_s == pytest.approx(20 - 4 * 0.25)


def test_a_turn_given_in_pieces_is_one_turn():
    pieces = turns((0, 6, "S1"), (4, 10, "S1"), (10, 20, "S2"))
    assert diarization_errors(TWO, pieces).rate == 0


def test_nobody_speaks():
    assert diarization_errors((), ()).rate == 0
    assert diarization_errors((), turns((0, 1, "S1"))).rate == float("inf")
    assert diarization_errors(turns((0, 1, "anna")), ()).rate == 1


def test_pooling_weighs_recordings_by_their_speech():
    pooled = DiarizationErrors(spoken_s=90) + DiarizationErrors(spoken_s=10, missed_s=1, confused_s=1)
    assert pooled.rate == pytest.approx(0.02)


def by_definition(reference, found):
    """Integer seconds and every mapping of speakers, tried one by one."""
    seconds = range(30)
    names, voices = sorted({t.speaker for t in reference}), [*sorted({t.speaker for t in found}), *"uvw"]
    true = [{t.speaker for t in reference if s in t} for s in seconds]
    said = [{t.speaker for t in found if s in t} for s in seconds]
    correct = max(
        sum(len({m[n] for n in a} & b) for a, b in zip(true, said, strict=True))
        for m in (dict(zip(names, chosen, strict=True)) for chosen in itertools.permutations(voices, len(names)))
    )
    both = list(zip(map(len, true), map(len, said), strict=True))
    return (
        sum(a for a, _ in both),
        sum(max(0, a - b) for a, b in both),
        sum(max(0, b - a) for a, b in both),
        sum(min(pair) for pair in both) - correct,
    )


@given(some_turns(), some_turns())
def test_it_is_what_the_definition_gives(reference, found):
    errors = diarization_errors(reference, found)
    got = (errors.spoken_s, errors.missed_s, errors.false_alarm_s, errors.confused_s)
    assert got == pytest.approx(by_definition(reference, found))
