"""Who a browser is, kept in its cookies: signed with a role's key, or a bare name where no key is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from serving.access.roles import Keys, Role

SESSION, NAME = "rushes_session", "rushes_name"
LASTS_S = 12 * 3600
_NAME_LASTS_S = 365 * 24 * 3600
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in with a key."""

    role: Role  # whose key it was
    name: str


def keep_session(response: Response, session: Session, keys: Keys, *, https: bool) -> None:
    """Send a browser the cookie of its session."""
    signed = _serializer(keys, session.role).dumps(session.name)
    response.set_cookie(SESSION, signed, max_age=LASTS_S, httponly=True, samesite="lax", secure=https)


def read_session(connection: HTTPConnection, keys: Keys) -> Session | None:
    """The session that a cookie tells of; None if there is none, it is over, or its key was changed."""
    signed = connection.cookies.get(SESSION, "")
    for role in keys.by_role if signed else ():
        try:
            return Session(role, str(_serializer(keys, role).loads(signed, max_age=LASTS_S)))
        except BadData:
            continue
    return None


def forget(response: Response) -> None:
    """End the session of a browser."""
    response.delete_cookie(SESSION, httponly=True, samesite="lax")


def keep_name(response: Response, name: str, *, https: bool) -> None:
    """Send a browser the cookie with the name of whoever sits before it."""
    response.set_cookie(NAME, quote(name), max_age=_NAME_LASTS_S, httponly=True, samesite="lax", secure=https)


def read_name(connection: HTTPConnection) -> str:
    """The name in a cookie; empty if there is none."""
    return tidy(unquote(connection.cookies.get(NAME, "")))


def tidy(name: str) -> str:
    """A name in one line of at most 80 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:MAX_NAME].strip()


def _serializer(keys: Keys, role: Role) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(keys.secret(role), salt=f"rushes {role.name}")
