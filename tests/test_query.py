"""The query engine on an exact index: pictures, sounds, filters, pages, and when nothing matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from searchable_store import ENCODERS, HILL, SEA, TALK, picture, searchable, tone_at

from featurization.errors import SearchError, SearchIndexError
from search.corpus import NotFound
from search.dialogue import DialogueQuery
from search.durations import parse_duration
from search.exact_index import ExactIndex
from search.filters import Filters
from search.pages import Page
from search.pictures import ShotQuery, SoundQuery
from search.query import Engine
from steps.corpus import read_corpus
from steps.index import publish


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    store, index = searchable(tmp_path_factory.mktemp("query") / "store"), ExactIndex()
    publish(store, index, run="test", spaces={})
    yield Engine(read_corpus(store), index, ENCODERS)


def found(answer) -> list[str]:
    return [hit.id for hit in answer.items]


# pictures -----------------------------------------------------------------------------------------------------------


def test_a_colour_is_found_by_its_name(engine: Engine):
    answer = engine.shots(ShotQuery("red"))
    assert sorted(found(answer)) == [f"{SEA}-0001", f"{HILL}-0002"]
    assert all(hit.confidence >= 0.5 and "similarity" in hit.why[0] for hit in answer.items)


def test_a_colour_that_is_not_there_is_not_found(engine: Engine):
    answer = engine.shots(ShotQuery("white"))
    assert (answer.total, answer.items, answer.notes) == (0, (), ("nothing matches",))


def test_less_sure_hits_are_shown_to_whoever_asks(engine: Engine):
    assert engine.shots(ShotQuery("white", min_confidence=0)).total == 7


def test_a_picture_finds_what_looks_like_it(engine: Engine):
    assert found(engine.shots(ShotQuery(images=(picture("green"),)))) == [f"{HILL}-0000"]


def test_a_clip_finds_what_looks_like_its_pictures_together(engine: Engine):
    answer = engine.shots(ShotQuery(images=(picture("yellow"), picture("yellow"))))
    assert found(answer) == [f"{HILL}-0001"]


def test_a_shot_finds_its_likes_but_not_itself(engine: Engine):
    answer = engine.shots(ShotQuery(like=f"{SEA}-0000", min_confidence=0))
    assert found(answer)[0] == f"{SEA}-0003"
    assert f"{SEA}-0000" not in found(answer)


def test_a_sound_finds_its_likes_with_the_shot_above(engine: Engine):
    answer = engine.sounds(SoundQuery((tone_at(1000.0),)))
    assert {(hit.asset_id, hit.start) for hit in answer.items} == {(SEA, 6.0), (HILL, 8.5)}
    assert {hit.shot for hit in answer.items} == {f"{SEA}-0001", f"{HILL}-0002"}
    assert {hit.labels for hit in answer.items} == {("speech",), ("music",)}


def test_tags_hold_all_together_and_with_their_confidence(engine: Engine):
    assert found(engine.shots(ShotQuery(tags=("night",)))) == [f"{SEA}-0002", f"{HILL}-0000"]
    assert found(engine.shots(ShotQuery(tags=("boat",)))) == [f"{SEA}-0000"]
    assert found(engine.shots(ShotQuery(tags=("boat",), min_confidence=0.2))) == [f"{SEA}-0000", f"{SEA}-0003"]
    assert engine.shots(ShotQuery(tags=("boat", "night"))).total == 0
    assert "tags: boat, night" in engine.shots(ShotQuery(tags=("tower",))).notes[0]


def test_tags_and_looks_go_together(engine: Engine):
    answer = engine.shots(ShotQuery("blue", tags=("boat",)))
    assert found(answer) == [f"{SEA}-0000"]
    assert answer.items[0].why[-1] == "tagged boat 0.70"


def test_shots_are_filtered_by_length_and_asset(engine: Engine):
    assert found(engine.shots(ShotQuery(min_duration_s=11, max_duration_s=12))) == [
        f"{SEA}-0002",
        f"{SEA}-0003",
        f"{HILL}-0002",
    ]
    assert found(engine.shots(ShotQuery("red", filters=Filters(asset=HILL)))) == [f"{HILL}-0002"]
    assert found(engine.shots(ShotQuery("red", filters=Filters(show="COAST")))) == [f"{SEA}-0001"]


def test_a_listing_goes_by_asset_and_time(engine: Engine):
    answer = engine.shots(ShotQuery())
    assert found(answer) == [f"{SEA}-000{n}" for n in range(4)] + [f"{HILL}-000{n}" for n in range(3)]
    assert (answer.items[2].tags[0].label, answer.items[2].confidence) == ("night", 1.0)


def test_a_shot_is_known_by_its_id(engine: Engine):
    shot = engine.shot(f"{HILL}-0001")
    assert (shot.start, shot.end, shot.transition, shot.title) == (5.0, 8.5, "cut", "The hill")
    with pytest.raises(NotFound, match="no shot"):
        engine.shot(f"{HILL}-0099")


def test_one_question_at_a_time():
    with pytest.raises(SearchError, match="one of text, like and a picture"):
        ShotQuery("red", like="x")


# order and pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "numbers"), [("time", [0, 1, 2]), ("-time", [2, 1, 0]), ("duration", [1, 0, 2]), ("-duration", [2, 0, 1])]
)
def test_hits_are_sorted(engine: Engine, sort: str, numbers: list[int]):
    answer = engine.shots(ShotQuery(filters=Filters(asset=HILL)), Page(sort=sort))
    assert [hit.number for hit in answer.items] == numbers


def test_pages_by_offset_and_by_cursor_are_the_same_list(engine: Engine):
    whole = found(engine.shots(ShotQuery()))
    assert found(engine.shots(ShotQuery(), Page(3, 3))) == whole[3:6]
    walked, cursor = [], ""
    while True:
        answer = engine.shots(ShotQuery(), Page(2, cursor=cursor))
        walked += found(answer)
        if not (cursor := answer.next):
            break
    assert walked == whole


def test_equal_scores_keep_their_places_over_pages(engine: Engine):
    query = ShotQuery("red", min_confidence=0)
    whole = found(engine.shots(query))
    first = engine.shots(query, Page(1))
    assert [*found(first), *found(engine.shots(query, Page(6, cursor=first.next)))] == whole


def test_a_cursor_belongs_to_its_query_and_its_state(engine: Engine):
    cursor = engine.shots(ShotQuery(), Page(2)).next
    with pytest.raises(SearchError, match="another query"):
        engine.shots(ShotQuery(tags=("night",)), Page(2, cursor=cursor))
    later = Engine(replace(engine.corpus, snapshot=99), engine.index, ENCODERS)
    with pytest.raises(SearchError, match="new media came in"):
        later.shots(ShotQuery(), Page(2, cursor=cursor))
    for nonsense in ("x", "bm8", "é", cursor[:-4], "W10"):
        with pytest.raises(SearchError, match="cursor"):
            engine.shots(ShotQuery(), Page(2, cursor=nonsense))


def test_hits_are_grouped_by_title(engine: Engine):
    answer = engine.shots(ShotQuery(), Page(5, by_title=True))
    assert [(group.title, group.total, len(group.items)) for group in answer.groups] == [
        ("The sea", 4, 3),
        ("The hill", 3, 3),
    ]
    assert (answer.total, answer.items) == (2, ())


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 501}, {"offset": -1}, {"offset": 16_384}, {"sort": "size"}])
def test_pages_out_of_range_are_refused(page: dict):
    with pytest.raises(SearchError):
        Page(**page)


# filters and failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (Filters(language="en"), {"The sea", "Bread"}),
        (Filters(language="en-gb"), {"Bread"}),
        (Filters(since="2024-06"), {"Bread"}),
        (Filters(until="2024-05-01"), {"The sea"}),
        (Filters(since="2024", until="2024"), {"The sea", "Bread"}),
        (Filters(speaker="S2"), {"Bread"}),
        (Filters(show="coast"), {"The sea"}),
        (Filters(show="nowhere"), set()),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "words"])
def test_dialogue_is_filtered(engine: Engine, filters: Filters, titles: set[str], mode: str):
    answer = engine.dialogue(DialogueQuery("harbour", mode, filters))
    assert {hit.title for hit in answer.items} == titles


@pytest.mark.parametrize("mode", ["auto", "words", "phrase"])
def test_a_speaker_is_asked_for_by_name_in_the_episodes_where_they_have_it(engine: Engine, mode: str):
    names = {TALK: {"S2": "Bo Ray"}, SEA: {"S2": "Bo Ray", "S1": "Ann Lee"}}
    known = Engine(replace(engine.corpus, names=names), engine.index, ENCODERS)
    hits = known.dialogue(DialogueQuery("harbour", mode, Filters(speaker="bo ray"))).items
    assert {(hit.asset_id, hit.speaker) for hit in hits} == {(TALK, "Bo Ray")}
    both = known.dialogue(DialogueQuery("harbour", mode)).items
    assert {hit.speaker for hit in both} == {"Ann Lee", "Bo Ray"}
    assert known.dialogue(DialogueQuery("harbour", mode, Filters(speaker="Cy Fox"))).items == ()


def test_dates_include_their_day():
    from stocked_store import asset

    late = asset("ff" * 8, "Late", published="2023-02-03T23:59:59+00:00")
    assert Filters(until="2023-02-03").accepts(late)
    assert not Filters(until="2023-02-02").accepts(late)
    with pytest.raises(SearchError, match="no date"):
        Filters(since="yesterday")


def test_an_unknown_asset_is_said(engine: Engine):
    with pytest.raises(NotFound, match="no asset"):
        engine.dialogue(DialogueQuery("harbour", filters=Filters(asset="ffff")))


def test_without_an_index_words_are_still_found_and_pictures_say_what_to_do(engine: Engine):
    bare = Engine(engine.corpus, None, ENCODERS)
    answer = bare.dialogue(DialogueQuery("harbour"))
    assert {hit.asset_id for hit in answer.items} == {SEA, TALK}
    assert "only words were searched" in answer.notes[0]
    with pytest.raises(SearchIndexError, match="rushes index rebuild"):
        bare.shots(ShotQuery("red"))


def test_vectors_of_another_space_are_never_compared(engine: Engine):
    class Other(ENCODERS["shots"]):
        space = "colours@2"

    with pytest.raises(SearchIndexError, match="colours@2"):
        Engine(engine.corpus, engine.index, {**ENCODERS, "shots": Other}).shots(ShotQuery("red"))


def test_an_encoder_that_fails_is_a_refusal(engine: Engine):
    class Broken(ENCODERS["shots"]):
        def encode_text(self, texts):
            raise KeyError(texts[0])

    with pytest.raises(SearchError, match="cannot take this query"):
        Engine(engine.corpus, engine.index, {"shots": Broken}).shots(ShotQuery("red"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("5s", 5), ("1m30s", 90), ("1h", 3600), ("1.5s", 1.5), ("250ms", 0.25), ("1H2M", 3720)],
)
def test_durations_are_read(text: str, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "nan", "inf", "-5", "1:30", "five", "1s1m", "1e3", "9" * 30])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(SearchError, match="no duration"):
        parse_duration(text)
