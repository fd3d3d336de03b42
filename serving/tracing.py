"""The span of a request, which continues the trace that the caller began."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from steps import traces

Answered = Callable[[str, int], None]  # what a span is told of the answer: route and status
_FAILED = 500


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[Answered]:
    """Trace the body as a request, if this process traces; `headers` may name the caller's trace (W3C)."""
    if (tracer := traces.tracer()) is None:
        yield lambda _path, _status: None
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind, StatusCode

    asked = {"http.request.method": method}
    with tracer.start_as_current_span(method, extract(headers), SpanKind.SERVER, asked) as span:

        def answered(path: str, status: int) -> None:
            span.update_name(f"{method} {path}")
            span.set_attributes({"http.route": path, "http.response.status_code": status})
            if status >= _FAILED:
                span.set_status(StatusCode.ERROR)

        yield answered
