"""The metrics as Prometheus reads them. Every child is resolved once; a request costs a few microseconds."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from quitbutton.core.ladder import Action
from quitbutton.core.records import TurnRecord
from quitbutton.observing.catalogue import METRICS, Kind, Metric
from quitbutton.observing.process import SHARED
from quitbutton.observing.seen import Seen

log = logging.getLogger("quitbutton.metrics")


class Metrics:
    """The metrics of one gateway. A failure to count is nobody's failure: it is logged once."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._made = {one.name.removeprefix("quitbutton_"): _made(one, self._registry) for one in METRICS}
        self._children: dict[tuple[str, ...], Any] = {}
        self.gauges: list[Callable[[], dict[tuple[str, ...], float]]] = []
        """What is asked for gauges, in this process, at every look: name and label values to the value."""
        self._has_failed = False
        self._is_shared = SHARED in os.environ
        if not self._is_shared:
            ProcessCollector(registry=self._registry)

    def child(self, name: str, *labels: str) -> Any:
        """A metric with its labels' values, made once."""
        key = (name, *labels)
        found = self._children.get(key)
        if found is None:
            metric = self._made[name]
            found = self._children[key] = metric.labels(*labels) if labels else metric
        return found

    def count(self, name: str, *labels: str) -> None:
        """One more."""
        try:
            self.child(name, *labels).inc()
        except Exception as error:
            self._failed(error)

    def decided(self, record: TurnRecord) -> None:
        """A decision is on record."""
        decision = record.decision
        self.count("decisions_total", decision.action, decision.denial or "", record.mode)
        if decision.action is Action.SUPPORT:
            self.count("crisis_referrals_total")

    def over(self, seen: Seen, is_chat: bool) -> None:
        """A request is over."""
        try:
            self._over(seen, is_chat)
        except Exception as error:
            self._failed(error)

    def _over(self, seen: Seen, is_chat: bool) -> None:
        self.child("requests_total", seen.route, str(seen.status)).inc()
        if seen.upstream:
            self.child("upstream_seconds", seen.upstream_name).observe(seen.upstream)
        if not is_chat:
            return
        self.child("added_seconds", seen.route).observe(seen.added)
        self.child("store_seconds").observe(seen.store)
        if seen.assessor:
            self.child("assessor_seconds").observe(seen.assessor)
        if seen.first:
            self.child("first_byte_seconds", seen.route).observe(seen.first - seen.began)

    def put(self, values: dict[tuple[str, ...], float]) -> None:
        """Gauges as they are now."""
        for key, value in values.items():
            self.child(*key).set(value)

    def refresh(self) -> None:
        """Ask for the gauges of this process."""
        for asked in self.gauges:
            try:
                self.put(asked())
            except Exception as error:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        if not self._has_failed:
            self._has_failed = True
            log.error("something could not be counted; this is said once", exc_info=error)

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics of all workers and their content type, in the format that a scraper accepts."""
        self.refresh()
        encode, content_type = choose_encoder(accept)
        if not self._is_shared:
            return encode(self._registry), content_type
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return encode(shared), content_type


def _made(one: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    name, text, labels = one.name, f"{one.text}.", one.labels
    if one.kind is Kind.COUNTER:
        return Counter(name, text, labels, registry=registry)
    if one.kind is Kind.HISTOGRAM:
        return Histogram(name, text, labels, buckets=one.buckets, registry=registry)
    return Gauge(name, text, labels, registry=registry, multiprocess_mode=one.over.value)
