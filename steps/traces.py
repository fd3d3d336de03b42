"""What took how long, where, as OpenTelemetry spans: only where the standard variables name a collector.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) switches tracing on; the other `OTEL_*`
variables of the SDK and of its OTLP exporter hold too. Without one nothing is imported, and a span costs nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from featurization.errors import ConfigError
from steps.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class _Process:
    """What this process traces with; a thread that knows no span of its own belongs to `within`."""

    tracer: Tracer | None = None
    within: Context | None = None


_process = _Process()


def exporting() -> bool:
    """Whether a collector is named. ConfigError if it is to be spoken to in a way that we do not speak."""
    named = any(map(os.environ.get, _ENDPOINTS)) and os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp"
    if not named or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    for name in _PROTOCOLS:
        if (protocol := os.environ.get(name, "http/protobuf")) != "http/protobuf":
            way = "only http/protobuf is spoken here; name the HTTP port of the collector, as a rule 4318"
            raise ConfigError(f"{name}={protocol}: {way}")
    return True


def trace_id(run: str) -> str:
    """The trace that all tasks of a run, "FLOW/ID", are part of, wherever they run: 32 hex digits."""
    return hashlib.sha256(run.encode()).hexdigest()[:32]


@contextmanager
def tracing(run: str = "") -> Iterator[None]:
    """Send the spans that are opened inside, in any thread, to the collector; the last ones when it ends.

    Spans of a run, "FLOW/ID", are part of one trace. ConfigError if a collector is named and the SDK is not installed.
    """
    if not exporting():
        yield
        return
    provider = _provider(run)
    _process.tracer = provider.get_tracer("rushes", VERSION)
    try:
        yield
    finally:
        _process.tracer = None
        provider.shutdown()


@contextmanager
def task_span(run: str, step: str, task: str) -> Iterator[None]:
    """The span of one task of a run, "FLOW/ID"; what is opened inside becomes part of it, in any thread."""
    flow, _, number = run.partition("/")
    with tracing(run), span(f"{flow}.{step}", flow=flow, run=number, step=step, task=task):
        _process.within = _here() if _process.tracer else None
        try:
            yield
        finally:
            _process.within = None


@contextmanager
def span(name: str, **attributes: str | float) -> Iterator[None]:
    """Trace the body under a name; an error that leaves it is recorded. Attributes are named `rushes.NAME`."""
    tracer = _process.tracer
    if tracer is None:
        yield
        return
    named = {f"rushes.{key}": value for key, value in attributes.items()}
    with tracer.start_as_current_span(name, context=_parent(), attributes=named):
        yield


def tracer() -> Tracer | None:
    """What this process traces with; None where nothing is traced."""
    return _process.tracer


def _parent() -> Context | None:
    """The current span's context, else that of the task, for threads that began without one."""
    from opentelemetry.trace import get_current_span

    return None if get_current_span().get_span_context().is_valid else _process.within


def _here() -> Context:
    from opentelemetry.context import get_current

    return get_current()


def _provider(run: str) -> TracerProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    except ImportError as error:
        way = "install the extra `traces`, or name no collector in OTEL_EXPORTER_OTLP_ENDPOINT"
        raise ConfigError(f"traces cannot be sent ({error}); {way}") from error

    class OfRun(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return int(trace_id(run), 16) if run else super().generate_trace_id()

    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # that it gave up, not each try before
    who = {"service.version": VERSION} | ({} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "rushes"})
    provider = TracerProvider(resource=Resource.create(who), id_generator=OfRun(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
