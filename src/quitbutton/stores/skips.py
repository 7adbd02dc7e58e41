"""Messages that came within a longer history: the last has a row of its own, those before it are kept as a path.

The next request with this history then finds what it grows from, and ends reach below the messages in the path.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quitbutton.core.conversation import Branch
from quitbutton.core.records import TurnRecord
from quitbutton.stores.database import Transaction
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.rows import ended_among, placed

SIZE = 32
"""Bytes of an address."""


def skipped_by(record: TurnRecord) -> tuple[bytes, ...] | None:
    """The addresses that a record steps over; None where it grows from the turn right before it."""
    branch, base = record.branch, record.footing.base
    if base == branch.parent:
        return None
    before = branch.addresses[:-1]
    return before[before.index(base) + 1 :] if base in before else before


def first_is_known(transaction: Transaction, first: bytes) -> bool:
    """Whether a path that begins like this was recorded before."""
    return bool(transaction.execute(QUERIES["path_begins"], {"first": first}))


def end_below(transaction: Transaction, branch: Branch, end_id: str, at: float) -> None:
    """End what lies below a turn: by its links, and where histories stepped over it."""
    address = branch.address
    first = top_of(transaction, branch)
    if not transaction.is_alone:
        transaction.lock([first])
    stepped_over = [
        bytes(turn)
        for turn, path in transaction.execute(QUERIES["skips_of"], {"first": first})
        if address in parts_of(path)
    ]
    if not transaction.is_alone:
        _lock_below(transaction, [address, *stepped_over])
    # Written also where they are ended already: whoever reopens them at the same time must see this end.
    for turn in stepped_over:
        transaction.execute(QUERIES["end_turn"], {"address": turn, "end_id": end_id, "at": at})
    for turn in (address, *stepped_over):
        transaction.execute(QUERIES["end_descendants"], {"address": turn, "end_id": end_id, "at": at})


def end_above(transaction: Transaction, address: bytes, end_id: str) -> str | None:
    """Another end that stands above a turn, if there is one."""
    rows = transaction.execute(QUERIES["end_above"], {"address": address, "end_id": end_id})
    if rows:
        return str(rows[0][0])
    paths = transaction.execute(QUERIES["skips_above"], {"address": address})
    ended = ended_among(transaction, [part for (path,) in paths for part in parts_of(path)])
    return next((other for other in ended.values() if other != end_id), None)


def end_again(transaction: Transaction, addresses: Collection[bytes], at: float) -> set[str]:
    """End those of these turns, and what lies below them, that other ends reach too; these ends."""
    found: dict[bytes, str] = {}
    for sql, params in placed("below_ends", addresses):
        found |= {bytes(turn): end_id for turn, end_id in transaction.execute(sql, params)}
    for sql, params in placed("paths_of", addresses):
        for turn, path in transaction.execute(sql, params):
            found |= {bytes(turn): end_id for end_id in ended_among(transaction, parts_of(path)).values()}
    for turn, end_id in found.items():
        for name in ("end_turn", "end_descendants"):
            transaction.execute(QUERIES[name], {"address": turn, "end_id": end_id, "at": at})
    return set(found.values())


def parts_of(path: bytes) -> list[bytes]:
    """The addresses in a path."""
    return [bytes(path[start : start + SIZE]) for start in range(0, len(path), SIZE)]


def top_of(transaction: Transaction, branch: Branch) -> bytes:
    """The first address of a branch: what steps over messages is kept under it.

    Where the provider keeps the history, the request names only where it goes on from.
    """
    top = branch.addresses[0]
    if not branch.continued:
        return top
    rows = transaction.execute(QUERIES["above"], {"address": top})
    above = {bytes(address): (bytes(parent), first) for address, parent, first in rows}
    while top in above:
        parent, first = above.pop(top)
        upper = parent if first is None else bytes(first)
        if upper == top or (first is None and parent not in above):
            break
        top = upper
    return top


def _lock_below(transaction: Transaction, addresses: Sequence[bytes]) -> None:
    """Lock what an end reaches, and what was recorded below while it waited, until nobody can add any more."""
    known: set[bytes] = set()
    while fresh := _below(transaction, addresses) - known:
        transaction.lock(fresh)
        known |= fresh


def _below(transaction: Transaction, addresses: Sequence[bytes]) -> set[bytes]:
    found = set(addresses[1:])
    for address in addresses:
        found |= {bytes(row[0]) for row in transaction.execute(QUERIES["below"], {"address": address})}
    return found
