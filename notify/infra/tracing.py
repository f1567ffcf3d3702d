"""Traces for OpenTelemetry, if an exporter is configured (`OTEL_EXPORTER_OTLP_ENDPOINT`); otherwise nothing is
imported, and a span is a shared object that does nothing (docs/decisions/0012-observability.md).

A request's id is also the id of its trace, so that logs and traces can be matched. A message keeps its trace: a process
that handles it later, alone or with others, adds to it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

from cachetools import TTLCache

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link, SpanContext, Tracer

PARENT_HEADER: Final = "traceparent"
MESSAGES_HEADER: Final = "notify_traces"
"""Header of a task: a W3C `traceparent` for each id among its arguments that has a trace."""

KNOWN_MESSAGES: Final = 50_000
KNOWN_SECONDS: Final = 900

_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}")
_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


class Span(Protocol):
    """Operations on the current span."""

    def set_attribute(self, key: str, value: Any) -> None: ...
    def update_name(self, name: str) -> None: ...


class _NoSpan:
    def set_attribute(self, key: str, value: Any) -> None:
        """Does nothing."""

    def update_name(self, name: str) -> None:
        """Does nothing."""


_NOTHING: Final = nullcontext(_NoSpan())


class MissingLibraryError(Exception):
    """An exporter is configured, but the library is not installed. The message is one line."""

    def __init__(self) -> None:
        super().__init__("OTEL_EXPORTER_OTLP_ENDPOINT: needs the extra `tracing` (pip install 'notify[tracing]')")


class _Tracing:
    """The tracer of a process."""

    def __init__(self, service_name: str) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        except ImportError:
            raise MissingLibraryError from None

        self.wanted_trace_id: ContextVar[int] = ContextVar("wanted_trace_id", default=0)
        wanted = self.wanted_trace_id

        class Ids(RandomIdGenerator):
            """A trace that begins with a request has the request's id."""

            def generate_trace_id(self) -> int:
                return wanted.get() or super().generate_trace_id()

        self.provider: TracerProvider = TracerProvider(
            resource=Resource.create({"service.name": service_name}), id_generator=Ids(), shutdown_on_exit=True
        )
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.trace = trace
        self.tracer: Tracer = self.provider.get_tracer("notify")
        self._messages: TTLCache[str, SpanContext] = TTLCache(KNOWN_MESSAGES, KNOWN_SECONDS)
        self._lock = threading.Lock()

    @contextmanager
    def span(
        self,
        name: str,
        kind: str,
        attributes: Mapping[str, Any] | None,
        parent: Context | None = None,
        links: Sequence[Link] = (),
    ) -> Iterator[Span]:
        with self.tracer.start_as_current_span(
            name,
            context=parent,
            kind=self.trace.SpanKind[kind],
            attributes=dict(attributes or {}),
            links=links,
            # an exception's message may hold anything, so leave it out
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", getattr(error, "kind", None) or type(error).__qualname__)
                span.set_status(self.trace.StatusCode.ERROR)
                raise

    def context_of(self, trace_id: int, span_id: int, *, sampled: bool) -> Context:
        span_context = self.span_context(trace_id, span_id, sampled=sampled)
        return self.trace.set_span_in_context(self.trace.NonRecordingSpan(span_context))

    def span_context(self, trace_id: int, span_id: int, *, sampled: bool) -> SpanContext:
        flags = self.trace.TraceFlags(self.trace.TraceFlags.SAMPLED if sampled else self.trace.TraceFlags.DEFAULT)
        return self.trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)

    def parse(self, traceparent: object) -> SpanContext | None:
        match = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
        if match is None:
            return None
        context = self.span_context(int(match[1], 16), int(match[2], 16), sampled=bool(int(match[3], 16) & 1))
        return context if context.is_valid else None

    def in_context(self, context: SpanContext) -> Context:
        return self.trace.set_span_in_context(self.trace.NonRecordingSpan(context))

    def current(self) -> SpanContext | None:
        context = self.trace.get_current_span().get_span_context()
        return context if context.is_valid else None

    def remember(self, key: str, context: SpanContext) -> None:
        with self._lock:
            self._messages[key] = context

    def find(self, key: str) -> SpanContext | None:
        with self._lock:
            return self._messages.get(key)


_tracing: _Tracing | None = None


def check_library() -> None:
    """Raise `MissingLibraryError` where what exports is not installed. Nothing is imported or started."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise MissingLibraryError


def configure(service_name: str) -> None:
    """Make this process send its spans to the exporter in the environment. Raises `MissingLibraryError`."""
    global _tracing  # noqa: PLW0603 - a process has one exporter
    if _tracing is None:
        _tracing = _Tracing(service_name)


def close() -> None:
    """Send the waiting spans, and trace nothing from now on."""
    global _tracing  # noqa: PLW0603
    if _tracing is not None:
        _tracing.provider.shutdown()
        _tracing = None


def span(
    name: str, *, kind: str = "INTERNAL", attributes: Mapping[str, Any] | None = None
) -> AbstractContextManager[Span]:
    """A span around a block, as a child of the current one. `kind` is one of OpenTelemetry's. Name and attributes must
    not be personal; of an exception, only the type is recorded.
    """
    if _tracing is None:
        return _NOTHING
    return _tracing.span(name, kind, attributes)


def request_span(environ: Mapping[str, Any], request_id: str) -> AbstractContextManager[Span]:
    """The span of an HTTP request: in the trace with the request's id (X-B3-TraceId) or, if a client only sends W3C
    headers, that of its `traceparent`.
    """
    if _tracing is None:
        return _NOTHING
    return _request_span(_tracing, environ, request_id)


@contextmanager
def _request_span(tracing: _Tracing, environ: Mapping[str, Any], request_id: str) -> Iterator[Span]:
    parent: Context | None = None
    wanted = 0
    if not environ.get("HTTP_X_B3_TRACEID") and (context := tracing.parse(environ.get("HTTP_TRACEPARENT"))):
        parent = tracing.in_context(context)
    elif _TRACE_ID.fullmatch(request_id.lower()) and (wanted := int(request_id, 16)):
        span_id = (environ.get("HTTP_X_B3_SPANID") or "").lower()
        if _SPAN_ID.fullmatch(span_id) and int(span_id, 16):
            sampled = environ.get("HTTP_X_B3_SAMPLED", "1") not in ("0", "false")
            parent = tracing.context_of(wanted, int(span_id, 16), sampled=sampled)
    token = tracing.wanted_trace_id.set(wanted)
    try:
        with tracing.span(environ["REQUEST_METHOD"], "SERVER", None, parent or _root(tracing)) as span:
            yield span
    finally:
        tracing.wanted_trace_id.reset(token)


def _root(tracing: _Tracing) -> Context:
    # an earlier span of the thread must not become the parent
    context: Context = tracing.trace.set_span_in_context(tracing.trace.INVALID_SPAN)
    return context


def remember(key: str) -> None:
    """From now on, work on this message (by its id) belongs to the current trace."""
    if _tracing is not None and (context := _tracing.current()):
        _tracing.remember(key, context)


def message_span(
    name: str, key: str, *, kind: str = "INTERNAL", attributes: Mapping[str, Any] | None = None
) -> AbstractContextManager[Span]:
    """A span in the trace of a message; if it has none, a child of the current span."""
    if _tracing is None:
        return _NOTHING
    context = _tracing.find(key)
    return _tracing.span(name, kind, attributes, _tracing.in_context(context) if context else None)


def task_headers(arguments: Sequence[Any]) -> dict[str, Any]:
    """Headers with the traces for a published task: that of the current span, and those of the messages whose ids are
    among its arguments.
    """
    if _tracing is None:
        return {}
    headers: dict[str, Any] = {}
    if current := _tracing.current():
        headers[PARENT_HEADER] = _written(current)
    found = {key: _tracing.find(key) for key in _texts(arguments)}
    if traces := {key: _written(context) for key, context in found.items() if context is not None}:
        headers[MESSAGES_HEADER] = traces
    return headers


def task_span(name: str, headers: Mapping[str, Any]) -> AbstractContextManager[Span]:
    """The span of a task: a child of its publisher's, or in the trace of its one message, or linked to its many."""
    if _tracing is None:
        return _NOTHING
    traces = headers.get(MESSAGES_HEADER)
    messages = [
        (key, context)
        for key, text in (traces if isinstance(traces, dict) else {}).items()
        if (context := _tracing.parse(text))
    ]
    for key, context in messages:
        _tracing.remember(key, context)
    parent = _tracing.parse(headers.get(PARENT_HEADER)) or (messages[0][1] if len(messages) == 1 else None)
    links = [_tracing.trace.Link(context) for _, context in messages if context != parent]
    return _tracing.span(name, "CONSUMER", None, _tracing.in_context(parent) if parent else _root(_tracing), links)


def _written(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
