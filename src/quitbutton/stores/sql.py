"""SQLStore: turns, ends and what hangs on them, written once for every database, with SQL from `queries/`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict

from quitbutton.core.conversation import Branch, Mark, Marks
from quitbutton.core.errors import NotFound
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.messages import Message, Role
from quitbutton.core.origins import KeptId, KeptReply, Origin
from quitbutton.core.records import ConversationView, End, Outcome, Receipt, TurnRecord
from quitbutton.core.traces import Known
from quitbutton.stores.database import Database, Load, Row, Transaction
from quitbutton.stores.grouping import Groups
from quitbutton.stores.migrate import migrate
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.recording import record_all, reply_row, watched
from quitbutton.stores.rows import end_of, known_of, marks_of, placed

NO_SUCH_END = "There is no end with this id. Its whole id stands in the notice and in `quitbutton.end_id`."
DURABLE = (Rung.WARNED, Rung.ENDED)
"""Rungs that are on the disk before anybody is told."""
MAX_GROUP = 64
"""Most turns in one transaction."""


class SQLStore:
    """Satisfies `Store` over a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        migrate(database)

        def first(transaction: Transaction) -> None:
            transaction.execute(QUERIES["put_meta"], {"name": "address_key", "value": secrets.token_hex(32)})

        database.migrate(first)
        self._records: Groups[TurnRecord, Outcome] = Groups(self._record, MAX_GROUP, database.at_once)
        self._reads: Groups[Collection[bytes], dict[bytes, Mark]] = Groups(self._marks_at, MAX_GROUP, database.at_once)
        self._knows_firsts: bool | None = None

    @property
    def load(self) -> Load:
        """What the database has to do; what waits for a group of its own waits too."""
        load = self._database.load
        return load._replace(waiting=load.waiting + self._records.waiting + self._reads.waiting)

    async def address_key(self) -> bytes:
        """The key of every address, made once for each installation: 32 bytes."""
        rows = await self._database.read(QUERIES["meta"], {"name": "address_key"})
        return bytes.fromhex(rows[0][0])

    async def ping(self) -> None:
        """Raises `StoreFailed` when the store cannot be read, or does not take what is written."""
        await self._database.ping()

    async def marks(self, branch: Branch) -> Marks:
        """What is known of a branch. Two rows are read when its parent is known, the whole path when not."""
        found = await self.turns_at({branch.address} | ({branch.parent} - {branch.root}))
        parent = found.get(branch.parent)
        if (parent and not parent.brought) or (branch.parent == branch.root and not branch.is_truncated):
            return Marks(found)
        wanted = set() if await self._is_new(branch) else set(branch.addresses)
        if branch.address in found:
            wanted.add(found[branch.address].base)
        head = await self.head(branch.conversation) if branch.named else None
        if head is not None:
            wanted.update((head, *branch.tails()))
        return Marks(found | await self.turns_at(wanted - found.keys()), head)

    async def _is_new(self, branch: Branch) -> bool:
        """Whether nothing at all is known of a path, so that it need not be looked up message by message."""
        if self._knows_firsts is None:
            self._knows_firsts = bool(await self._database.read(QUERIES["meta"], {"name": "firsts_known"}))
        first = {"first": branch.addresses[0]}
        return self._knows_firsts and not await self._database.read(QUERIES["path_begins"], first)

    async def turns_at(self, addresses: Collection[bytes]) -> dict[bytes, Mark]:
        """What is known of single addresses; those that are not known are missing."""
        if not addresses:
            return {}
        if self._database.is_in_process:
            return (await self._marks_at([addresses]))[0]
        return await self._reads.add(addresses)

    async def traces(self, root: bytes, tails: Collection[bytes]) -> list[Known]:
        """The turns of a scope whose replies end with one of these lines, by digest."""
        found: list[Known] = []
        for sql, params in placed("traces_at", set(tails)):
            found += map(known_of, await self._database.read(sql, {**params, "root": root}))
        return found

    async def greets(self, root: bytes, line: bytes) -> bool:
        """Whether histories of a scope begin with a reply that ends with this line and that no model gave there."""
        return bool(await self._database.read(QUERIES["trace_opens"], {"root": root, "opening": line}))

    async def origin(self, owner: bytes, reply_id: str) -> Origin | None:
        """Where the reply with this id was given, to the owner it was given to."""
        rows = await self._database.read(QUERIES["reply"], {"owner": owner, "id": reply_id})
        if not rows:
            return None
        address, conversation, upstream_id, upstream, owed = rows[0]
        return Origin(bytes(address), conversation, KeptReply(reply_id, upstream_id, upstream, owed))

    async def reply_at(self, owner: bytes, address: bytes) -> KeptReply | None:
        """The newest reply that was given at a turn."""
        rows = await self._database.read(QUERIES["reply_at"], {"owner": owner, "address": address})
        return KeptReply(*rows[0]) if rows else None

    async def head(self, conversation: str) -> bytes | None:
        """The address of the newest turn of a conversation."""
        rows = await self._database.read(QUERIES["head_of"], {"id": conversation})
        return bytes(rows[0][0]) if rows else None

    async def put_reply(self, owner: bytes, origin: Origin, at: float) -> None:
        """Remember where a reply was given, so that a request can go on from its id."""
        if origin.reply is not None:
            row = reply_row(owner, origin, at)
            await self._database.write(lambda transaction: transaction.execute(QUERIES["put_reply"], row))

    async def keep_id(self, kept_id: str, kept: KeptId, at: float) -> None:
        """Remember whose a response or conversation of the provider is; an id that is given anew is the newest owner's."""
        row = {"id": kept_id, "owner": kept.owner, "upstream": kept.upstream, "at": at}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["keep_id"], row))

    async def kept_id(self, kept_id: str) -> KeptId | None:
        """Whose a response or conversation of the provider is; None where it was not made through here."""
        rows = await self._database.read(QUERIES["kept_id"], {"id": kept_id})
        return KeptId(bytes(rows[0][0]), rows[0][1]) if rows else None

    async def record(self, record: TurnRecord) -> Outcome:
        """Write a turn and its event, all or nothing; with others that wait at the same time, in one transaction.

        Compare-and-set: when the branch has been ended meanwhile by another request, nothing of this turn is written
        but the event, and that other end is returned. Otherwise the turn stands. A refusal whose end was reopened since
        is not written either: its outcome has no end.
        """
        if record.end is not None:
            return (await self._record([record]))[0]
        return await self._records.add(record)

    async def _record(self, records: Sequence[TurnRecord]) -> list[Outcome]:
        durable = any(record.decision.after.rung in DURABLE for record in records)
        locks = {address for record in records for address in watched(record)}
        return await self._database.write(
            lambda transaction: record_all(transaction, records, locks), durable, locks, quick=True
        )

    async def end(self, end_id: str) -> End | None:
        """An end by its id."""
        rows = await self._database.read(QUERIES["end_by_id"], {"id": end_id})
        return end_of(rows[0]) if rows else None

    async def conversation(self, tenant: str, conversation: str) -> ConversationView | None:
        """What may be told of a conversation to the tenant it belongs to."""
        rows = await self._database.read(QUERIES["conversation"], {"id": conversation, "tenant": tenant})
        if not rows:
            return None
        ends = await self._database.read(QUERIES["ends_of"], {"conversation": conversation})
        found, state, created, updated, turns = rows[0]
        return ConversationView(found, state, turns, created, updated, tuple(map(end_of, ends)))

    async def events(self, conversation: str) -> list[dict[str, object]]:
        """The decisions about a conversation, oldest first."""
        rows = await self._database.read(QUERIES["events_of"], {"conversation": conversation})
        return [
            {"seq": seq, "at": at, "kind": kind, "message": m, **json.loads(body)} for seq, at, kind, m, body in rows
        ]

    async def said(self, conversation: str, messages: Collection[str]) -> tuple[Message, ...]:
        """The kept words of these turns of a conversation, oldest first; of a turn that was answered again the first."""
        rows = await self._database.read(QUERIES["words_of"], {"conversation": conversation}) if messages else []
        found: dict[tuple[str, str], Message] = {}
        for message, speaker, _, _, body, _ in rows:
            if message in messages and speaker != "press":
                role = Role.USER if speaker == "user" else Role.ASSISTANT
                found.setdefault((message, speaker), Message(role, body))
        return tuple(found.values())

    async def put_policy(self, policy: Policy, at: float) -> None:
        """Remember which rules a digest stands for."""
        params = {"digest": policy.digest, "body": json.dumps(asdict(policy)), "at": at}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_policy"], params))

    async def put_receipt(self, tenant: str, receipt: Receipt, at: float) -> None:
        """Keep the receipt of a stop; the first one stands."""
        params = {"request_id": receipt.request_id, "tenant": tenant, "body": json.dumps(receipt._asdict()), "at": at}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_receipt"], params))

    async def receipt(self, tenant: str, request_id: str) -> Receipt | None:
        """The receipt of a stop, for the tenant whose request it was."""
        rows = await self._database.read(QUERIES["receipt"], {"request_id": request_id, "tenant": tenant})
        return Receipt(**json.loads(rows[0][0])) if rows else None

    async def put_feedback(self, tenant: str, about: str, rating: str, text: str, at: float) -> None:
        """Keep what a user thinks of an end, a warning, a stop or a reply. Raises `NotFound` for another's end."""
        params = {"tenant": tenant, "about": about, "rating": rating, "text": text, "at": at}
        if about.startswith("end_"):
            rows = await self._database.read(QUERIES["tenant_of_end"], {"id": about})
            if not rows or rows[0][0] != tenant:
                raise NotFound(NO_SUCH_END)
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_feedback"], params))

    def close(self) -> None:
        """Finish what waits, then close."""
        self._database.close()

    async def _marks_at(self, several: Sequence[Collection[bytes]]) -> list[dict[bytes, Mark]]:
        wanted = several[0] if len(several) == 1 else {address for addresses in several for address in addresses}
        rows: list[Row] = []
        for sql, params in placed("turns_at", wanted):
            rows += await self._database.read(sql, params)
        found = marks_of(rows)
        if len(several) == 1:
            return [found]
        return [{address: found[address] for address in addresses if address in found} for addresses in several]
