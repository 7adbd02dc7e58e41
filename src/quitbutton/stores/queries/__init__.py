"""Every statement the stores make: one named query after another in `*.sql`, each file a subject."""

from __future__ import annotations

import re
from importlib.resources import files


def _load() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in sorted(files(__name__).iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".sql"):
            parts = re.split(r"^-- name: (\w+)\n", entry.read_text("utf-8"), flags=re.MULTILINE)[1:]
            named = {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}
            if twice := named.keys() & found.keys():
                raise ValueError(f"{entry.name} names a query that another file has: {', '.join(sorted(twice))}")
            found |= named
    return found


QUERIES = _load()
"""SQL by name; parameters are :named."""
