"""Around every request: a clock, and at its end metrics, a log line and a trace, where they are asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from time import perf_counter

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import quitbutton
from quitbutton.observing.doors import WatchedAssessor, WatchedReader, WatchedUpstream
from quitbutton.observing.metrics import Metrics
from quitbutton.observing.seen import CURRENT, Seen, Trace
from quitbutton.observing.tracer import Tracer, tracer_of
from quitbutton.settings.installation import MetricsFor, Settings
from quitbutton.turn.guard import TurnTaker
from quitbutton.upstreams.routing import Upstreams

OTHER = "other"
"""The route of what has none."""
WAITED = 0.001
"""Seconds from which on a send counts as a wait for the client; below, it is work of ours."""
REQUEST_ID = b"x-quitbutton-request-id"

log = logging.getLogger("quitbutton.requests")


@dataclass(slots=True)
class Observer:
    """Looks on. Whatever fails here fails no request."""

    metrics: Metrics | None = None
    tracer: Tracer | None = None
    streams: int = 0
    """Streams that are open."""
    _routes: dict[int, str] = field(default_factory=dict)

    @property
    def is_on(self) -> bool:
        """True where somebody wants to know."""
        return self.metrics is not None or self.tracer is not None or log.isEnabledFor(logging.INFO)

    def knows(self, routes: Iterable[BaseRoute]) -> None:
        """The routes by whose paths requests are told."""
        self._routes = {id(one.endpoint): one.path for one in routes if isinstance(one, Route)}

    async def watch(self, app: ASGIApp, path: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an application answer. `path` is that of a chat route."""
        trace = self.tracer.begin(scope) if self.tracer is not None else None
        seen = Seen(scope["method"], path or OTHER, trace=trace)
        token = CURRENT.set(seen)
        sight = _Sight(self, seen, receive, send)
        try:
            await app(scope, sight.receive, sight.send)
        finally:
            CURRENT.reset(token)
            seen.took = perf_counter() - seen.began
            if path is None:
                seen.route = self._routes.get(id(scope.get("endpoint")), OTHER)
            self.streams -= sight.is_stream
            self._tell(seen, trace, path is not None)

    def _tell(self, seen: Seen, trace: Trace | None, is_chat: bool) -> None:
        if self.metrics is not None:
            self.metrics.over(seen, is_chat)
        if trace is not None:
            trace.over(seen)
        if log.isEnabledFor(logging.INFO):
            log.info("request", extra={"fields": line_of(seen)})

    async def close(self) -> None:
        """Hand on what was counted, send what waits of traces."""
        if self.metrics is not None:
            self.metrics.refresh()
        if self.tracer is not None:
            await asyncio.to_thread(self.tracer.close)


def observer_of(settings: Settings) -> Observer:
    """What the settings want to know of requests. Raises `SettingsError` where a package is missing."""
    metrics = None if settings.metrics is MetricsFor.OFF else Metrics()
    return Observer(metrics, tracer_of(settings.otel_endpoint, quitbutton.__version__))


def watched(guard: TurnTaker, upstreams: Upstreams, metrics: Metrics | None) -> TurnTaker:
    """A guard whose assessors are timed; the upstreams are too from now on."""
    upstreams.made = {
        name: WatchedUpstream(one, name, metrics, upstreams.tables[name].url) for name, one in upstreams.made.items()
    }
    judge = guard.judge and WatchedAssessor(guard.judge, metrics)
    reader = guard.reader and WatchedReader(guard.reader)
    return replace(guard, assessor=WatchedAssessor(guard.assessor, metrics), judge=judge, reader=reader)


class _Sight:
    """The two ends of a request, with a clock on each."""

    __slots__ = ("_has_body", "_observer", "_receive", "_seen", "_send", "is_stream")

    def __init__(self, observer: Observer, seen: Seen, receive: Receive, send: Send) -> None:
        self._observer, self._seen, self._receive, self._send = observer, seen, receive, send
        self._has_body = self.is_stream = False

    async def receive(self) -> Message:
        """The rest of the body is waited for; a hang-up, later, is not."""
        if self._has_body:
            return await self._receive()
        start = perf_counter()
        message = await self._receive()
        self._seen.client += perf_counter() - start
        self._has_body = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """A client that does not read is waited for."""
        seen, start = self._seen, perf_counter()
        if message["type"] == "http.response.start":
            seen.status, seen.headers = message["status"], message["headers"]
        elif not self.is_stream and message.get("more_body") and b"content-length" not in dict(seen.headers):
            self.is_stream, seen.first = True, start
            self._observer.streams += 1
        await self._send(message)
        waited = perf_counter() - start
        if waited > WAITED:
            seen.client += waited


def line_of(seen: Seen) -> dict[str, object]:
    """What a log line says of a request: no word of anybody, no key, no address."""
    found: dict[str, object] = {
        "id": seen.id or next((value.decode("latin-1") for name, value in seen.headers if name == REQUEST_ID), ""),
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "ms": round(seen.took * 1000, 2),
        "added_ms": round(seen.added * 1000, 2),
    }
    if seen.decision is not None:
        found |= {"decision": str(seen.decision.action), "state": str(seen.decision.after.rung), "mode": seen.mode}
        if seen.decision.denial is not None:
            found["denial"] = str(seen.decision.denial)
    return {name: value for name, value in found.items() if value != ""}
