"""Candidates of films lie on cuts and never cut a sentence; a film in which nobody speaks has candidates too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from episode_factory import heard, say
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Hearing, Sentence, Shot, Transition, Word
from ranking.candidates import Candidate, CandidateOptions, make_candidates
from ranking.film_candidates import make_film_candidates

OPTIONS = CandidateOptions()


def shots(*edges: float, transition: Transition = "cut", **facts: float) -> tuple[Shot, ...]:
    """Shots between these times."""
    return tuple(Shot(a, b, number, transition, **facts) for number, (a, b) in enumerate(pairwise(edges)))


def every(seconds: float, until: float) -> tuple[Shot, ...]:
    return shots(*(seconds * k for k in range(round(until / seconds) + 1)))


def found(hearing: Hearing, cuts: Sequence[Shot], options: CandidateOptions = OPTIONS) -> tuple[Candidate, ...]:
    return make_film_candidates("a", hearing, cuts, options)


def spans(hearing: Hearing, cuts: Sequence[Shot]) -> list[tuple[float, float]]:
    return [(c.start, c.end) for c in found(hearing, cuts)]


def test_a_silent_film_is_cut_into_runs_of_whole_shots() -> None:
    candidates = found(heard((), 60.0), every(10.0, 60.0))
    assert [(c.start, c.end) for c in candidates][:3] == [(0.0, 20.0), (0.0, 30.0), (0.0, 40.0)]
    assert {(c.first, c.last, c.text, c.made_of) for c in candidates} == {(0, 0, "", "shots")}
    assert all(c.start % 10 == 0 and c.end % 10 == 0 for c in candidates)


@pytest.mark.parametrize(
    "edges", [(0.0, 300.0), (0.0, 100.0, 300.0), (0.0, 5.0, 295.0, 300.0)], ids=["one shot", "two", "titles"]
)
def test_a_silent_film_of_very_long_shots_has_candidates_too(edges: tuple[float, ...]) -> None:
    candidates = found(heard((), 300.0), shots(*edges))
    assert len(candidates) > 20
    assert all(OPTIONS.min_s <= c.duration <= OPTIONS.max_s for c in candidates)
    assert candidates[0].start == 0.0


def test_without_shots_a_film_is_as_a_recording() -> None:
    hearing = heard(say(*"abcd", length_s=10.0, gap_s=1.0))
    assert make_film_candidates("a", hearing, ()) == make_candidates("a", hearing)


def test_edges_move_to_cuts_in_the_pauses() -> None:
    talk = say(*"abc", start=1.0, length_s=9.0, gap_s=1.0)  # 1 to 10, 11 to 20, 21 to 30
    assert (0.4, 30.7) in spans(heard(talk), shots(0.0, 0.4, 10.5, 20.5, 30.7, 60.0))


def test_a_cut_too_far_off_moves_nothing() -> None:
    talk = say(*"abc", start=3.0, length_s=9.0, gap_s=1.0)  # 3 to 12, 13 to 22, 23 to 32
    assert (3.0, 32.0) in spans(heard(talk), shots(0.0, 1.9, 33.1, 60.0))


def test_a_flash_of_the_shot_before_is_trimmed_up_to_the_first_word() -> None:
    sentence = Sentence(2.0, 25.0, "yes no")
    hearing = replace(heard([sentence], 100.0), words=(Word(2.5, 3.0, "yes"), Word(20.0, 24.5, "no")))
    assert spans(hearing, shots(0.0, 2.3, 24.8, 100.0))[0] == (2.3, 24.8)  # nothing is said at the edges
    assert spans(hearing, shots(0.0, 2.7, 24.3, 100.0))[0] == (2.0, 25.0)  # there somebody speaks


def test_an_edge_does_not_move_into_the_sentence_before() -> None:
    talk = [Sentence(0.0, 9.8, "a."), Sentence(10.2, 34.0, "b."), Sentence(34.1, 60.0, "c.")]
    cuts = shots(0.0, 9.6, 34.6, 60.0)
    assert (10.2, 34.0) in spans(heard(talk), cuts)


def test_what_would_become_too_long_stays() -> None:
    (only,) = found(heard([Sentence(5.0, 44.5, "a long sentence.")], 50.0), shots(0.0, 4.2, 45.3, 50.0))
    assert (only.start, only.end) == (5.0, 44.5)


def test_dissolves_stay_outside() -> None:
    cuts = (
        Shot(0.0, 10.0, 0, "start", fade_out_s=0.5),
        Shot(10.0, 40.0, 1, "dissolve", fade_in_s=0.5, fade_out_s=0.25),
        Shot(40.0, 60.0, 2, "dissolve", fade_in_s=0.25),
    )
    assert (10.5, 39.75) in spans(heard((), 60.0), cuts)


def test_a_fade_from_black_belongs_to_its_shot() -> None:
    cuts = shots(0.0, 10.0, 40.0, 60.0, transition="fade", fade_in_s=0.5, fade_out_s=0.5)
    assert (10.0, 40.0) in spans(heard((), 60.0), cuts)


def test_where_people_talk_the_sentences_decide_and_elsewhere_the_shots() -> None:
    hearing = heard(say(*"abc", start=60.0, length_s=9.0), 200.0)  # 60 to 88
    candidates = found(hearing, every(5.0, 200.0))
    talk = [c for c in candidates if c.made_of == "sentences"]
    assert [(c.first, c.last) for c in talk] == [(0, 3)]
    runs = [c for c in candidates if c.made_of == "shots"]
    assert runs and not any(run.overlaps(talk[0]) for run in runs)
    assert {run.start < 60.0 for run in runs} == {True, False}


def test_scattered_sentences_are_held_whole_by_runs_of_shots() -> None:
    talk = tuple(Sentence(10.0 * k + 2.0, 10.0 * k + 5.0, f"s{k}.") for k in range(10))  # pauses of 7 s
    candidates = found(heard(talk, 100.0), every(2.5, 100.0))
    assert candidates and all(c.made_of == "shots" for c in candidates)
    for c in candidates:
        inside = talk[c.first : c.last]
        assert c.text == " ".join(s.text for s in inside)
        assert all(c.start <= s.start and s.end <= c.end for s in inside)
        assert not any(s.start < edge < s.end for s in talk for edge in (c.start, c.end))


def test_ten_hours_are_bounded() -> None:
    assert len(found(heard((), 36_000.0), every(2.5, 36_000.0))) <= OPTIONS.max_count


def test_a_negative_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="snap_s must not be negative"):
        CandidateOptions(snap_s=-1.0)


@st.composite
def films(draw: st.DrawFn) -> tuple[Hearing, tuple[Shot, ...]]:
    at, sentences = 0.0, []
    for length, gap in draw(st.lists(st.tuples(st.floats(0.5, 20.0), st.floats(0.0, 30.0)), max_size=12)):
        sentences.append(Sentence(at + gap, at + gap + length, f"s{len(sentences)}."))
        at += length + gap
    lengths = draw(st.lists(st.floats(0.1, 60.0), min_size=1, max_size=20))
    edges = [0.0]
    for length in lengths:
        edges.append(edges[-1] + length)
    return heard(sentences, max(at, edges[-1])), shots(*edges)


@given(films())
def test_no_candidate_cuts_a_sentence_and_all_are_of_the_wanted_length(film: tuple[Hearing, tuple[Shot, ...]]) -> None:
    hearing, cuts = film
    candidates = found(hearing, cuts)
    assert list(candidates) == sorted(set(candidates), key=lambda c: (c.start, c.end, c.first))
    for c in candidates:
        assert OPTIONS.min_s - 1e-9 <= c.duration <= OPTIONS.max_s + 1e-9
        said = [w for w in hearing.words if w.start < c.end - 0.021 and c.start + 0.021 < w.end]
        own = hearing.sentences[c.first : c.last]
        assert all(any(w.middle in s for s in own) for w in said)
        assert all(c.start - 0.021 <= w.start and w.end <= c.end + 0.021 for w in said)
