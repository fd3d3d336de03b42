"""GraphQL gives the answers of REST, says what people can mend, and refuses what costs too much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fastapi.testclient import TestClient
from searchable_store import ENCODERS, HILL, SEA, TALK, searchable

from search.open_index import open_index
from serving.api import create_app
from serving.graphql import MAX_ALIASES
from steps.index import publish


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("graphql") / "store"
    store = searchable(folder)
    with closing(open_index(str(folder / "index"))) as index:
        publish(store, index, run="test", spaces={})
    with TestClient(create_app(store, ENCODERS)) as client:
        yield client


def ask(client: TestClient, query: str, **variables: object) -> dict[str, Any]:
    return client.post("/graphql", json={"query": query, "variables": variables}).json()


def test_shots_are_those_of_rest(client: TestClient):
    query = """query ($tag: [String!]!) {
        shots(tag: $tag, minDuration: "5s") {
            total next notes items { id assetId start end timecode confidence why tags { label confidence } thumbnail }
        }
    }"""
    page = ask(client, query, tag=["night"])["data"]["shots"]
    rest = client.get("/shots?tag=night&min_duration=5s").json()
    assert [item["id"] for item in page["items"]] == [item["id"] for item in rest["items"]]
    assert page["items"][0] == {
        "id": f"{SEA}-0002",
        "assetId": SEA,
        "start": 9.0,
        "end": 20.0,
        "timecode": "00:00:09.000",
        "confidence": 0.9,
        "why": ["tagged night 0.90"],
        "tags": [{"label": "night", "confidence": 0.9}],
        "thumbnail": f"/shots/{SEA}-0002/thumbnail.webp",
    }


def test_pictures_words_and_moments(client: TestClient):
    query = """query ($hill: String!, $shot: String!) {
        shots(q: "red", asset: $hill) { items { id } }
        dialogue(q: "flour") { items { assetId text words { text matched } } }
        moments(q: "says:harbour tag:night sound:music") { items { start end evidence { layer } } }
        shot(id: $shot) { number transition }
    }"""
    found = ask(client, query, hill=HILL, shot=f"{SEA}-0001")["data"]
    assert found["shots"]["items"] == [{"id": f"{HILL}-0002"}]
    assert found["dialogue"]["items"][0]["assetId"] == TALK
    assert [word["text"] for word in found["dialogue"]["items"][0]["words"] if word["matched"]] == ["flour"]
    assert (found["moments"]["items"][0]["start"], found["moments"]["items"][0]["end"]) == (12.5, 14.0)
    assert found["shot"] == {"number": 1, "transition": "cut"}


def test_assets_and_previews(client: TestClient):
    query = "query ($id: String!) { assets { items { assetId state } } asset(id: $id) { title } previews { total } }"
    found = ask(client, query, id=SEA)
    assert found["data"]["assets"]["items"][0] == {"assetId": TALK, "state": "heard"}
    assert found["data"]["asset"] == {"title": "The sea"}
    assert found["data"]["previews"] == {"total": 0}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('{ shots(minDuration: "five") { total } }', "is no duration"),
        ('{ shots(sort: "size") { total } }', "sort must be one of"),
        ("{ shots(limit: 0) { total } }", "limit must be"),
        ('{ shots(group: "show") { total } }', "group must be"),
        ('{ dialogue(q: "") { total } }', "empty"),
        ('{ dialogue(q: "a", mode: "loud") { total } }', "mode must be"),
        ('{ moments(q: "harbour") { total } }', "is no condition"),
        ('{ asset(id: "ffff") { title } }', "no asset"),
        ('{ shot(id: "ffff") { id } }', "no shot"),
        ('{ assets(state: "lost") { total } }', "state must be"),
        ('{ previews(status: "lost") { total } }', "status must be"),
        ("{ previews(limit: 9999) { total } }", "limit must be"),
        ("{ colours }", "Cannot query field"),
        ("{ shots(", "Syntax Error"),
    ],
)
def test_what_cannot_be_asked_is_said(client: TestClient, query: str, said: str):
    answer = ask(client, query)
    assert said in answer["errors"][0]["message"]
    assert "Traceback" not in str(answer)


def test_what_costs_too_much_is_refused(client: TestClient):
    many = " ".join(f"a{n}: shots {{ total }}" for n in range(MAX_ALIASES + 1))
    assert "aliases" in ask(client, f"{{ {many} }}")["errors"][0]["message"]
    deep = "fields { type { " * 6 + "name" + " } }" * 6
    assert "introspection" in ask(client, f"{{ __schema {{ types {{ {deep} }} }} }}")["errors"][0]["message"].casefold()
    long = " ".join("total" for _ in range(2000))
    assert "tokens" in ask(client, f"{{ shots {{ {long} }} }}")["errors"][0]["message"].casefold()


def test_no_page_is_loaded_from_elsewhere(client: TestClient):
    answer = client.get("/graphql", headers={"Accept": "text/html"})
    assert answer.status_code >= 400
    assert "<script" not in answer.text
