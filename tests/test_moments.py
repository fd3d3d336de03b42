"""Moments: layers met on seconds, with spans that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from searchable_store import ENCODERS, HILL, SEA, TALK, searchable
from stocked_store import asset

from featurization.errors import SearchError
from search.corpus import Corpus, Layer
from search.exact_index import ExactIndex
from search.filters import Filters
from search.moment_query import Held, MomentQuery, parse_conditions
from search.pages import Page
from search.query import Engine
from steps.corpus import read_corpus
from steps.index import publish


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    store, index = searchable(tmp_path_factory.mktemp("moments") / "store"), ExactIndex()
    publish(store, index, run="test", spaces={})
    return Engine(read_corpus(store), index, ENCODERS)


def spans(engine: Engine, text: str, **more: object) -> list[tuple[str, float, float]]:
    query = MomentQuery(parse_conditions(text), **more)
    return [(hit.asset_id, hit.start, hit.end) for hit in engine.moments(query, Page(sort="time")).items]


def test_she_says_harbour_and_it_is_night_and_music_plays(engine: Engine):
    # said 10 to 14, night 9 to 20, music 12.5 to 18
    (hit,) = engine.moments(MomentQuery(parse_conditions("says:harbour tag:night sound:music"))).items
    assert (hit.asset_id, hit.start, hit.end) == (SEA, 12.5, 14.0)
    assert [(e.layer, e.label, e.start, e.end) for e in hit.evidence] == [
        ("says", "harbour", 10.0, 14.0),
        ("tag", "night", 9.0, 20.0),
        ("sound", "music", 12.5, 18.0),
    ]
    assert hit.confidence == 0.9
    assert hit.why == ("says harbour 1.00", "tag night 0.90", "sound music 0.95")


def test_one_condition_gives_its_spans(engine: Engine):
    assert spans(engine, "tag:night") == [(SEA, 9.0, 20.0), (HILL, 0.0, 5.0)]
    assert spans(engine, "says:harbour") == [(SEA, 1.0, 4.0), (SEA, 10.0, 14.0), (TALK, 9.0, 12.0)]


def test_what_must_not_hold_is_cut_out(engine: Engine):
    # night 9 to 20 without music 12.5 to 18: the seconds 12 to 18 go
    assert spans(engine, "tag:night -sound:music") == [(SEA, 9.0, 12.0), (SEA, 18.0, 20.0)]


def test_either_of_several_values(engine: Engine):
    assert spans(engine, "tag:night|boat", filters=Filters(asset=SEA)) == [(SEA, 0.0, 6.0), (SEA, 9.0, 20.0)]


def test_phrases_speakers_topics_and_ads(engine: Engine):
    assert spans(engine, 'says:"the harbour"') == [(SEA, 10.0, 14.0)]
    assert spans(engine, "speaker:S2 topic:night") == [(SEA, 15.0, 18.0)]
    assert spans(engine, "topic:boats speaker:S1") == [(SEA, 1.0, 4.0)]
    assert spans(engine, "ad:any") == [(TALK, 20.0, 24.0)]
    assert spans(engine, "ad:sponsor says:ペン") == [(TALK, 20.0, 24.0)]


def test_speakers_are_called_by_their_names(engine: Engine):
    known = Engine(replace(engine.corpus, names={SEA: {"S2": "Bo Ray"}}), engine.index, ENCODERS)
    assert spans(known, 'speaker:"bo ray" topic:night') == spans(known, "speaker:S2 topic:night") == [(SEA, 15.0, 18.0)]
    (hit,) = known.moments(MomentQuery(parse_conditions("speaker:any topic:night says:nobody"))).items
    assert "Bo Ray" in [evidence.label for evidence in hit.evidence]


def test_pictures_and_meaning_take_part(engine: Engine):
    assert spans(engine, "looks:black says:harbour") == [(SEA, 10.0, 14.0)]
    assert spans(engine, "means:dough") == [(TALK, 0.0, 4.0)]


def test_sure_enough_is_asked_of_every_layer(engine: Engine):
    assert spans(engine, "tag:night", min_confidence=0.8) == [(SEA, 9.0, 20.0)]


def test_moments_that_are_too_short_are_left_out(engine: Engine):
    assert spans(engine, "tag:night", min_duration_s=6) == [(SEA, 9.0, 20.0)]


def test_things_of_the_same_second_meet():
    bang, flash = layer(3.1, 3.3, "bang"), layer(3.6, 3.8, "on")
    corpus = Corpus(1, {SEA: asset(SEA, "The sea")}, {"tags": bang}, {"flash": flash})
    assert spans(Engine(corpus), "tag:bang flash:on") == [(SEA, 3.0, 4.0)]
    assert spans(Engine(corpus), "tag:bang") == [(SEA, 3.1, 3.3)]


def layer(start: float, end: float, label: str) -> Layer:
    row = {"asset_id": SEA, "start": start, "end": end, "label": label, "confidence": 1.0}
    return Layer(pa.Table.from_pylist([row]))


def test_nothing_matches_says_why(engine: Engine):
    nowhere = engine.moments(MomentQuery(parse_conditions("tag:tower says:harbour")))
    assert nowhere.notes == ("nothing matches: tag:tower holds nowhere",)
    apart = engine.moments(MomentQuery(parse_conditions('tag:boat says:"nobody hears"')))
    assert "never all at the same time" in apart.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("harbour", "is no condition"),
        ("says:", "is no condition"),
        ('says:""', "has no value"),
        ("says:a||b", "has no value"),
        ("-tag:night", "at least one thing"),
        ("weather:rain", "no layer 'weather'; layers: says"),
        (" ".join(["tag:night"] * 13), "too many"),
    ],
)
def test_what_cannot_be_asked_says_how_to(engine: Engine, text: str, said: str):
    with pytest.raises(SearchError, match=said):
        spans(engine, text)


def test_conditions_are_read_as_typed():
    assert parse_conditions('says:"the old harbour" -tag:a|b x-y:1') == (
        Held("says", ("the old harbour",)),
        Held("tag", ("a", "b"), absent=True),
        Held("x-y", ("1",)),
    )
