"""Who may do what: closed to everybody unless a role allows it, and never open to another site's page.

Every request passes the middleware. To see anything takes a reader, and to send anything an editor, but for what is
listed here; a route that takes a publisher says so itself. A new route is closed by that without a word of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from serving.access.attempts import Attempts
from serving.access.origin import from_here, same_site
from serving.access.roles import VARIABLES, Role, given_keys
from serving.access.sessions import read_name, read_session
from serving.problems import problem

SIGN_IN, SIGN_OUT = "/studio/sign-in", "/studio/sign-out"
OPEN = ("/livez", "/healthz", "/favicon.ico", SIGN_IN, SIGN_OUT)  # what tells nothing of what is in the store
OPEN_FOLDER = "/studio/static/"
QUESTIONS = ("/search", "/graphql")  # sent with POST, and yet only asked
ANONYMOUS = "anonymous"
_SAFE = ("GET", "HEAD", "OPTIONS")
_REASONS = {401: "key", 403: "forbidden", 429: "too-many-keys"}
_UNFRAMED = "frame-ancestors 'self'"  # no page of another site may lay its own over ours and have it clicked


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and what they may do."""

    role: Role
    name: str = ""
    known: bool = False  # by a key or a session


class Guard:
    """Middleware that lets pass who may, and tells everybody else in one line why not."""

    def __init__(self, app: ASGIApp, attempts: Attempts) -> None:
        self.app, self.attempts = app, attempts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refused = self._refused(connection)
        if refused is None:
            await self.app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await _told(connection, refused)(scope, receive, send)

    def _refused(self, connection: HTTPConnection) -> HTTPException | None:
        method, path = connection.scope.get("method", "websocket"), connection.scope["path"]
        if method not in _SAFE and not same_site(connection):
            return HTTPException(403, "pages of other sites may not write here; open the page from this server")
        address = connection.client.host if connection.client else ""
        if (sent := _bearer(connection)) and (wait_s := self.attempts.wait_s(address)) > 0:
            return too_many(wait_s)
        visitor = _visitor(connection, sent)
        if sent and not visitor.known and given_keys().by_role:
            self.attempts.wrong(address)
        connection.scope.setdefault("state", {})["visitor"] = visitor
        return refusal(visitor, _wanted(method, path))


def _wanted(method: str, path: str) -> Role:
    """The least role that a request takes."""
    if path in OPEN or path.startswith(OPEN_FOLDER):
        return Role.NOBODY
    asks = method in _SAFE or method == "websocket" or path in QUESTIONS
    return Role.READER if asks else Role.EDITOR


def too_many(wait_s: float) -> HTTPException:
    """The answer to one key too many."""
    wait = str(ceil(wait_s))
    return HTTPException(
        429, f"too many wrong keys came from your address; try again in {wait} s", {"Retry-After": wait}
    )


def refusal(visitor: Visitor, wanted: Role) -> HTTPException | None:
    """Why a visitor may not do what takes a role; None if they may."""
    if visitor.role >= wanted:
        return None
    keys = given_keys().by_role
    if not keys:
        name = VARIABLES[Role.EDITOR]
        return HTTPException(403, f"writes are taken from this machine only, unless the server is given {name}")
    needed = next((role for role in (wanted, Role.EDITOR, Role.PUBLISHER) if role in keys), None)
    if needed is None:
        return HTTPException(403, f"nobody may do this here: the server has no {VARIABLES[wanted]}")
    whose = f"the {needed.name.lower()}s' key"
    if visitor.known:
        return HTTPException(403, f"your key does not allow this; it takes {whose}")
    sentence = f"send {whose} as `Authorization: Bearer {VARIABLES[needed]}`, or sign in at {SIGN_IN}"
    return HTTPException(401, sentence, {"WWW-Authenticate": "Bearer"})


def _visitor(connection: HTTPConnection, sent: bytes) -> Visitor:
    keys = given_keys()
    if sent and (role := keys.owner(sent)):
        return Visitor(keys.granted(role), read_name(connection), known=True)
    if session := read_session(connection, keys):
        return Visitor(keys.granted(session.role), session.name, known=True)
    return Visitor(keys.unasked(here=from_here(connection)), read_name(connection))


def _bearer(connection: HTTPConnection) -> bytes:
    """The key in the header, as it was sent; empty if there is none."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip().encode("latin-1") if scheme.lower() == "bearer" else b""


def _told(connection: HTTPConnection, refused: HTTPException) -> Response:
    """A refusal as an answer; whoever opens a page without having signed in is led there."""
    page = connection.scope["method"] in _SAFE and "text/html" in connection.headers.get("accept", "")
    if refused.status_code == 401 and page:
        asked = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(asked, safe='/')}", 303)
    headers = dict(refused.headers or {})
    return problem(refused.status_code, _REASONS[refused.status_code], refused.detail, headers)


def _unframed(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Content-Security-Policy", _UNFRAMED)
        await send(message)

    return sent


_documented = HTTPBearer(auto_error=False, description="A key of the role; asked for only where the server has one.")
_Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(_documented)]


def _needs(role: Role) -> Callable[[Request, _Sent], None]:
    def check(request: Request, _: _Sent) -> None:
        if refused := refusal(request.state.visitor, role):
            raise refused

    return check


def _name(request: Request) -> str:
    visitor: Visitor = request.state.visitor
    return visitor.name or ANONYMOUS


Writes = Depends(_needs(Role.EDITOR))
Publishes = Depends(_needs(Role.PUBLISHER))
Who = Annotated[str, Depends(_name)]
