"""The database and nothing else in the wrong hands: no other past is ever signed, and each attempt is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from quitbutton.audit.signer import is_signed_by, signer_of
from quitbutton.core.audit.merkle import EMPTY
from quitbutton.core.audit.signed_note import Checkpoint, signed
from quitbutton.stores.audit import AuditLog, NotSound
from quitbutton.stores.checking import check_heads, check_log
from quitbutton.stores.database import Transaction
from tests.audit.database import Lived

Attack = Callable[[Lived], Awaitable[None]]
CHANGE = "UPDATE events SET body = replace(body, 'abuse', 'harm') WHERE seq = 3"
NO_LOG = ("DELETE FROM checkpoints", "DELETE FROM leaves", "DELETE FROM nodes")
ATTACKS: dict[str, tuple[Attack, str, str]] = {}
"""Name: the attack, why nothing is signed, what the check says."""


def attack(refused: str, found: str) -> Callable[[Attack], Attack]:
    def note(one: Attack) -> Attack:
        ATTACKS[one.__name__] = (one, refused, found)
        return one

    return note


@attack("it had 12 events in its log and has 0 now", "a checkpoint covers 12 events, the log has 0")
async def an_event_is_changed_and_the_log_emptied(one: Lived) -> None:
    await one.does(CHANGE, *NO_LOG)


@attack("it had 12 events in its log and has 0 now", "a checkpoint covers 12 events, the log has 0")
async def everything_is_emptied(one: Lived) -> None:
    tables = ("events", "turns", "ends", "words", "appeals", "conversations", "requests", "daily", "skips", "replies")
    await one.does(*(f"DELETE FROM {table}" for table in tables), *NO_LOG)


@attack("it had 12 events in its log and has 5 now", "a checkpoint covers 12 events, the log has 5")
async def the_whole_is_rolled_back_to_an_earlier_signed_state(one: Lived) -> None:
    await one.does(
        "DELETE FROM events WHERE seq > 5",
        "DELETE FROM leaves WHERE n > 4",
        "DELETE FROM checkpoints WHERE size > 5",
        "DELETE FROM nodes WHERE ((n + 1) * (1 << level)) > 5",
    )


@attack("its 12 events are not those that were signed", "its first 12 events are not those that were signed")
async def an_event_is_changed_and_every_hash_computed_anew(one: Lived) -> None:
    await one.does(CHANGE)
    await one.rehashes()


@attack("none of its 12 events is signed by a checkpoint", "its first 12 events are not those that were signed")
async def the_same_and_all_checkpoints_removed(one: Lived) -> None:
    await one.does(CHANGE, "DELETE FROM checkpoints")
    await one.rehashes()


@attack("its newest checkpoint is forged or broken", "a checkpoint is forged or broken")
async def the_newest_checkpoint_is_signed_with_another_key(one: Lived) -> None:
    await one.does(CHANGE)
    await one.rehashes()
    other = signer_of(None, None)
    text = Checkpoint("quitbutton", 12, await one.log.root(12), 30, 11).text
    note = signed(text, other.key, other.sign)

    def work(transaction: Transaction) -> None:
        transaction.execute("UPDATE checkpoints SET note = :note WHERE size = 12", {"note": note})

    await one.database.write(work)


@attack("its newest checkpoint covers 11 events and it has 12", "follows one of 8, which was removed")
async def an_earlier_checkpoint_takes_the_place_of_the_newest(one: Lived) -> None:
    await one.does("DELETE FROM checkpoints WHERE size IN (8, 12)", "UPDATE checkpoints SET size = 12 WHERE size = 11")


@attack(r"event 11 \(number 99999\) was removed", "number 99999) was removed")
async def the_last_place_is_moved_on_so_that_events_are_passed_over(one: Lived) -> None:
    await one.does("UPDATE leaves SET seq = 99999 WHERE n = 11")


@attack(r"event 11 \(number 0\) was removed", "number 0) was removed")
async def the_last_place_is_moved_back_so_that_others_are_logged_as_new(one: Lived) -> None:
    await one.does("UPDATE leaves SET seq = 0 WHERE n = 11")


@attack(r"event 11 \(number 12\) was removed", "number 12) was removed")
async def the_last_event_is_removed(one: Lived) -> None:
    await one.does("DELETE FROM events WHERE seq = 12")


@attack("its newest checkpoint covers 12 events and it has 11", "the end of the log was cut off")
async def the_last_place_in_the_log_is_removed(one: Lived) -> None:
    await one.does("DELETE FROM leaves WHERE n = 11")


@attack("its 12 events are not those that were signed", "was changed")
async def a_hash_is_changed(one: Lived) -> None:
    await one.does(
        "UPDATE nodes SET hash = (SELECT hash FROM nodes WHERE level = 0 AND n = 2) WHERE level = 3 AND n = 0"
    )
    await one.does(
        "UPDATE nodes SET hash = (SELECT hash FROM nodes WHERE level = 0 AND n = 2) WHERE level = 0 AND n = 1"
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_with_the_database_alone_nothing_is_signed_and_the_attack_is_named(one: Lived, name: str) -> None:
    does, refused, found = ATTACKS[name]

    async def scene() -> None:
        await one.begins()
        kept = one.head.read()
        await does(one)
        before = await one.notes()
        await one.says("and another")
        for _ in range(2):
            with pytest.raises(NotSound, match=refused):
                await one.log.append(40.0)
        assert await one.notes() == before, "nothing was signed"
        assert one.head.read() == kept, "what shows it is kept"
        assert one.log.fault is not None
        problems = (await check_log(one.log, is_signed_by)).problems
        assert any(found in problem for problem in problems), problems

    asyncio.run(scene())


def test_without_the_note_nothing_is_signed_until_an_operator_says_so(one: Lived) -> None:
    async def scene() -> None:
        await one.begins()
        one.head.file.unlink()
        await one.says("and another")
        with pytest.raises(NotSound, match="no checkpoint of it is kept beside the database"):
            await one.log.append(40.0)
        assert any("audit-head.note" in problem for problem in (await check_log(one.log, is_signed_by)).problems)
        assert any("audit-head.note" in problem for problem in (await check_heads(one.log, is_signed_by)).problems)
        one.head.begin((await one.log.head())[1] or "")
        assert await one.log.append(41.0) is not None
        assert (await check_log(one.log, is_signed_by)).problems == []

    asyncio.run(scene())


def test_a_replica_without_a_lasting_disk_begins_from_the_store_where_it_may(one: Lived) -> None:
    async def scene() -> None:
        await one.begins()
        one.head.file.unlink()
        await one.says("and another")
        trusting = AuditLog(one.database, one.log.signer, one.head, trusts_store=True)
        made = await trusting.append(40.0)
        assert made is not None
        assert (made.size, made.previous) == (13, 12)
        await one.does(*NO_LOG)
        await one.says("one more")
        with pytest.raises(NotSound, match="it had 13 events in its log and has 0 now"):
            await trusting.append(41.0)

    asyncio.run(scene())


def test_a_log_that_begins_keeps_a_note_before_its_first_event_is_signed(one: Lived) -> None:
    async def scene() -> None:
        await one.says("hello")
        seen: list[str | None] = []
        write = one.database.write

        async def watching(*given: object, **more: object) -> object:
            seen.append(one.head.read())
            return await write(*given, **more)  # type: ignore[arg-type]

        one.log.database = type("Watching", (), {"__getattr__": lambda _, name: getattr(one.database, name)})()
        one.log.database.write = watching  # type: ignore[method-assign]
        await one.log.append(1.0)
        assert seen[0] is not None
        assert Checkpoint.read(seen[0].rpartition("\n\n")[0] + "\n") == Checkpoint("quitbutton", 0, EMPTY, 1)
        assert (one.head.read() or "").startswith("quitbutton\n1\n")
        assert one.head.file.stat().st_mode & 0o777 == 0o600

    asyncio.run(scene())


def test_a_process_that_comes_late_does_not_take_the_note_back(one: Lived) -> None:
    async def scene() -> None:
        await one.begins()
        kept = one.head.read()
        one.head.keep((await one.notes())[0])
        assert one.head.read() == kept

    asyncio.run(scene())
