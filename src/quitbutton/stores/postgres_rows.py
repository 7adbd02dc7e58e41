"""Many rows as one parameter of one statement, for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from quitbutton.stores.database import Params
from quitbutton.stores.postgres_text import kept

_NAME = re.compile(r":([a-z_]\w*)")
_VALUES = re.compile(r"(.*?)\sVALUES\s+\((.*?)\)((?:\s+ON CONFLICT.*)?)", re.DOTALL)
_TYPES: Mapping[type, str] = {bytes: "bytea", str: "text", int: "bigint", float: "double precision", bool: "boolean"}


def types_of(rows: Sequence[Params]) -> tuple[tuple[str, str], ...]:
    """Name and type of each member, by the first value that is one."""
    return tuple((name, _type_of(name, rows)) for name in rows[0])


def packed(rows: Sequence[Params]) -> str:
    """The rows as a JSON array; bytes as PostgreSQL writes them."""
    return msgspec.json.encode([_plain(row) for row in rows]).decode()


@lru_cache(maxsize=256)
def from_rows(sql: str, types: tuple[tuple[str, str], ...]) -> bytes:
    """An `INSERT ... VALUES (...)` that takes its rows from a JSON array."""
    found = _VALUES.fullmatch(sql)
    if found is None:
        raise ValueError(f"no INSERT of one row: {sql}")
    head, values, tail = found.groups()
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types)
    chosen = _NAME.sub(r'given."\1"', values)
    given = f"json_to_recordset(%s::json) AS given({columns})"
    return f"{head} SELECT {chosen} FROM {given}{tail}".encode()  # noqa: S608 - made of our own queries


def _type_of(name: str, rows: Sequence[Params]) -> str:
    value = next((row[name] for row in rows if row[name] is not None), "")
    return _TYPES[type(value)]


def _plain(row: Params) -> dict[str, object]:
    return {name: "\\x" + value.hex() if isinstance(value, bytes) else value for name, value in kept(row).items()}
