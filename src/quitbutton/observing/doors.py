"""Upstreams and assessors as they are, with a clock beside them: what a request waits for is written down with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from types import TracebackType

from quitbutton.core.ladder.verdicts import Label, ReplyVerdict, Verdict
from quitbutton.core.messages import Message
from quitbutton.interfaces import Assessor, Exchange, Headers, LooksBack, ReplyAssessor, Upstream
from quitbutton.observing.metrics import Metrics
from quitbutton.observing.seen import CURRENT, Call, Seen


class WatchedUpstream:
    """An upstream whose calls are timed and counted."""

    def __init__(self, inner: Upstream, name: str, metrics: Metrics | None, address: str = "") -> None:
        self.inner, self.name, self.metrics, self.address = inner, name, metrics, address
        self.max_tokens = inner.max_tokens
        self.under_way = 0

    def send(self, method: str, path: str, headers: Headers, body: bytes) -> AbstractAsyncContextManager[Exchange]:
        """Send a request."""
        seen = CURRENT.get() or Seen()
        seen.upstream_name = self.name
        call = seen.trace.call(seen, self.address, path, headers) if seen.trace is not None else None
        passed = headers if call is None else call.headers
        return _Sending(self, self.inner.send(method, path, passed, body), seen, call)

    def failed(self) -> None:
        """A call failed or broke off."""
        if self.metrics is not None:
            self.metrics.count("upstream_failures_total", self.name)

    async def close(self) -> None:
        """Let go of connections and models."""
        await self.inner.close()


class _Sending:
    __slots__ = ("call", "inner", "owner", "seen")

    def __init__(
        self, owner: WatchedUpstream, inner: AbstractAsyncContextManager[Exchange], seen: Seen, call: Call | None
    ) -> None:
        self.owner, self.inner, self.seen, self.call = owner, inner, seen, call

    async def __aenter__(self) -> Exchange:
        start = perf_counter()
        try:
            exchange = await self.inner.__aenter__()
        except BaseException as error:
            self._over(error)
            raise
        finally:
            self.seen.upstream += perf_counter() - start
        self.owner.under_way += 1
        if self.call is not None:
            self.call.answered(exchange.status)
        return _WatchedExchange(exchange, self.seen)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self.owner.under_way -= 1
        self._over(error)
        return await self.inner.__aexit__(kind, error, trace)

    def _over(self, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self.owner.failed()
        if self.call is not None:
            self.call.over(error)


class _WatchedExchange:
    __slots__ = ("_next", "_seen", "headers", "status")

    def __init__(self, inner: Exchange, seen: Seen) -> None:
        self._next, self._seen = aiter(inner.chunks()).__anext__, seen
        self.status, self.headers = inner.status, inner.headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        start = perf_counter()
        try:
            return await self._next()
        finally:
            self._seen.upstream += perf_counter() - start


class WatchedAssessor:
    """An assessor whose verdicts are timed and counted."""

    def __init__(self, inner: Assessor, metrics: Metrics | None) -> None:
        self.inner, self.metrics = inner, metrics

    @property
    def name(self) -> str:
        """The assessor's name and version."""
        return self.inner.name

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """As the assessor says; a failure and a time-out count as `unknown`, as they do for the turn."""
        start, label = perf_counter(), Label.UNKNOWN
        try:
            verdict = await self.inner.assess(messages)
            label = verdict.label
            return verdict
        finally:
            self._told(label, perf_counter() - start)

    async def look_back(self, messages: Sequence[Message]) -> Verdict | None:
        """As the assessor looks, where it can."""
        if not isinstance(self.inner, LooksBack):
            return None
        start = perf_counter()
        try:
            return await self.inner.look_back(messages)
        finally:
            seen = CURRENT.get()
            if seen is not None:
                seconds = perf_counter() - start
                seen.assessor += seconds
                if seen.trace is not None:
                    seen.trace.part("look back", seconds, **{"quitbutton.assessor": self.name})

    def _told(self, label: Label, seconds: float) -> None:
        if self.metrics is not None:
            self.metrics.count("verdicts_total", label)
        seen = CURRENT.get()
        if seen is not None:
            seen.assessor += seconds
            if seen.trace is not None:
                seen.trace.part("assess", seconds, **{"quitbutton.verdict": label, "quitbutton.assessor": self.name})


class WatchedReader:
    """A reader of replies, timed."""

    def __init__(self, inner: ReplyAssessor) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        """The reader's name and version."""
        return self.inner.name

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        """As the reader says."""
        start = perf_counter()
        try:
            return await self.inner.assess_reply(messages)
        finally:
            seen = CURRENT.get()
            if seen is not None:
                seconds = perf_counter() - start
                seen.assessor += seconds
                if seen.trace is not None:
                    seen.trace.part("read reply", seconds, **{"quitbutton.assessor": self.name})
