"""No request brings more than it may: counted while it streams in, whatever its headers promise."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import problem

MAX_UPLOAD_BYTES = 200_000_000
MAX_BODY_BYTES = 1_000_000  # of JSON


class BodyLimit:
    """Middleware that answers 413 as soon as a body is known to be too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        upload = headers.get("content-type", "").startswith("multipart/form-data")
        limit = MAX_UPLOAD_BYTES if upload else MAX_BODY_BYTES
        promised = headers.get("content-length", "0")
        if promised.isdecimal() and int(promised) > limit:
            await problem(413, "too-large", _sentence(limit), {"Connection": "close"})(scope, receive, send)
            return
        await self.app(scope, _Counted(receive, limit), send)


class _Counted:
    """A body that breaks off with 413 when it grows over the limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.left, self.limit = receive, limit, limit

    async def __call__(self) -> Message:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise HTTPException(413, _sentence(self.limit), {"Connection": "close"})
        return message


def _sentence(limit: int) -> str:
    return f"at most {limit / 1e6:g} MB are taken; send less, a short clip say"
