"""How SQL and texts are written for PostgreSQL: placeholders, what a `TEXT` column compares by, NUL characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from quitbutton.stores.database import Params, Row

ESCAPE = "\x1a"
"""Stands before what a PostgreSQL text cannot hold. People do write NUL, and proofs cover what they wrote."""
_PLACE = re.compile(r"(?<!:):([a-z_]\w*)")
_TEXT = re.compile(r"\bTEXT\b")


@lru_cache(maxsize=4096)
def placed(sql: str) -> bytes:
    """SQL with `:name` as psycopg writes it."""
    return _PLACE.sub(r"%(\1)s", sql.replace("%", "%%")).encode()


def defined(sql: str) -> str:
    """A migration's statement, its texts compared byte by byte as SQLite does, whatever the database's language."""
    return _TEXT.sub('TEXT COLLATE "C"', sql) if sql.startswith(("CREATE TABLE", "ALTER TABLE")) else sql


def kept(params: Params) -> dict[str, object]:
    """Parameters as PostgreSQL can keep them."""
    return {name: _kept(value) if isinstance(value, str) else value for name, value in params.items()}


def given(rows: list[tuple[Any, ...]]) -> list[Row]:
    """Rows as they were kept."""
    return [_given(row) if any(isinstance(cell, str) and ESCAPE in cell for cell in row) else row for row in rows]


def _kept(text: str) -> str:
    if "\x00" not in text and ESCAPE not in text:
        return text
    return text.replace(ESCAPE, ESCAPE + "1").replace("\x00", ESCAPE + "0")


def _given(row: Sequence[Any]) -> Row:
    return tuple(
        cell.replace(ESCAPE + "0", "\x00").replace(ESCAPE + "1", ESCAPE) if isinstance(cell, str) else cell
        for cell in row
    )
