"""The metrics as Prometheus reads them. A request is counted in plain numbers, which are handed on at the next look."""

from __future__ import annotations

import logging
import os
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from quitbutton.core.ladder.transitions import Action
from quitbutton.core.records import TurnRecord
from quitbutton.observing.catalogue import METRICS, Kind, Metric
from quitbutton.observing.process import SHARED
from quitbutton.observing.seen import Seen

log = logging.getLogger("quitbutton.metrics")

Values = dict[tuple[str, ...], float]
"""A metric's name, without `quitbutton_`, and the values of its labels, to a number."""


class Metrics:
    """The metrics of one gateway. A failure to count is nobody's failure: it is logged once."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._made = {one.name.removeprefix("quitbutton_"): _made(one, self._registry) for one in METRICS}
        self._bounds = {one.name.removeprefix("quitbutton_"): one.buckets for one in METRICS}
        self._children: dict[tuple[str, ...], Any] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        self._tallies: dict[tuple[str, ...], _Tally] = {}
        self._has_failed = False
        self._is_shared = SHARED in os.environ
        self.gauges: list[Callable[[], Values]] = []
        """What is asked for gauges, in this process, at every look."""
        if not self._is_shared:
            ProcessCollector(registry=self._registry)

    def count(self, *key: str) -> None:
        """One more of a counter: its name and the values of its labels."""
        self._counts[key] = self._counts.get(key, 0) + 1

    def time(self, seconds: float, *key: str) -> None:
        """One more value of a histogram."""
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally(self._bounds[key[0]])
        tally.add(seconds)

    def decided(self, record: TurnRecord) -> None:
        """A decision is on record."""
        decision = record.decision
        self.count("decisions_total", decision.action, decision.denial or "", record.mode)
        if decision.action is Action.SUPPORT:
            self.count("crisis_referrals_total")
        if decision.crisis is not None:
            self.count("crises_total", decision.crisis)
        second = decision.review.second
        if second is not None and not record.is_draft:
            self.count("second_reader_total", second.answer)
            self.time((second.ms or 0) / 1000, "second_reader_seconds")

    def over(self, seen: Seen, is_chat: bool) -> None:
        """A request is over."""
        self.count("requests_total", seen.route, str(seen.status))
        if seen.upstream:
            self.time(seen.upstream, "upstream_seconds", seen.upstream_name)
        if not is_chat:
            return
        self.time(seen.added, "added_seconds", seen.route)
        self.time(seen.store, "store_seconds")
        if seen.assessor:
            self.time(seen.assessor, "assessor_seconds")
        if seen.first:
            self.time(seen.first - seen.began, "first_byte_seconds", seen.route)

    def put(self, values: Values) -> None:
        """Gauges as they are now."""
        for key, value in values.items():
            self._child(key).set(value)

    def refresh(self) -> None:
        """Hand on what was counted, and ask for the gauges of this process."""
        try:
            self._hand_on()
            for asked in self.gauges:
                self.put(asked())
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                log.error("metrics could not be handed on; this is said once", exc_info=error)

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics of all workers and their content type, in the format that a scraper accepts."""
        self.refresh()
        encode, content_type = choose_encoder(accept)
        if not self._is_shared:
            return encode(self._registry), content_type
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return encode(shared), content_type

    def _hand_on(self) -> None:
        counts, self._counts = self._counts, {}
        tallies, self._tallies = self._tallies, {}
        for key, number in counts.items():
            self._child(key).inc(number)
        for key, tally in tallies.items():
            self._child(key).add(tally)

    def _child(self, key: tuple[str, ...]) -> Any:
        found = self._children.get(key)
        if found is None:
            metric = self._made[key[0]]
            found = self._children[key] = metric.labels(*key[1:]) if len(key) > 1 else metric
        return found


class _Tally:
    """Values since the last look, by bucket."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class _Histogram(Histogram):
    """A histogram that takes many values at once, already in their buckets."""

    def add(self, tally: _Tally) -> None:
        self._sum.inc(tally.total)
        for bucket, number in zip(self._buckets, tally.counts, strict=True):
            if number:
                bucket.inc(number)


def _made(one: Metric, registry: CollectorRegistry) -> Counter | Gauge | _Histogram:
    name, text, labels = one.name, f"{one.text}.", one.labels
    if one.kind is Kind.COUNTER:
        return Counter(name, text, labels, registry=registry)
    if one.kind is Kind.HISTOGRAM:
        return _Histogram(name, text, labels, buckets=one.buckets, registry=registry)
    return Gauge(name, text, labels, registry=registry, multiprocess_mode=one.over.value)
