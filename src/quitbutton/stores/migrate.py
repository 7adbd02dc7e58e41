"""Applies `migrations/NNNN_name.sql`, once each, in order; a shipped one is never edited.

`NNNN_name.sqlite.sql` changes SQLite's files alone, and is counted as applied everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

from quitbutton.core.errors import StoreFailed
from quitbutton.stores.database import Database, Transaction

_NAME = re.compile(r"(\d{4})_\w+?(?:\.(\w+))?\.sql")


def migrate(database: Database) -> int:
    """Bring the database to the newest version; how many migrations were applied.

    Raises `StoreFailed` when the database was made by a newer quitbutton.
    """
    scripts = sorted(
        (int(found[1]), entry.read_text("utf-8") if found[2] in (None, database.words["database"]) else "")
        for entry in (files("quitbutton.stores") / "migrations").iterdir()
        if (found := _NAME.fullmatch(entry.name))
    )
    applied: list[int] = []

    def work(transaction: Transaction) -> None:
        transaction.execute("CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY)")
        done = {row[0] for row in transaction.execute("SELECT version FROM migrations")}
        if max(done, default=0) > scripts[-1][0]:
            raise StoreFailed(
                f"The store is at version {max(done)}, this quitbutton knows {scripts[-1][0]}. Install a newer quitbutton."
            )
        for version, script in scripts:
            if version not in done:
                for statement in statements(script, database.words):
                    transaction.execute(statement)
                transaction.execute("INSERT INTO migrations (version) VALUES (:version)", {"version": version})
                applied.append(version)

    database.migrate(work)
    return len(applied)


def statements(script: str, words: Mapping[str, str]) -> list[str]:
    """The statements of a script, with the database's own words filled in."""
    bare = re.sub(r"--.*", "", script)
    for name, word in words.items():
        bare = bare.replace(f"{{{name}}}", word)
    return [statement.strip() for statement in bare.split(";") if statement.strip()]
