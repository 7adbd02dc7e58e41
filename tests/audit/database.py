"""A log over real conversations, on SQLite and on PostgreSQL, and whoever has the whole database but not the key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quitbutton.audit.signer import signer_of
from quitbutton.audit.trail import HEAD_FILE, HeadFile
from quitbutton.core.audit.log import hash_of, leaf_of
from quitbutton.core.audit.merkle import grown
from quitbutton.stores.audit import AuditLog
from quitbutton.stores.database import Database, Transaction
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore
from quitbutton.upstreams.scripted import press
from tests.play import Play, say

ABUSE = "[abuse] you again"
END = [say("Let us talk of rice."), say("No."), press(), press(explanation="It went on."), press()]
EVENTS = "SELECT seq, at, kind, tenant, conversation, message, body FROM events ORDER BY seq"


class Lived:
    """An end with an appeal in the first batch of the log, other conversations in two more; the note is in a file."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.store = SQLStore(database)
        self.play = Play([*END, *(say("Hi.") for _ in range(40))], store=self.store)
        self.head = HeadFile(folder / HEAD_FILE)
        self.log = AuditLog(database, signer_of(None, folder / "audit.key"), self.head)
        self.end_id = ""
        self.appeal_id = ""

    async def begins(self) -> None:
        """Twelve events, in three batches."""
        rights = Rights(self.database)
        await self.play.store.put_policy(self.play.policy, 0.0)
        self.end_id = (await self.play.climbs(*(f"{ABUSE} {turn}" for turn in range(1, 5)))).note["end_id"]
        self.appeal_id = (await rights.appeal(self.end_id, "please look again", 10.0)).id
        await self.log.append(11.0)
        for batch in range(2):
            for turn in range(3):
                await self.says(f"hello {batch} {turn}")
            await self.log.append(20.0 + batch)
        await self.says("the last one")
        await self.log.append(30.0)

    async def says(self, text: str) -> None:
        """A turn of somebody else's."""
        await self.play.sends([{"role": "user", "content": text}], user="bob")

    async def does(self, *statements: str) -> None:
        """Whoever has the database runs these."""

        def work(transaction: Transaction) -> None:
            for one in statements:
                transaction.execute(one)

        await self.database.write(work)

    async def rehashes(self) -> None:
        """Whoever has the database computes every hash of the log anew, over the events as they are now."""

        def work(transaction: Transaction) -> None:
            size = transaction.execute("SELECT COUNT(*) FROM leaves")[0][0]
            nodes: dict[tuple[int, int], bytes] = {}
            for n, row in enumerate(transaction.execute(EVENTS)[:size]):
                nodes |= dict(grown(n, hash_of(leaf_of(row)), nodes.__getitem__))
            for (level, n), one in nodes.items():
                given = {"level": level, "n": n, "hash": one}
                transaction.execute("UPDATE nodes SET hash = :hash WHERE level = :level AND n = :n", given)

        await self.database.write(work)

    async def notes(self) -> list[str]:
        """Every checkpoint in the database."""
        return [note for _, note, _ in await self.log.checkpoints()]


@contextmanager
def lived(database: Database, folder: Path) -> Iterator[Lived]:
    """A log that has not begun."""
    one = Lived(database, folder)
    yield one
    one.store.close()
