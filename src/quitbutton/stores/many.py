"""Many rows in few statements: a database that is far away answers each of them late."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from quitbutton.stores.database import Transaction
from quitbutton.stores.queries import QUERIES

TOGETHER = 200
"""Rows of one statement."""


def put_all(transaction: Transaction, name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Run a query that inserts one row, for all of these."""
    for start in range(0, len(rows), TOGETHER):
        part = rows[start : start + TOGETHER]
        params = {f"{key}_{place}": value for place, row in enumerate(part) for key, value in row.items()}
        transaction.execute(_repeated(QUERIES[name], len(part)), params)


@lru_cache(maxsize=512)
def _repeated(sql: str, times: int) -> str:
    head, _, values = sql.partition(" VALUES ")
    return f"{head} VALUES " + ", ".join(re.sub(r":(\w+)", rf":\g<1>_{place}", values) for place in range(times))
