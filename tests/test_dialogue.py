"""What was said is found exactly, by its words, misspelt, by its meaning; hits carry their words with their times."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searchable_store import ENCODERS, SEA, TALK, searchable

from featurization.errors import SearchError
from search.dialogue import MAX_TEXT, DialogueQuery
from search.exact_index import ExactIndex
from search.query import Engine
from search.spoken import Spoken, words_of
from steps.corpus import read_corpus
from steps.index import publish


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    store, index = searchable(tmp_path_factory.mktemp("dialogue") / "store"), ExactIndex()
    publish(store, index, run="test", spaces={})
    return Engine(read_corpus(store), index, ENCODERS)


def places(engine: Engine, text: str, mode: str = "auto") -> list[tuple[str, float]]:
    return sorted((hit.asset_id, hit.start) for hit in engine.dialogue(DialogueQuery(text, mode)).items)


def marked(engine: Engine, text: str, mode: str = "auto") -> list[list[str]]:
    answer = engine.dialogue(DialogueQuery(text, mode))
    return [[word.text for word in hit.words if word.matched] for hit in answer.items]


def test_a_phrase_is_words_in_their_order(engine: Engine):
    assert places(engine, "the harbour", "phrase") == [(SEA, 10.0)]
    assert places(engine, "harbour the", "phrase") == []
    assert places(engine, "old harbour", "phrase") == [(SEA, 1.0), (TALK, 5.0)]


def test_quotes_ask_for_a_phrase(engine: Engine):
    assert places(engine, '"the harbour"') == [(SEA, 10.0)]
    assert places(engine, "“the harbour” night") == [(SEA, 10.0)]
    assert places(engine, '"the harbour" dawn') == []


def test_a_phrase_may_reach_into_the_next_sentence(engine: Engine):
    (hit,) = (h for h in engine.dialogue(DialogueQuery("old harbour", "phrase")).items if h.asset_id == TALK)
    assert (hit.start, hit.end, hit.text) == (5.0, 12.0, "Ships sleep in the old harbour town.")
    assert [word.text for word in hit.words if word.matched] == ["old", "harbour"]


def test_a_phrase_never_reaches_into_another_asset(engine: Engine):
    assert places(engine, "hears it Bread", "phrase") == []


def test_case_accents_and_punctuation_do_not_count(engine: Engine):
    assert places(engine, "CAFE was closed dont", "phrase") == [(SEA, 4.5)]
    assert places(engine, "café", "words") == [(SEA, 4.5)]


def test_scripts_without_spaces_are_searched_inside(engine: Engine):
    assert places(engine, "ペン", "phrase") == [(TALK, 20.0)]


def test_all_words_in_any_order(engine: Engine):
    assert places(engine, "sings harbour", "words") == [(SEA, 10.0)]
    assert places(engine, "sings bread", "words") == []


def test_misspelt_words_are_found_and_are_less_sure(engine: Engine):
    (hit,) = engine.dialogue(DialogueQuery("harbor sinks", "fuzzy")).items
    assert (hit.asset_id, hit.start, hit.why) == (SEA, 10.0, ("says harbour, sings",))
    assert 0.7 < hit.confidence < 1.0
    assert [word.text for word in hit.words if word.matched] == ["harbour", "sings."]


def test_the_default_understands_a_misspelt_word_too(engine: Engine):
    assert (SEA, 10.0) in places(engine, "harbor")


def test_short_words_are_not_bent(engine: Engine):
    assert places(engine, "ot", "fuzzy") == []


def test_meaning_finds_other_words_for_the_same(engine: Engine):
    assert places(engine, "dough", "meaning") == [(TALK, 0.0)]
    (hit,) = engine.dialogue(DialogueQuery("dough", "meaning")).items
    assert hit.confidence >= 0.5
    assert hit.why[0].startswith("by meaning, similarity")


def test_the_default_finds_words_and_meaning_and_says_which(engine: Engine):
    (hit,) = engine.dialogue(DialogueQuery("flour")).items
    assert (hit.asset_id, hit.start) == (TALK, 0.0)
    assert hit.why[:2] == ("says flour", "number 1 by words")
    assert any(reason.endswith("by meaning") for reason in hit.why)


def test_a_word_that_nobody_says_makes_the_rest_less_sure(engine: Engine):
    assert places(engine, "zeppelin over antarctica and time", "auto") == []


def test_nothing_matches_is_an_answer(engine: Engine):
    answer = engine.dialogue(DialogueQuery("zeppelin"))
    assert (answer.total, answer.notes) == (0, ("nothing matches",))


def test_words_come_with_their_times(engine: Engine):
    (hit,) = engine.dialogue(DialogueQuery("sings", "words")).items
    assert [(word.text, word.start, word.end) for word in hit.words if word.matched] == [("sings.", 13.2, 14.0)]
    assert (hit.speaker, hit.text) == ("S1", "At night the harbour sings.")


def test_words_without_times_share_their_sentence_by_letters(engine: Engine):
    (hit,) = engine.dialogue(DialogueQuery("flour", "words")).items
    assert hit.words[0].start == 0.0
    assert hit.words[-1].end == pytest.approx(4.0)
    assert [word.matched for word in hit.words] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("text", "said"), [("", "empty"), ("  \n", "empty"), ("x" * (MAX_TEXT + 1), "1001"), ("?!", "no words")]
)
def test_queries_that_cannot_be_asked_are_refused(text: str, said: str):
    with pytest.raises(SearchError, match=said):
        DialogueQuery(text)


def test_another_mode_is_refused():
    with pytest.raises(SearchError, match="mode must be one of"):
        DialogueQuery("harbour", "loud")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_every_sentence_is_found_by_its_own_words(texts: list[str]):
    spoken = Spoken.of(pa.array(texts, pa.string()))
    for row, text in enumerate(texts):
        if own := words_of(text):
            assert (row, row) in spoken.phrase(own)
            assert {spoken.vocabulary[code] for code in spoken.in_row(row)} == set(own)


def test_nothing_said_is_searched_without_harm(tmp_path: Path):
    assert Engine().dialogue(DialogueQuery("harbour")).total == 0
