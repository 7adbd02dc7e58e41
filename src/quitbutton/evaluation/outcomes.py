"""What became of whole conversations, by kind and by source: warned, ended, crises seen, turns to the end."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from quitbutton.core.errors import BadRequest
from quitbutton.evaluation.measures import Share, share
from quitbutton.evaluation.page import STYLE
from quitbutton.evaluation.rows import Kind, kind_of

COLUMNS = ("group", "rows", "warned", "ended", "crisis seen", "turns to end")
UNLABELLED = "unlabelled"
OTHER = "other"
"""Rows whose labels say nothing of the user's messages: replies to judge, attack scripts, ties."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One conversation's outcome. Turns are counted from 1, the first user message; None is never."""

    kind: str
    source: str
    warned_at: int | None
    ended_at: int | None
    crisis_at: int | None


@dataclass(frozen=True, slots=True)
class Rates:
    """The outcomes of a group, with 95 % intervals."""

    name: str
    warned: Share
    ended: Share
    crisis: Share
    to_end: tuple[float, int, int] | None
    """Median, least and most turns of those that were ended."""


def kind_name(row: dict[str, Any]) -> str:
    """What a row's labels say of the conversation: clean, spared, harmful or crisis; else `other` or `unlabelled`."""
    try:
        kind = kind_of(row)
    except BadRequest:
        return UNLABELLED
    return OTHER if kind is None else kind.value


def rates_by(outcomes: Iterable[Simulated], name: Callable[[Simulated], str]) -> list[Rates]:
    """The rates of each group: the kinds in their order, then other names."""
    groups: dict[str, list[Simulated]] = {}
    for one in outcomes:
        groups.setdefault(name(one), []).append(one)
    order = [*(kind.value for kind in Kind), OTHER, UNLABELLED]
    ranked = sorted(groups, key=lambda key: (order.index(key) if key in order else len(order), key))
    return [_rates(key, groups[key]) for key in ranked]


def _rates(name: str, group: Sequence[Simulated]) -> Rates:
    ends = [one.ended_at for one in group if one.ended_at is not None]
    return Rates(
        name,
        _share(one.warned_at is not None for one in group),
        _share(one.ended_at is not None for one in group),
        _share(one.crisis_at is not None for one in group),
        (statistics.median(ends), min(ends), max(ends)) if ends else None,
    )


def _share(hits: Iterable[bool]) -> Share:
    found = share(list(hits))
    if found is None:
        raise ValueError("a group without rows has no rates")
    return found


def cells(one: Rates) -> list[str]:
    """A group's figures as texts."""
    turns = f"{one.to_end[0]:g} ({one.to_end[1]}-{one.to_end[2]})" if one.to_end else "-"
    return [one.name, str(one.warned.rows), *map(_told, (one.warned, one.ended, one.crisis)), turns]


def _told(rate: Share) -> str:
    return f"{rate.value * 100:.1f} % ({rate.low * 100:.1f}-{rate.high * 100:.1f})"


def page(tables: Sequence[tuple[str, Sequence[Rates]]]) -> str:
    """The rates as one HTML page; each table has a title."""
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Simulated conversations</title>"
    body = "".join(f"<h2>{escape(title)}</h2>{_table(rates)}" for title, rates in tables)
    return f"{head}<style>{STYLE}</style><h1>Simulated conversations</h1><p>{NOTE}</p>{body}</html>\n"


NOTE = (
    "Shares of rows with 95 % intervals; turns to end: median (least-most) of those ended, from the first user message."
)


def _table(rates: Sequence[Rates]) -> str:
    head = "".join(f"<th scope='col'>{column}</th>" for column in COLUMNS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells(one)) + "</tr>" for one in rates)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
