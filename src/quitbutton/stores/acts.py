"""What operators do that concerns no conversation, as events of the same record."""

from __future__ import annotations

from typing import Any

import msgspec

from quitbutton.stores.database import Transaction
from quitbutton.stores.queries import QUERIES


def record_operator_event(transaction: Transaction, kind: str, by: str, at: float, body: dict[str, Any]) -> None:
    """Record an act, in the transaction that does it. Never a key or a session's id."""
    told = msgspec.json.encode({"by": by, **body}).decode()
    nowhere = {"tenant": "", "conversation": "", "message": ""}
    transaction.execute(QUERIES["put_event"], {"at": at, "kind": kind, "body": told, **nowhere})
