"""Every metric as data: its name, kind, labels and what it says. The table of the docs is generated from this."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Buckets, in seconds, of what is to be quick: the gateway, the store, the assessor."""
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Buckets of what a model takes its time for."""


class Kind(StrEnum):
    """How Prometheus reads it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Over(StrEnum):
    """What a gauge is over several worker processes of one gateway."""

    SUM = "livesum"
    MOST = "livemax"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. No label has a value that users, keys or requests bring along."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = FAST
    over: Over = Over.SUM


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str, over: Over = Over.SUM) -> Metric:
    return Metric(name, Kind.GAUGE, text, labels, over=over)


METRICS = (
    _counter(
        "quitbutton_requests_total", "Requests that were answered, or whose client left (status 0)", "route", "status"
    ),
    Metric(
        "quitbutton_added_seconds",
        Kind.HISTOGRAM,
        "Time of a chat request less the waits for its upstream and its client: what the gateway adds",
        ("route",),
    ),
    Metric("quitbutton_upstream_seconds", Kind.HISTOGRAM, "Wait of a request for its upstream", ("upstream",), SLOW),
    Metric(
        "quitbutton_first_byte_seconds", Kind.HISTOGRAM, "Time until the first bytes of a stream left", ("route",), SLOW
    ),
    Metric("quitbutton_assessor_seconds", Kind.HISTOGRAM, "Wait of a request for its assessors"),
    Metric("quitbutton_store_seconds", Kind.HISTOGRAM, "Wait of a request for the store, all its reads and writes"),
    _counter("quitbutton_decisions_total", "Decisions on record", "action", "denial", "mode"),
    _counter("quitbutton_crisis_referrals_total", "Turns that were answered with help in a crisis"),
    _counter(
        "quitbutton_crises_total", "Signs of a crisis, `clear` or `possible`, as the ladder took them", "strength"
    ),
    _counter(
        "quitbutton_verdicts_total", "What assessors saw; `unknown` is one that failed or could not tell", "label"
    ),
    _counter(
        "quitbutton_second_reader_total", "Answers of the second reader on record, before warnings and ends", "answer"
    ),
    Metric("quitbutton_second_reader_seconds", Kind.HISTOGRAM, "Wait of a request for its second reader", buckets=SLOW),
    _counter("quitbutton_upstream_failures_total", "Upstream calls that failed or broke off", "upstream"),
    _counter("quitbutton_store_failures_total", "Reads and writes that the store did not do"),
    _counter("quitbutton_turned_away_total", "Chat requests over `max_turns`, answered with 503"),
    _counter("quitbutton_cut_turns_total", "Turns that a stop of the gateway cut after `shutdown_grace`"),
    _gauge("quitbutton_turns", "Chat requests under way"),
    _gauge("quitbutton_streams", "Of these, streams that are open"),
    _gauge("quitbutton_upstream_calls", "Upstream calls under way", "upstream"),
    _gauge(
        "quitbutton_store_waiting",
        "Reads and writes that wait for a connection, for the writer, or for a group to go with",
    ),
    _gauge("quitbutton_store_connections", "Connections to the store, and how many of them are at work", "state"),
    _gauge("quitbutton_webhook_deliveries", "Deliveries that wait, or that were given up", "state", over=Over.MOST),
    _gauge("quitbutton_audit_unlogged", "Events that are not yet in the signed audit log", over=Over.MOST),
    _gauge("quitbutton_audit_faults", "1 while the audit log is not signed since it is not sound", over=Over.MOST),
    _gauge("quitbutton_memory_bytes", "Resident memory of the gateway's processes"),
    _gauge("quitbutton_cpu_seconds", "CPU time of the gateway's processes"),
    _gauge("quitbutton_workers", "Processes that answer"),
)
"""All there are. Those of the whole installation (`webhook_deliveries`, `audit_unlogged`) are the same at every replica."""


def table() -> str:
    """The metrics as a Markdown table."""
    lines = ["| metric | kind | labels | what it says |", "|---|---|---|---|"]
    for one in METRICS:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines.append(f"| `{one.name}` | {one.kind} | {labels} | {one.text} |")
    return "\n".join(lines)
