"""What the console's API tells, as JSON: events, ends, conversations, counts with their intervals. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from quitbutton.core.counting import MEASURES, TURNS, date_of, month_of
from quitbutton.core.rates import Rate
from quitbutton.core.records import End
from quitbutton.core.statements import iso
from quitbutton.stores.console import Listed

SHARES = ("redirected", "warned", "ended", "vetoed", "checked_in", "denied", "stopped")
"""Measures that are a share of turns."""


def conversation_view(one: Listed) -> dict[str, Any]:
    """A conversation in a list."""
    return {
        "id": one.id,
        "state": one.state,
        "redirections": one.redirections,
        "crisis_hold": one.crisis_turns,
        "possible_hold": one.possible_turns,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }


def end_view(end: End) -> dict[str, Any]:
    """An end in a list."""
    return {
        "id": end.id,
        "conversation": end.conversation,
        "message": end.message,
        "reason": end.reason,
        "decided_by": end.decided_by,
        "model": end.model,
        "policy": end.policy,
        "ended_at": iso(end.ended_at),
        "reopened_at": iso(end.reopened_at),
        "explanation": end.explanation,
        "rungs": [proof.rung.value for proof in end.evidence],
    }


def event_view(event: dict[str, Any]) -> dict[str, Any]:
    """A decision, with its time as text; digests of words are nobody's concern here."""
    return {**{name: value for name, value in event.items() if name != "words"}, "at": iso(event["at"])}


def turn_view(event: dict[str, Any], said: dict[tuple[str, str, str], str]) -> dict[str, Any]:
    """A decision with the words of its turn, where they are kept."""
    place = event["message"], event.get("request_id", "")
    words = {speaker: said[(*place, speaker)] for speaker in ("user", "reply", "press") if (*place, speaker) in said}
    return {**event_view(event), "said": words or None}


def overview_days(rows: Iterable[Sequence[Any]], first: int, last: int) -> list[dict[str, Any]]:
    """Each day with its counts, also those without any."""
    counts = _by_day(rows)
    return [{"day": date_of(day).isoformat(), **_measures(counts[day])} for day in range(first, last + 1)]


def totals(rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The counts of the whole time: each as a share of turns with its interval where it is one; near misses by denial."""
    summed: dict[str, int] = defaultdict(int)
    shadow: dict[str, int] = defaultdict(int)
    for _, mode, name, count in rows:
        (shadow if mode == "shadow" else summed)[name] += count
    turns = summed[TURNS]
    by_denial = {name.partition(".")[2]: count for name, count in summed.items() if name.startswith("denied.")}
    return {
        **_measures(summed),
        "shares": {name: Rate(min(summed[name], turns), turns).told() for name in SHARES},
        "appealed_of_ends": Rate(min(summed["appealed"], summed["ended"]), summed["ended"]).told(),
        "denied_because": by_denial,
        "upheld": summed["upheld"],
        "rejected": summed["rejected"],
        "shadow": _measures(shadow),
    }


def referrals(rows: Iterable[Sequence[Any]], first: int, last: int) -> list[dict[str, Any]]:
    """How often help was shown to somebody in a crisis, by month, newest first; the months without any too."""
    months = {month_of(day): 0 for day in range(last, first - 1, -1)}
    for day, mode, _, count in rows:
        if mode == "enforce" and month_of(day) in months:
            months[month_of(day)] += count
    return [{"month": month, "referrals": count} for month, count in months.items()]


def csv_of(months: list[dict[str, Any]]) -> str:
    """The same as comma-separated values."""
    return "".join(["month,referrals\r\n", *(f"{one['month']},{one['referrals']}\r\n" for one in months)])


def _by_day(rows: Iterable[Sequence[Any]]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for day, mode, name, count in rows:
        if mode != "shadow":
            counts[day][name] += count
    return counts


def _measures(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in (TURNS, *MEASURES)}
