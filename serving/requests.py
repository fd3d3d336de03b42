"""Every request, from outside in: named, counted, timed, told and traced."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.metrics import Metrics
from serving.tracing import Answered, request_span
from steps.logs import noting

log = logging.getLogger(__name__)
ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[\w.-]{1,64}")
_ROUTINE = ("/healthz", "/livez", "/metrics")
_WRONG, _FAILED = 400, 500


@dataclass
class _Answer:
    """What is known of an answer once it has begun."""

    status: int = _FAILED  # if it never begins
    path: str = "other"  # the route; addresses that are no route count as one


class Requests:
    """Middleware around everything else. A sensible request id that comes in is kept; each answer carries one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, answer = Headers(scope=scope), _Answer()
        name = _name(headers.get(ID_HEADER, ""))

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.path = message["status"], getattr(scope.get("route"), "path", "other")
                MutableHeaders(scope=message)[ID_HEADER] = name
            await send(message)

        method = scope["method"]
        with noting(request=name), request_span(method, headers) as answered, self._counted(method, answer, answered):
            await self.app(scope, receive, named)

    @contextmanager
    def _counted(self, method: str, answer: _Answer, answered: Answered) -> Iterator[None]:
        begun = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            try:
                yield
            finally:
                seconds = time.perf_counter() - begun
                self.metrics.requests.labels(answer.path, str(answer.status)).inc()
                self.metrics.seconds.labels(answer.path).observe(seconds)
                answered(answer.path, answer.status)
                _tell(method, answer, seconds)


def _tell(method: str, answer: _Answer, seconds: float) -> None:
    """One line; what machines ask every few seconds is only told if it goes wrong."""
    level = logging.DEBUG if answer.path in _ROUTINE and answer.status < _WRONG else logging.INFO
    facts = {"method": method, "route": answer.path, "status": answer.status, "ms": round(1000 * seconds, 1)}
    log.log(level, "%s %s %d", method, answer.path, answer.status, extra={"facts": facts})


def _name(sent: str) -> str:
    return sent if _ID.fullmatch(sent) else secrets.token_hex(8)
