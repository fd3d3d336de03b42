"""Keys and roles: what each may do, that a new route is closed, and that no other site's page acts for a visitor."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from stocked_store import LAMP, stocked
from typer.testing import CliRunner

from serving import cli, guard
from serving.access import attempts, sessions
from serving.access.origin import local_path, loopback
from serving.access.roles import VARIABLES, Role
from serving.access.sessions import SESSION, tidy
from serving.api import create_app
from serving.guard import Publishes, Who

KEYS = {Role.READER: "look-1", Role.EDITOR: "mark-2", Role.PUBLISHER: "show-3"}
LABEL = {"asset_id": LAMP, "start": 1, "end": 2, "label": "storm"}
HERE, AWAY = ("127.0.0.1", 5), ("192.0.2.7", 5)
SIGN_IN = "/studio/sign-in"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access") / "store"
    stocked(folder)
    return folder


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES.values():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with all three keys."""
    for role, key in KEYS.items():
        monkeypatch.setenv(VARIABLES[role], key)


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with asking(folder) as client:
        yield client


def asking(folder: Path, client: tuple[str, int] = HERE, base_url: str = "http://127.0.0.1") -> TestClient:
    """A client of a new server, which has two routes more than ours."""
    from steps.store import Store

    app = create_app(Store(str(folder)), {})

    @app.post("/deploy", dependencies=[Publishes])
    def deploy(who: Who) -> str:
        return who

    @app.post("/new")
    def new() -> None: ...

    return TestClient(app, base_url=base_url, client=client, follow_redirects=False)


def bearer(role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[role]}"}


def sign_in(client: TestClient, role: Role, name: str = "Ada", next: str = "") -> str:
    answer = client.post(SIGN_IN, data={"key": KEYS[role], "name": name, "next": next})
    assert answer.status_code == 303
    return answer.headers["location"]


def statuses(client: TestClient, headers: dict[str, str] | None = None) -> list[int]:
    """Of looking, of labelling, of deploying."""
    return [
        client.get("/assets", headers=headers).status_code,
        client.post("/labels", json=LABEL, headers=headers).status_code,
        client.post("/deploy", headers=headers).status_code,
    ]


# roles --------------------------------------------------------------------------------------------------------------


def test_each_role_may_do_what_those_before_it_may(given: None, client: TestClient):
    assert statuses(client) == [401, 401, 401]
    assert statuses(client, bearer(Role.READER)) == [200, 403, 403]
    assert statuses(client, bearer(Role.EDITOR)) == [200, 201, 403]
    assert statuses(client, bearer(Role.PUBLISHER)) == [200, 201, 200]


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.READER, [200, 403, 403]), (Role.EDITOR, [200, 201, 403]), (Role.PUBLISHER, [200, 201, 200])],
)
def test_a_session_may_do_what_its_key_may(given: None, client: TestClient, role: Role, expected: Sequence[int]):
    sign_in(client, role)
    assert statuses(client) == list(expected)


def test_without_a_publishers_key_editors_publish(given: None, monkeypatch: pytest.MonkeyPatch, client: TestClient):
    monkeypatch.delenv(VARIABLES[Role.PUBLISHER])
    assert statuses(client, bearer(Role.EDITOR)) == [200, 201, 200]
    sign_in(client, Role.EDITOR)
    assert statuses(client) == [200, 201, 200]
    assert statuses(client, bearer(Role.READER)) == [200, 403, 403]


def test_without_any_key_this_machine_may_do_everything_and_others_look(folder: Path):
    assert statuses(asking(folder)) == [200, 201, 200]
    assert statuses(asking(folder, AWAY)) == [200, 403, 403]
    assert statuses(asking(folder, base_url="http://evil.example")) == [200, 403, 403]


def test_with_an_editors_key_alone_everybody_looks(monkeypatch: pytest.MonkeyPatch, client: TestClient):
    monkeypatch.setenv(VARIABLES[Role.EDITOR], KEYS[Role.EDITOR])
    assert statuses(client) == [200, 401, 401]
    assert statuses(client, bearer(Role.EDITOR)) == [200, 201, 200]


def test_a_refusal_says_in_one_line_what_it_takes(given: None, client: TestClient):
    refused = client.post("/labels", json=LABEL)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["detail"] == (
        "send the editors' key as `Authorization: Bearer RUSHES_EDITOR_KEY`, or sign in at /studio/sign-in"
    )
    assert "takes the publishers' key" in client.post("/deploy", headers=bearer(Role.EDITOR)).json()["detail"]


def test_a_key_may_have_any_letters(monkeypatch: pytest.MonkeyPatch, client: TestClient):
    monkeypatch.setenv(VARIABLES[Role.READER], "schlüssel")
    assert client.get("/assets", headers={"Authorization": "Bearer schlüssel".encode()}).status_code == 200
    assert client.get("/assets", headers={"Authorization": "Bearer schlussel"}).status_code == 401
    assert client.get("/assets", headers={"Authorization": b"Bearer \xff\xfe"}).status_code == 401


# closed by default --------------------------------------------------------------------------------------------------


def test_every_route_is_closed_but_those_that_tell_nothing(given: None, client: TestClient):
    for route in client.app.routes:
        path = re.sub(r"{[^}]*}", "x", getattr(route, "path", ""))
        for method in getattr(route, "methods", None) or ("GET",):
            status = client.request(method, path).status_code
            if path in guard.OPEN or path == "/studio/static":
                continue
            assert status == 401, (method, path)


def test_whatever_is_sent_takes_an_editor_unless_it_only_asks(given: None, client: TestClient):
    sent = {
        (route.path, method)
        for route in client.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods - {"GET", "HEAD", "OPTIONS"}
    }
    assert ("/new", "POST") in sent
    for path, method in sent:
        if path not in (*guard.QUESTIONS, *guard.OPEN):
            status = client.request(method, re.sub(r"{[^}]*}", "x", path), headers=bearer(Role.READER)).status_code
            assert status == 403, (method, path)


def test_what_is_open_tells_nothing_of_the_store(given: None, client: TestClient):
    assert client.get("/livez").json()["status"] == "ok"
    assert set(client.get("/healthz").json()) == {"status", "version", "snapshot", "generation"}
    assert client.get("/metrics").status_code == 401
    assert client.get("/studio/static/studio.css").status_code == 200
    for way_out in ("../pages.py", "%2e%2e/pages.py", "..%2fpages.py", "../../../assets"):
        assert client.get(f"/studio/static/{way_out}").status_code in (401, 404)


def test_questions_are_asked_by_readers_and_by_nobody_else(given: None, client: TestClient):
    asked = {"query": "{ assets { total } }"}
    assert client.post("/graphql", json=asked).status_code == 401
    assert client.post("/graphql", json=asked, headers=bearer(Role.READER)).json()["data"]["assets"]["total"] == 5


@pytest.mark.parametrize("headers", [{}, {**bearer(Role.READER), "Origin": "http://evil.example"}])
def test_subscriptions_are_closed_too(given: None, client: TestClient, headers: dict[str, str]):
    asked = client.websocket_connect("/graphql", ["graphql-transport-ws"], headers=headers)
    with pytest.raises(WebSocketDisconnect), asked:
        pass


# sessions -----------------------------------------------------------------------------------------------------------


def test_a_page_leads_to_signing_in_and_back(given: None, client: TestClient):
    led = client.get("/assets?limit=2&state=heard", headers={"Accept": "text/html,*/*"})
    assert (led.status_code, led.headers["location"]) == (303, f"{SIGN_IN}?next=/assets%3Flimit%3D2%26state%3Dheard")
    page = client.get(led.headers["location"])
    assert 'value="/assets?limit=2&amp;state=heard"' in page.text
    assert sign_in(client, Role.READER, next="/assets?limit=2&state=heard") == "/assets?limit=2&state=heard"
    assert len(client.get("/assets?limit=2&state=heard").json()["items"]) == 1


@pytest.mark.parametrize(
    "address",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", " //evil.example"),
        *("/\t/evil.example", "/\n/evil.example", "javascript:0", "", "x", "/a b"),
    ],
)
def test_signing_in_leads_nowhere_else(given: None, client: TestClient, address: str):
    assert local_path(address) == ""
    assert sign_in(client, Role.READER, next=address) == "/studio"


def test_the_cookie_is_kept_from_scripts_and_other_sites(given: None, folder: Path):
    plain, tls = (asking(folder, base_url=f"{scheme}://127.0.0.1") for scheme in ("http", "https"))
    answers = [one.post(SIGN_IN, data={"key": KEYS[Role.READER], "name": "Ada"}) for one in (plain, tls)]
    parts = [set(answer.headers["set-cookie"].lower().split("; ")[1:]) for answer in answers]
    assert {"httponly", "samesite=lax", "path=/", f"max-age={sessions.LASTS_S}"} <= parts[0]
    assert parts[1] - parts[0] == {"secure"}
    assert not any(key in str(answer.headers) for answer in answers for key in KEYS.values())


def test_who_is_the_name_that_was_said(given: None, client: TestClient):
    sign_in(client, Role.PUBLISHER, "  Ada \u202e Lovelace\n ")
    assert client.post("/deploy").json() == "Ada Lovelace"
    assert tidy("я" * 200) == "я" * 80


def test_nobody_signs_in_without_a_name(given: None, client: TestClient):
    refused = client.post(SIGN_IN, data={"key": KEYS[Role.READER], "name": " \u200b "})
    assert (refused.status_code, SESSION in client.cookies) == (422, False)
    assert "Say your name" in refused.text


def test_on_this_machine_a_name_is_said_once(client: TestClient):
    assert client.post("/deploy").json() == "anonymous"
    assert client.post("/studio/name", data={"name": "Zoë; path=/"}).status_code == 204
    assert client.post("/deploy").json() == "Zoë; path=/"
    assert client.post("/studio/name", data={"name": " \n "}).status_code == 422
    assert client.get(SIGN_IN).headers["location"] == "/studio"


def test_signing_out_ends_the_session(given: None, client: TestClient):
    sign_in(client, Role.READER)
    assert client.post("/studio/sign-out").headers["location"] == SIGN_IN
    assert client.get("/assets").status_code == 401


def test_another_key_ends_the_sessions_of_its_role_and_no_others(
    given: None, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    reader, editor = asking(folder), asking(folder)
    sign_in(reader, Role.READER)
    sign_in(editor, Role.EDITOR)
    monkeypatch.setenv(VARIABLES[Role.READER], "look-anew")
    assert (reader.get("/assets").status_code, editor.get("/assets").status_code) == (401, 200)


def test_a_session_ends_by_itself(given: None, monkeypatch: pytest.MonkeyPatch, client: TestClient):
    sign_in(client, Role.READER)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + sessions.LASTS_S + 5)
    assert client.get("/assets").status_code == 401


def test_a_cookie_that_was_changed_opens_nothing(given: None, client: TestClient):
    sign_in(client, Role.READER)
    good = client.cookies[SESSION]
    for cookie in ("", "x", good[:-2], good + "x", "x" + good, good.replace(".", "..", 1), "é"):
        answer = client.get("/assets", headers={"Cookie": f"{SESSION}={cookie}".encode()})
        assert answer.status_code == 401, cookie


# wrong keys ---------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_told_in_one_line(given: None, client: TestClient):
    refused = client.post(SIGN_IN, data={"key": "guess", "name": "Ada", "next": "/assets"})
    assert refused.status_code == 401
    assert "This key is not known here" in refused.text
    assert 'value="Ada"' in refused.text
    assert "guess" not in refused.text


def test_who_guesses_must_wait_and_others_need_not(given: None, monkeypatch: pytest.MonkeyPatch, client: TestClient):
    sign_in(client, Role.READER)
    wrong = {"Authorization": "Bearer guess", "Cookie": ""}
    told = [client.get("/assets", headers=wrong).status_code for _ in range(attempts.MAX_WRONG + 2)]
    assert told == [401] * attempts.MAX_WRONG + [429] * 2
    late = client.get("/assets", headers={**bearer(Role.EDITOR)})
    assert (late.status_code, 0 < int(late.headers["retry-after"]) <= attempts.WINDOW_S) == (429, True)
    assert client.post(SIGN_IN, data={"key": KEYS[Role.READER], "name": "Ada"}).status_code == 429
    assert client.get("/assets").status_code == 200  # whoever is signed in works on
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + attempts.WINDOW_S + 1)
    assert client.get("/assets", headers=bearer(Role.EDITOR)).status_code == 200


# other sites --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing_for_who_is_signed_in(
    given: None, client: TestClient, sent: dict[str, str]
):
    sign_in(client, Role.PUBLISHER)
    for path in ("/deploy", "/new", "/labels", "/graphql", "/studio/sign-out", "/studio/name", SIGN_IN):
        refused = client.post(path, data={"name": "Eve", "key": KEYS[Role.READER]}, headers=sent)
        assert (refused.status_code, refused.json()["reason"]) == (403, "forbidden"), path
    own = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/deploy", headers=own).json() == "Ada"


def test_no_other_site_may_lay_its_page_over_ours(client: TestClient):
    assert client.get("/assets").headers["content-security-policy"] == "frame-ancestors 'self'"


# listening ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "keys", "said"),
    [
        ("0.0.0.0", (), "set RUSHES_READER_KEY and RUSHES_EDITOR_KEY; `openssl rand -hex 24` makes one"),
        ("::", (Role.READER,), "set RUSHES_EDITOR_KEY;"),
        ("192.0.2.7", (Role.EDITOR, Role.PUBLISHER), "set RUSHES_READER_KEY;"),
        ("127.0.0.1", (Role.READER,), "set RUSHES_EDITOR_KEY too"),
    ],
)
def test_nothing_is_served_that_anybody_could_change(
    monkeypatch: pytest.MonkeyPatch, host: str, keys: Sequence[Role], said: str
):
    for role in keys:
        monkeypatch.setenv(VARIABLES[role], KEYS[role])
    ended = CliRunner().invoke(cli.app, ["serve", "--host", host, "--port", "0"])
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_one_key_is_one_role(monkeypatch: pytest.MonkeyPatch):
    for name in VARIABLES.values():
        monkeypatch.setenv(name, "same")
    ended = CliRunner().invoke(cli.app, ["serve", "--host", "0.0.0.0", "--port", "0"])
    assert (ended.exit_code, "give each its own" in ended.stderr) == (2, True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_names_of_this_machine(host: str):
    assert loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.7", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_other_names(host: str):
    assert not loopback(host)
