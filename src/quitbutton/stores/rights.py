"""What people may ask about an end and contest: statements, appeals, the words that are kept, and their erasure."""

from __future__ import annotations

import json
import random
import secrets
from dataclasses import replace
from typing import Any

import msgspec

from quitbutton.core.addresses import message_id
from quitbutton.core.appeals import DECIDE_WITHIN, Appeal, AppealSource, AppealState, NotPossible, check_may_appeal
from quitbutton.core.errors import NotFound
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.records import End
from quitbutton.core.statements import Grounds
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.rows import end_of
from quitbutton.stores.skips import end_above, end_again
from quitbutton.stores.sql import NO_SUCH_END


class Rights:
    """The records behind statements and appeals, over the same database as the turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grounds(self, end_id: str) -> Grounds:
        """All that a statement of reasons says. Raises `NotFound`."""

        def work(transaction: Transaction) -> Grounds:
            end = _end(transaction, end_id)
            inside = {"conversation": end.conversation}
            rungs = {proof.message for proof in end.evidence}
            times = {m: at for m, at in transaction.execute(QUERIES["times_of"], inside) if m in rungs}
            rows = transaction.execute(QUERIES["words_of"], inside)
            said = {(message, speaker): body for message, speaker, _, _, body, _ in rows if message in rungs}
            policies = transaction.execute(QUERIES["policy"], {"digest": end.policy})
            policy = json.loads(policies[0][0]) if policies else {}
            appeals = {one.source: one for one in _appeals_of(transaction, end_id)}
            return Grounds(end, times, said, policy, appeals.get(AppealSource.USER))

        return await self._database.write(work)

    async def appeal(self, end_id: str, text: str, now: float, source: AppealSource = AppealSource.USER) -> Appeal:
        """File an appeal; the one that stands where there is one already. Raises `NotFound` or `NotPossible`."""

        def work(transaction: Transaction) -> Appeal:
            end = _end(transaction, end_id)
            standing = [one for one in _appeals_of(transaction, end_id) if one.source is source]
            if standing:
                return standing[0]
            if source is AppealSource.USER:
                check_may_appeal(end, now)
            tenant, _ = transaction.execute(QUERIES["tenant_of_end"], {"id": end_id})[0]
            made = Appeal(
                "app_" + secrets.token_urlsafe(18),
                end_id,
                tenant,
                source,
                text,
                AppealState.OPEN,
                now,
                now + DECIDE_WITHIN,
            )
            given = {"id": made.id, "end_id": end_id, "tenant": tenant, "source": source.value, "body": text}
            transaction.execute(QUERIES["put_appeal"], {**given, "at": now, "due_at": made.due_at})
            _put_event(transaction, "appeal.opened", tenant, end, now, {"appeal": made.id, "source": source.value})
            if end.reopened_at is None:
                return made
            # A person has found this end wrong already; a sample without such ends would count too few false ones.
            _decide(transaction, made, end, AppealState.UPHELD, "", "", now)
            return replace(made, state=AppealState.UPHELD, decided_at=now)

        return await self._database.write(work, durable=True)

    async def find(self, appeal_id: str) -> Appeal:
        """An appeal by its id. Raises `NotFound`."""
        rows = await self._database.read(QUERIES["appeal"], {"id": appeal_id})
        if not rows:
            raise NotFound("There is no appeal with this id.")
        return appeal_of(rows[0])

    async def queue(self, state: AppealState, after: tuple[float, str] = (0.0, ""), limit: int = 50) -> list[Appeal]:
        """Appeals in a state, the most urgent first, after a place in the queue (due time, id)."""
        given = {"state": state.value, "after": after[0], "after_id": after[1], "limit": limit}
        return list(map(appeal_of, await self._database.read(QUERIES["appeals_in"], given)))

    async def decide(self, appeal_id: str, state: AppealState, by: str, reason: str, now: float) -> Appeal:
        """A person's decision: upheld reopens the branch at once, rejected leaves it. Raises `NotFound`, `NotPossible`."""

        def work(transaction: Transaction) -> Appeal:
            rows = transaction.execute(QUERIES["appeal"], {"id": appeal_id})
            if not rows:
                raise NotFound("There is no appeal with this id.")
            before = appeal_of(rows[0])
            if before.state is not AppealState.OPEN:
                raise NotPossible(f"This appeal was decided already: {before.state}.")
            end = _end(transaction, before.end_id)
            _decide(transaction, before, end, state, by, reason, now)
            if state is AppealState.UPHELD and end.reopened_at is None:
                _reopen(transaction, end.id, now)
                transaction.execute(QUERIES["reopen_end"], {"end_id": end.id, "at": now})
                _put_event(
                    transaction, "conversation.reopened", before.tenant, end, now, {"appeal": appeal_id, "by": by}
                )
            return appeal_of(transaction.execute(QUERIES["appeal"], {"id": appeal_id})[0])

        return await self._database.write(work, durable=True)

    async def sample(self, since: float, share: float, now: float, seed: int | None = None) -> int:
        """Put a random share of the ends since then into the queue for a blind review; how many.

        Those drawn that were reopened already count as upheld, and are not reviewed again.
        """
        rows = await self._database.read(QUERIES["ends_to_sample"], {"since": since})
        chance = random.Random(seed) if seed is not None else random.SystemRandom()
        chosen = [end_id for end_id, _ in rows if chance.random() < share]
        put = 0
        for end_id in chosen:
            drawn = await self.appeal(end_id, "", now, AppealSource.SAMPLE)
            put += drawn.state is AppealState.OPEN
        return put

    async def reviewed(self, since: float) -> list[Row]:
        """Decided reviews: policy, model, reason, source, state."""
        return await self._database.read(QUERIES["reviewed_ends"], {"since": since})

    async def erase_conversation(self, conversation: str, now: float) -> None:
        """Erase what was said in a conversation, and their salts; what was decided stays, and so do its proofs."""
        await self._database.write(lambda transaction: _erase(transaction, conversation, now), durable=True)

    async def conversations_of(self, root: bytes) -> list[str]:
        """The conversations of a scope: those of an API key and end user."""
        return [row[0] for row in await self._database.read(QUERIES["conversations_of_root"], {"root": root})]

    async def tenants(self) -> list[str]:
        """Every tenant that has a conversation."""
        return [row[0] for row in await self._database.read(QUERIES["tenants"])]

    async def words(self, conversation: str) -> list[dict[str, Any]]:
        """The kept words of a conversation, oldest first."""
        rows = await self._database.read(QUERIES["words_of"], {"conversation": conversation})
        names = ("message", "speaker", "request_id", "salt", "text", "at")
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def messages_above(self, end_id: str) -> set[str]:
        """The ids of the messages on the branch that an end closed."""
        rows = await self._database.read(QUERIES["tenant_of_end"], {"id": end_id})
        above = await self._database.read(QUERIES["above"], {"address": bytes(rows[0][1])}) if rows else []
        return {message_id(bytes(address)) for address, _, _ in above}

    async def drop_words(self, before: float) -> int:
        """Erase words that are older, and what turns of that age are known again by; how many messages."""

        def work(transaction: Transaction) -> int:
            count = int(transaction.execute(QUERIES["old_words"], {"before": before})[0][0])
            if count:
                transaction.execute(QUERIES["drop_old_words"], {"before": before})
            transaction.execute(QUERIES["drop_old_traces"], {"before": before})
            return count

        return await self._database.write(work)


def _decide(
    transaction: Transaction, appeal: Appeal, end: End, state: AppealState, by: str, reason: str, now: float
) -> None:
    given = {"id": appeal.id, "state": state.value, "at": now, "by": by, "reason": reason}
    transaction.execute(QUERIES["decide_appeal"], given)
    told = {"appeal": appeal.id, "state": state.value, "by": by}
    _put_event(transaction, "appeal.decided", appeal.tenant, end, now, told)


def _reopen(transaction: Transaction, end_id: str, now: float) -> None:
    """Open the turns that an end had locked; where another end stands above them, they are locked by that one."""
    inside = {"end_id": end_id, "at": now}
    address = transaction.execute(QUERIES["tenant_of_end"], {"id": end_id})[0][1]
    # Whoever ends a turn above writes its row: of the two, the second sees what the first did.
    transaction.execute(QUERIES["hold_above"], {"address": address})
    other = end_above(transaction, bytes(address), end_id)
    if other is not None:
        transaction.execute(QUERIES["hand_on_turns"], {**inside, "other": other})
        return
    transaction.execute(QUERIES["conversations_of_end"], {"end_id": end_id, "rung": Rung.OPEN.value})
    reopened = [bytes(turn) for (turn,) in transaction.execute(QUERIES["turns_of_end"], {"end_id": end_id})]
    transaction.execute(QUERIES["reopen_turns"], inside)
    for one in end_again(transaction, reopened, now):
        transaction.execute(QUERIES["conversations_of_end"], {"end_id": one, "rung": Rung.ENDED.value})


def _erase(transaction: Transaction, conversation: str, now: float) -> None:
    inside = {"conversation": conversation}
    for (body,) in transaction.execute(QUERIES["bodies_of"], inside):
        if request := json.loads(body).get("request_id"):
            transaction.execute(QUERIES["erase_feedback_about"], {"about": request})
    for name in ("erase_feedback", "erase_appeal_texts", "erase_explanations", "erase_words", "erase_traces"):
        transaction.execute(QUERIES[name], inside)
    event = {"at": now, "kind": "words.erased", "tenant": "", "message": "", "body": "{}"}
    transaction.execute(QUERIES["put_event"], {**event, **inside})


def _end(transaction: Transaction, end_id: str) -> End:
    rows = transaction.execute(QUERIES["end_by_id"], {"id": end_id})
    if not rows:
        raise NotFound(NO_SUCH_END)
    return end_of(rows[0])


def _appeals_of(transaction: Transaction, end_id: str) -> list[Appeal]:
    return list(map(appeal_of, transaction.execute(QUERIES["appeals_of_end"], {"end_id": end_id})))


def appeal_of(row: Row) -> Appeal:
    """An appeal from its row."""
    appeal_id, end_id, tenant, source, text, state, *rest = row
    return Appeal(appeal_id, end_id, tenant, AppealSource(source), text, AppealState(state), *rest)


def _put_event(transaction: Transaction, kind: str, tenant: str, end: End, at: float, body: dict[str, Any]) -> None:
    told = {"end_id": end.id, **body}
    place = {"conversation": end.conversation, "message": end.message, "tenant": tenant}
    transaction.execute(
        QUERIES["put_event"], {"at": at, "kind": kind, "body": msgspec.json.encode(told).decode(), **place}
    )
