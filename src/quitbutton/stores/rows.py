"""Rows of turns and ends as values, and the statements that look many of them up by address."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import TypeVar

import msgspec

from quitbutton.core.conversation import Mark
from quitbutton.core.ladder.standing import OPEN, Evidence, Standing
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.records import End
from quitbutton.core.traces import Known, Trace
from quitbutton.stores.database import Row, Transaction
from quitbutton.stores.queries import QUERIES

MAX_PLACES = 512
"""Addresses looked up in one statement."""
_RUNGS = {rung.value: rung for rung in Rung}
_evidence = msgspec.json.Decoder(tuple[Evidence, ...])


Address = TypeVar("Address", bytes, str)


def placed(name: str, addresses: Collection[Address]) -> Iterator[tuple[str, dict[str, object]]]:
    """A query over addresses, as statements with few different numbers of places, so that databases know them again."""
    ordered = sorted(addresses)
    for start in range(0, len(ordered), MAX_PLACES):
        part = ordered[start : start + MAX_PLACES]
        size = 1 << (len(part) - 1).bit_length()
        part += [part[-1]] * (size - len(part))
        sql, names = _with_places(name, size)
        yield sql, dict(zip(names, part, strict=True))


@cache
def _with_places(name: str, size: int) -> tuple[str, tuple[str, ...]]:
    """The query with so many places, and their names."""
    names = tuple(f"a{place}" for place in range(size))
    return QUERIES[name].replace(":addresses", ", ".join(f":{one}" for one in names)), names


def marks_at(transaction: Transaction, addresses: Collection[bytes]) -> dict[bytes, Mark]:
    """What is known of these addresses."""
    found: dict[bytes, Mark] = {}
    for sql, params in placed("turns_at", addresses):
        found |= marks_of(transaction.execute(sql, params))
    return found


def ended_among(transaction: Transaction, addresses: Collection[bytes]) -> dict[bytes, str]:
    """The ended turns among these, with their ends."""
    found: dict[bytes, str] = {}
    for sql, params in placed("ended_at", set(addresses)):
        found |= {bytes(address): end_id for address, end_id in transaction.execute(sql, params)}
    return found


def marks_of(rows: Sequence[Row]) -> dict[bytes, Mark]:
    """Rows of `turns_at` as marks by address."""
    return {bytes(row[0]): _mark_of(row) for row in rows}


def _mark_of(row: Row) -> Mark:
    _, _, base, rung, redirections, clean, crisis, asked, evidence, end_id, brought, possible = row
    if rung == "open" and evidence == "[]" and not (redirections or clean or crisis or asked or possible):
        return Mark(OPEN, bytes(base), end_id, bool(brought))
    proof = evidence_of(evidence)
    standing = Standing(_RUNGS[rung], redirections, clean, crisis, bool(asked), proof, possible)
    return Mark(standing, bytes(base), end_id, bool(brought))


def known_of(row: Row) -> Known:
    """A row of `traces_at`."""
    root, address, conversation, words, reply, users, alone, opening, rung, redirections, at = row
    lines = bytes(words), bytes(reply)
    trace = Trace(bytes(root), bytes(address), conversation, *lines, users, bool(alone), bytes(opening))
    return Known(trace, _RUNGS[rung], redirections, at)


def trace_row(trace: Trace, address: bytes, at: float) -> dict[str, object]:
    """A trace as a row, of a turn or of the end that refused it."""
    names = ("root", "tail", "conversation", "words", "reply", "said", "users", "opening")
    return {**{name: getattr(trace, name) for name in names}, "address": address, "alone": int(trace.alone), "at": at}


def evidence_text(evidence: tuple[Evidence, ...]) -> str:
    """Evidence as it is kept."""
    return msgspec.json.encode(evidence).decode() if evidence else "[]"


def evidence_of(text: str) -> tuple[Evidence, ...]:
    """Evidence as it was kept."""
    return _evidence.decode(text) if text != "[]" else ()


def end_of(row: Row) -> End:
    """An end from its row."""
    end_id, reason, decided_by, ended_at, conversation, message, policy, explanation, evidence, model, reopened_at = row
    told = (reason, decided_by, ended_at, conversation, message, policy, explanation)
    return End(end_id, *told, evidence_of(evidence), model, reopened_at)
