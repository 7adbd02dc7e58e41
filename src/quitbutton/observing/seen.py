"""One request as operators see it: where its time went and what was decided. The doors write into the current one."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.messages import Usage
from quitbutton.interfaces import Headers


class Call(Protocol):
    """An upstream call as a trace sees it."""

    @property
    def headers(self) -> Headers:
        """What goes upstream, with the trace's own."""
        ...

    def answered(self, status: int) -> None:
        """The upstream sent its status."""
        ...

    def over(self, error: BaseException | None) -> None:
        """The call is over, or failed."""
        ...


class Trace(Protocol):
    """The spans of one request."""

    def call(self, seen: Seen, address: str, path: str, headers: Headers) -> Call:
        """An upstream call begins; `address` is the upstream's URL."""
        ...

    def part(self, name: str, seconds: float, **attributes: str) -> None:
        """Something of ours took so long, up to now."""
        ...

    def over(self, seen: Seen) -> None:
        """The request is over."""
        ...


@dataclass(slots=True)
class Seen:
    """One request. Times are seconds of `perf_counter`."""

    method: str = ""
    route: str = ""
    began: float = field(default_factory=perf_counter)
    took: float = 0.0
    upstream: float = 0.0
    """Waiting for the upstream."""
    client: float = 0.0
    """Waiting for the client: the rest of its body, or that it reads."""
    store: float = 0.0
    assessor: float = 0.0
    first: float = 0.0
    """When the first bytes of a stream left; 0 for a reply that left whole."""
    status: int = 0
    """0 where the client left before it got one."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    """Those of the answer; only the request's id is read, and only where a line is logged."""
    decision: Decision | None = None
    mode: str = ""
    id: str = ""
    upstream_name: str = ""
    model: str = ""
    """What the client asked for, as far as a trace shows it."""
    usage: Usage | None = None
    trace: Trace | None = None

    @property
    def added(self) -> float:
        """What the gateway added itself."""
        return max(0.0, self.took - self.upstream - self.client)


CURRENT: ContextVar[Seen | None] = ContextVar("quitbutton_seen", default=None)
"""The request that is being answered here, where anybody looks."""


def saw_model(model: str) -> None:
    """The client asked for a model."""
    seen = CURRENT.get()
    if seen is not None:
        seen.model = model


def saw_usage(usage: Usage) -> None:
    """The provider counted tokens; the last count of a request is the one that is told."""
    seen = CURRENT.get()
    if seen is not None:
        seen.usage = usage


def saw_reading(answer: str, reader: str, seconds: float) -> None:
    """A second reader answered, or was waited for in vain."""
    seen = CURRENT.get()
    if seen is not None and seen.trace is not None:
        seen.trace.part("read again", seconds, **{"quitbutton.answer": answer, "quitbutton.assessor": reader})
