"""Spans of a request with OpenTelemetry, named as its conventions for HTTP and for generative AI name them."""

from __future__ import annotations

import threading
from time import time_ns
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace import Tracer as Spans
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from quitbutton.interfaces import Headers
from quitbutton.observing.seen import Seen

OPERATIONS = {"/v1/embeddings": "embeddings", "/v1/completions": "text_completion"}
"""`gen_ai.operation.name` of what is no chat."""
CHATS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
CLOSE_SECONDS = 3.0
"""How long spans that wait may hold up a stop."""
LONGEST = 100
"""Characters of a model's name that are shown."""
TRACED = ("traceparent", "tracestate")

PROPAGATOR = TraceContextTextMapPropagator()


class OtelTracer:
    """Sends spans over OTLP, in a thread of its own; where nobody takes them they are dropped."""

    def __init__(self, endpoint: str | None, version: str) -> None:
        own = Resource.create({"service.name": "quitbutton", "service.version": version})
        self._provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()))
        target = f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=target)))
        self._spans = self._provider.get_tracer("quitbutton", version)

    def begin(self, scope: Scope) -> OtelTrace:
        """A request begins; its trace goes on from the client's, if that sent one."""
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        context = PROPAGATOR.extract({name: carrier[name] for name in TRACED if name in carrier})
        attributes = {"http.request.method": scope["method"], "url.scheme": scope.get("scheme", "http")}
        return OtelTrace(self._spans, self._spans.start_span(scope["method"], context, SpanKind.SERVER, attributes))

    def close(self) -> None:
        """Send what waits, within a few seconds."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(CLOSE_SECONDS)


class OtelTrace:
    """The spans of one request."""

    def __init__(self, spans: Spans, server: Span) -> None:
        self._spans, self._server = spans, server
        self._context = set_span_in_context(server)

    def call(self, seen: Seen, address: str, path: str, headers: Headers) -> OtelCall:
        """An upstream call begins: `{operation} {model}`."""
        path = path.partition("?")[0]
        operation = "chat" if path in CHATS else OPERATIONS.get(path, "")
        host = urlsplit(address)
        attributes: dict[str, str | int] = {"quitbutton.upstream": seen.upstream_name}
        if operation:
            attributes["gen_ai.operation.name"] = operation
            attributes["gen_ai.provider.name"] = "anthropic" if path == "/v1/messages" else "openai"
            attributes["gen_ai.request.model"] = seen.model[:LONGEST]
        if host.hostname:
            attributes["server.address"] = host.hostname
        if host.port:
            attributes["server.port"] = host.port
        name = f"{operation} {seen.model[:LONGEST]}".strip() or "upstream"
        span = self._spans.start_span(name, self._context, SpanKind.CLIENT, attributes)
        return OtelCall(seen, span, headers)

    def part(self, name: str, seconds: float, **attributes: str) -> None:
        """Something of ours took so long, up to now."""
        now = time_ns()
        span = self._spans.start_span(name, self._context, attributes=attributes, start_time=now - int(seconds * 1e9))
        span.end(now)

    def over(self, seen: Seen) -> None:
        """The request is over: what became of it."""
        span, decision = self._server, seen.decision
        span.update_name(f"{seen.method} {seen.route}")
        span.set_attribute("http.route", seen.route)
        if seen.status:
            span.set_attribute("http.response.status_code", seen.status)
        if seen.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", str(seen.status))
        span.set_attribute("quitbutton.added_ms", round(seen.added * 1000, 3))
        if decision is not None:
            span.set_attribute("quitbutton.request_id", seen.id)
            span.set_attribute("quitbutton.mode", seen.mode)
            span.set_attribute("quitbutton.decision", str(decision.action))
            span.set_attribute("quitbutton.standing", str(decision.after.rung))
            span.set_attribute("quitbutton.policy", decision.policy)
            if decision.denial is not None:
                span.set_attribute("quitbutton.denial", str(decision.denial))
        span.end()


class OtelCall:
    """The span of one upstream call."""

    def __init__(self, seen: Seen, span: Span, headers: Headers) -> None:
        self._seen, self._span = seen, span
        own: dict[str, str] = {}
        PROPAGATOR.inject(own, set_span_in_context(span))
        self.headers: Headers = [*(one for one in headers if one[0].lower() not in TRACED), *own.items()]

    def answered(self, status: int) -> None:
        """The upstream sent its status."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 400:
            self._failed(str(status))

    def over(self, error: BaseException | None) -> None:
        """The call is over, or failed; a reply that was stopped is no failure."""
        if isinstance(error, Exception):
            self._failed(type(error).__name__)
        usage = self._seen.usage
        if usage is not None:
            self._span.set_attribute("gen_ai.usage.input_tokens", usage.prompt)
            self._span.set_attribute("gen_ai.usage.output_tokens", usage.completion)
        self._span.end()

    def _failed(self, kind: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR))
        self._span.set_attribute("error.type", kind)
