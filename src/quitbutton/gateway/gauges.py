"""What the gauges show: this process's load at every look, the whole installation's backlogs now and then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from quitbutton.gateway.observed import Observer
from quitbutton.gateway.turnstile import Room
from quitbutton.interfaces import Upstream
from quitbutton.observing.doors import WatchedUpstream
from quitbutton.observing.metrics import Metrics, Values
from quitbutton.observing.process import usage
from quitbutton.stores.audit import AuditLog
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.webhooks import Webhooks

STATES = ("waiting", "dead")
"""States of deliveries that somebody should know of."""
EVERY = 5.0
"""Seconds between two looks: how old the numbers of another worker process may be."""


def here(
    observer: Observer, room: Room, store: SQLStore, upstreams: Mapping[str, Upstream]
) -> list[Callable[[], Values]]:
    """What is asked of this process."""

    def load() -> Values:
        found = store.load
        return {
            ("turns",): room.inside,
            ("streams",): observer.streams,
            ("store_waiting",): found.waiting,
            ("store_connections", "busy"): found.busy,
            ("store_connections", "all"): found.connections,
        }

    def calls() -> Values:
        watched = {name: one for name, one in upstreams.items() if isinstance(one, WatchedUpstream)}
        return {("upstream_calls", name): one.under_way for name, one in watched.items()}

    return [usage, load, calls]


def look(metrics: Metrics, trail: AuditLog, webhooks: Webhooks) -> Callable[[], Awaitable[None]]:
    """A job that reads the backlogs, so that no scrape waits for the store."""

    async def job() -> None:
        metrics.refresh()
        metrics.put({("audit_unlogged",): await trail.unlogged(), ("audit_faults",): int(trail.fault is not None)})
        metrics.put({("webhook_deliveries", state): await webhooks.count(state) for state in STATES})

    return job
