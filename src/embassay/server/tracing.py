"""OpenTelemetry: spans of requests, of batches with what was embedded in them, and of searches with their stages.

They are made of the events of a session, and hold names, counts and times: no text, no vector and no key. The standard
variables of the environment switch them on and say where they go, such as ``OTEL_EXPORTER_OTLP_ENDPOINT``; without one
of them nothing of OpenTelemetry is imported. A request takes part in the trace that its header ``traceparent`` names.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.events import Answered, BatchRan, Embedded, RequestBegan, Searched
from embassay.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AnyValue

    from embassay.events import Events

SWITCHES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
"""Where one of these is set, spans are sent, unless OTEL_SDK_DISABLED or ``OTEL_TRACES_EXPORTER=none`` forbid it."""
EXTRA = "embassay[otel]"
_STAGE = re.compile(r"[a-z_]+")
_log = logging.getLogger("embassay.server")


def started_tracing(events: Events) -> Tracing | None:
    """Spans as the environment asks for them; None where it does not, or the packages for it are not installed."""
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none"
    if off or not any(os.environ.get(name) for name in SWITCHES):
        return None
    try:
        provider = _provider()
    except ImportError:
        _log.warning("spans are not sent: %s", remedy.install(EXTRA))
        return None
    return Tracing(provider, events)


def _provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    known = {"service.version": VERSION}
    if "OTEL_SERVICE_NAME" not in os.environ and "service.name=" not in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        known["service.name"] = "embassay"
    provider = TracerProvider(resource=Resource.create(known))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Tracing:
    """Makes spans of events. Its listeners are called in whatever thread something happens."""

    def __init__(self, provider: TracerProvider, events: Events) -> None:
        """It closes `provider` with itself."""
        self._provider = provider
        self._tracer = provider.get_tracer("embassay", VERSION)
        self._here: ContextVar[Span | None] = ContextVar("span", default=None)
        self._open: dict[str, Span] = {}
        """Of requests that are under way, by their ids: batches are computed in threads of their own."""
        self._made = threading.local()
        """What was embedded in this thread, whose batch is told next."""
        listen = events.subscribe
        self._ends = [
            listen(RequestBegan, self._asked),
            listen(Answered, self._answered),
            listen(BatchRan, self._batch_ran),
            listen(Embedded, self._embedded),
            listen(Searched, self._searched),
        ]

    def close(self) -> None:
        """Send what was not sent yet."""
        for end in self._ends:
            end()
        self._provider.shutdown()

    def _asked(self, event: RequestBegan) -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        given = {"traceparent": event.traceparent, "tracestate": event.tracestate}
        parent = TraceContextTextMapPropagator().extract({name: value for name, value in given.items() if value})
        named = {"http.request.method": event.method, "http.route": event.route}
        name = f"{event.method} {event.route}".strip()
        span = self._tracer.start_span(name, context=parent, kind=SpanKind.SERVER, attributes=named)
        self._here.set(span)
        self._open[event.id] = span

    def _answered(self, event: Answered) -> None:
        from opentelemetry.trace import StatusCode

        span = self._here.get()
        if span is None:
            return
        if self._open.get(event.id) is span:
            del self._open[event.id]
        span.set_attribute("http.response.status_code", event.status)
        said: dict[str, AnyValue] = {
            "embassay.dialect": event.dialect,
            "embassay.set": event.set,
            "embassay.texts": event.texts,
            "gen_ai.request.model": event.model,
            "error.type": event.code,
        }
        for name, value in said.items():
            if value:
                span.set_attribute(name, value)
        if event.status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()

    def _batch_ran(self, event: BatchRan) -> None:
        from opentelemetry.trace import Link

        asked = [span for span in map(self._open.get, event.asked) if span is not None]
        links = [Link(span.get_span_context()) for span in asked[1:]]
        end = time.time_ns()
        start = end - round(event.took * 1e9)
        said: dict[str, AnyValue] = {
            "embassay.requests": event.requests,
            "embassay.texts": event.texts,
            "embassay.tokens.estimated": event.tokens,
            "embassay.role": event.role,
            "embassay.waited_ms": event.waited * 1e3,
            "gen_ai.request.model": event.model,
        }
        made, self._made.events = getattr(self._made, "events", []), []
        start = min([start, *(ended - round(embedded.seconds * 1e9) for embedded, ended in made)])
        batch = self._tracer.start_span("batch", _within(asked[0] if asked else None), start_time=start, links=links)
        batch.set_attributes(said)
        for embedded, ended in made:
            self._embed_span(embedded, ended, batch)
        batch.end(end)

    def _embedded(self, event: Embedded) -> None:
        if self._here.get() is not None:
            self._embed_span(event, time.time_ns(), self._here.get())
            return
        self._made.events = [*getattr(self._made, "events", []), (event, time.time_ns())][-8:]

    def _embed_span(self, event: Embedded, end: int, parent: Span | None) -> None:
        said: dict[str, AnyValue] = {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": event.model,
            "embassay.role": event.role,
            "embassay.texts": event.texts,
            "embassay.cached": event.cached,
            "embassay.truncated": event.truncated,
        }
        if event.tokens:
            said["gen_ai.usage.input_tokens"] = event.tokens
        self._span("embed", end - round(event.seconds * 1e9), end, parent, said)

    def _searched(self, event: Searched) -> None:
        end = time.time_ns()
        at = end - round(event.took_ms * 1e6)
        said: dict[str, AnyValue] = {
            "embassay.set": event.set,
            "embassay.pipeline": event.pipeline,
            "embassay.hits": len(event.hits),
        }
        search = self._tracer.start_span("search", _within(self._here.get()), start_time=at, attributes=said)
        for step in event.trace:
            stage = str(step["stage"])
            until = at + round(float(str(step["ms"])) * 1e6)
            named: dict[str, AnyValue] = {"embassay.stage": stage, "embassay.kept": int(str(step["kept"]))}
            short = _STAGE.match(stage)
            self._span(short.group() if short else "stage", at, until, search, named)
            at = until  # stages run one after the other
        search.end(end)

    def _span(self, name: str, start: int, end: int, parent: Span | None, said: dict[str, AnyValue]) -> None:
        self._tracer.start_span(name, _within(parent), start_time=start, attributes=said).end(end)


def _within(parent: Span | None) -> Context | None:
    """The context of a span whose parent is `parent`; the one that is there anyway for None."""
    from opentelemetry.trace import set_span_in_context

    return None if parent is None else set_span_in_context(parent)
