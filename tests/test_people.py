"""Speakers across episodes: voices given as arrows in a plane, so that who is like whom can be seen."""

from math import cos, radians, sin

import pytest
from heard_store import audible
from live_server import served
from stocked_store import LAMP

from featurization.media import Asset, Hearing, Sentence, Turn, Voice
from steps.feedback import FeedbackError
from steps.people import PEOPLE, know_people, known_people, name_person, with_names
from steps.store import Store
from steps.tables import ASSETS, VOICES

WHEN = "2026-11-27T09:00:00+00:00"


def asset(asset_id, *persons, show="Harbour"):
    return Asset(
        asset_id=asset_id,
        sha256=asset_id * 4,
        blob="",
        size_bytes=1,
        duration_s=60,
        kind="audio",
        container="mp3",
        codec="mp3",
        rate_hz=16_000,
        channels=1,
        title=asset_id,
        source="",
        show=show,
        published=asset_id,
        persons=persons,
    )


def voices(*degrees, space="arrows", spoken_s=30.0):
    return tuple(
        Voice(f"S{number}", spoken_s, space, (cos(radians(angle)), sin(radians(angle))))
        for number, angle in enumerate(degrees, start=1)
    )


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def hear(store, **episodes):
    """Commit episodes given as (asset, voices) and find who speaks in them; people by episode and speaker."""
    store.commit(
        "heard", {ASSETS: {k: [a] for k, (a, _) in episodes.items()}, VOICES: {k: v for k, (_, v) in episodes.items()}}
    )
    store.commit("heard", know_people(list(episodes), store=store))
    return {(key, one.speaker): one for key, people in store.read(PEOPLE).items() for one in people}


def test_the_same_voice_is_the_same_person_and_another_is_not(store):
    people = hear(
        store, e1=(asset("e1"), voices(0, 90)), e2=(asset("e2"), voices(85, 10)), e3=(asset("e3"), voices(45))
    )
    assert people["e1", "S1"].person == people["e2", "S2"].person
    assert people["e1", "S2"].person == people["e2", "S1"].person
    assert people["e3", "S1"].person not in {people["e1", "S1"].person, people["e1", "S2"].person}
    assert people["e2", "S2"].likeness == pytest.approx(cos(radians(10)), abs=1e-4)


def test_two_voices_of_one_episode_are_two_people(store):
    people = hear(store, e1=(asset("e1"), voices(0)), e2=(asset("e2"), voices(2, 4)))
    assert people["e2", "S1"].person == people["e1", "S1"].person
    assert people["e2", "S2"].person != people["e2", "S1"].person


def test_other_shows_and_other_spaces_are_never_compared(store):
    people = hear(
        store,
        e1=(asset("e1"), voices(0)),
        e2=(asset("e2", show="Tower"), voices(0)),
        e3=(asset("e3"), voices(0, space="other")),
    )
    assert len({one.person for one in people.values()}) == 3


def test_who_was_known_keeps_the_id_whatever_is_heard_again(store):
    first = hear(store, e1=(asset("e1"), voices(0, 90)), e2=(asset("e2"), voices(0)))
    again = hear(store, e1=(asset("e1"), voices(88, 3)))
    assert again["e1", "S1"].person == first["e1", "S2"].person
    assert again["e1", "S2"].person == first["e1", "S1"].person == again["e2", "S1"].person
    assert know_people(["e1", "e2"], store=store) == {PEOPLE: {}}


def test_an_older_episode_that_comes_late_changes_no_id(store):
    first = hear(store, e2=(asset("e2"), voices(0)))
    assert hear(store, e1=(asset("e1"), voices(0)))["e2", "S1"].person == first["e2", "S1"].person


def test_the_only_host_is_the_voice_of_most_episodes_and_the_guest_who_is_left(store):
    host = "Ann Lee (host)"
    hear(
        store,
        e1=(asset("e1", host), voices(0)),
        e2=(asset("e2", host, "Bo Ray (guest)"), voices(80, 1)),
        e3=(asset("e3", host, "Cy Fox (guest)", "Di Moe (guest)"), voices(0, 120, 240)),
    )
    assert [(k.speaker, k.name) for k in known_people("e2", store=store)] == [("S1", "Bo Ray"), ("S2", "Ann Lee")]
    assert [k.name for k in known_people("e3", store=store)] == ["Ann Lee", "", ""]


def test_two_hosts_and_two_voices_are_not_guessed(store):
    both = ("Ann Lee (host)", "Bo Ray (host)")
    hear(store, e1=(asset("e1", *both), voices(0, 90)), e2=(asset("e2", *both), voices(0, 90)))
    assert {k.name for k in known_people("e1", store=store)} == {""}


def test_a_name_holds_in_all_episodes_outlives_hearing_and_may_be_taken_back(store):
    people = hear(store, e1=(asset("e1", "Ann Lee (host)"), voices(0)), e2=(asset("e2", "Ann Lee (host)"), voices(0)))
    name_person(people["e1", "S1"].person, " Anna Leigh ", who="ed", when=WHEN, store=store)
    hear(store, e2=(asset("e2", "Ann Lee (host)"), voices(90, 5)))
    assert [k.name for k in known_people("e1", store=store)] == ["Anna Leigh"]
    assert {k.speaker: k.name for k in known_people("e2", store=store)}["S2"] == "Anna Leigh"
    name_person(people["e1", "S1"].person, "", who="ed", when=WHEN.replace("09:", "10:"), store=store)
    assert [k.name for k in known_people("e1", store=store)] == ["Ann Lee"]


def test_nobody_is_named_who_is_not_there(store):
    with pytest.raises(FeedbackError, match="no person"):
        name_person("0" * 16, "Ann", who="ed", when=WHEN, store=store)


def test_names_take_the_place_of_speakers_where_they_are_known(store):
    people = hear(store, e1=(asset("e1"), voices(0, 90)))
    name_person(people["e1", "S2"].person, "Bo Ray", who="ed", when=WHEN, store=store)
    heard = Hearing(
        profile=None, turns=(Turn(0, 1, "S1"), Turn(1, 2, "S2")), sentences=(Sentence(1, 2, "Yes.", speaker="S2"),)
    )
    named = with_names(heard, known_people("e1", store=store))
    assert [turn.speaker for turn in named.turns] == ["S1", "Bo Ray"]
    assert named.sentences[0].speaker == "Bo Ray"


def test_a_speaker_is_named_in_the_studio_and_shown_everywhere(tmp_path):
    store = audible(tmp_path / "store")
    store.commit("voices", {VOICES: {LAMP: voices(0, 90)}})
    store.commit("people", know_people([LAMP], store=store))
    person = next(one.person for one in known_people(LAMP, store=store) if one.speaker == "S1")
    with served(store) as client:
        sent = client.post(f"/studio/episodes/{LAMP}/people", data={"person": person, "name": "Ann <Lee>"})
        assert sent.status_code == 303
        assert "Ann &lt;Lee&gt;" in client.get(f"/studio/episodes/{LAMP}").text
        assert {"speaker": "S1", "person": person, "name": "Ann <Lee>", "likeness": 1.0} in client.get(
            f"/assets/{LAMP}/timeline"
        ).json()["people"]
        refused = client.post(f"/studio/episodes/{LAMP}/people", data={"person": "f" * 16, "name": "Ann"})
        assert refused.status_code == 422
