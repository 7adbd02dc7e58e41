"""Several gateways on one PostgreSQL: what is recorded is logged, told and counted once; what is decided, decided once."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable

import pytest

from quitbutton.audit.signer import is_signed_by, signer_of
from quitbutton.core.appeals import AppealState, NotPossible
from quitbutton.core.keys import KeyRules, Role
from quitbutton.core.versions import Stage
from quitbutton.stores.audit import AuditLog, Remembered
from quitbutton.stores.checking import check_log
from quitbutton.stores.console import Console
from quitbutton.stores.database import EVERYTHING, Transaction
from quitbutton.stores.keys import KeyStore
from quitbutton.stores.migrate import migrate
from quitbutton.stores.postgres import Postgres
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.rights import Rights
from quitbutton.stores.sessions import SessionStore
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.versions import Versions
from quitbutton.stores.webhooks import Webhooks
from tests.contracts.test_store import CLEAN, POLICY, branch, take
from tests.postgres import Server
from tests.stores.test_races import ends, names, strays, warned


def act(dice: random.Random, kind: str) -> Callable[[Transaction], None]:
    """Puts an event in the record, and takes its time to commit, or fails."""

    def work(transaction: Transaction) -> None:
        nowhere = {"tenant": "", "conversation": "c", "message": "m"}
        transaction.execute(QUERIES["put_event"], {"at": 1.0, "kind": kind, "body": '{"action": "warn"}', **nowhere})
        time.sleep(dice.uniform(0, 0.02))
        if dice.random() < 0.1:
            raise ValueError("no")

    return work


async def write_events(several: list[Postgres], each: int, kind: str = "turn.warn") -> None:
    dice = random.Random(5)

    async def writes(one: Postgres) -> None:
        for _ in range(each):
            await asyncio.gather(*(one.write(act(dice, kind), locks=()) for _ in range(3)), return_exceptions=True)

    await asyncio.gather(*map(writes, several))


async def logged_meanwhile(several: list[Postgres]) -> list[str]:
    """What the audit finds when two append while others write."""
    memory = Remembered()
    logs = [AuditLog(one, signer_of("A" * 43 + "=", None), memory) for one in several[:2]]
    writing = asyncio.create_task(write_events(several, 20))
    while not writing.done():
        await asyncio.gather(*(log.append(1.0) for log in logs))
    await writing
    for _ in range(3):
        await logs[0].append(2.0)
    return (await check_log(logs[0], is_signed_by, beside=False)).problems


def test_every_event_is_logged_though_they_appear_out_of_order(several: list[Postgres]) -> None:
    async def scene() -> None:
        assert await logged_meanwhile(several) == []
        rows = await several[0].read("SELECT (SELECT COUNT(*) FROM events), (SELECT COUNT(*) FROM leaves)")
        assert rows[0][0] == rows[0][1] > 100

    asyncio.run(scene())


def test_that_test_would_notice(several: list[Postgres], monkeypatch: pytest.MonkeyPatch) -> None:
    async def everything(self: Postgres) -> int:
        return EVERYTHING

    monkeypatch.setattr(Postgres, "settled", everything)
    problems = asyncio.run(logged_meanwhile(several))
    assert any("put in among those" in problem for problem in problems)


def test_a_gateway_that_stands_still_delays_the_log_and_nobody_else(several: list[Postgres], postgres: Server) -> None:
    async def scene() -> None:
        log = AuditLog(several[0], signer_of("A" * 43 + "=", None))
        await write_events(several, 1)
        assert await log.append(1.0) is not None
        before, _ = await log.head()
        still = threading.Event()

        def stands(transaction: Transaction) -> None:
            act(random.Random(1), "turn.warn")(transaction)
            still.wait(20)

        held = asyncio.create_task(several[1].write(stands, locks=()))
        await asyncio.sleep(0.1)
        await asyncio.gather(*(take(SQLStore(several[2]), branch(f"m{n}")) for n in range(5)))
        assert await log.append(2.0) is None, "a lower number may still appear"
        still.set()
        await held
        await log.append(3.0)
        assert ((await log.head())[0], (await check_log(log, is_signed_by, beside=False)).problems) == (before + 6, [])

    asyncio.run(scene())


def test_webhooks_are_told_of_every_event_once_and_counts_count_it_once(several: list[Postgres]) -> None:
    async def scene() -> None:
        hooks = [Webhooks(one) for one in several]
        consoles = [Console(one) for one in several]
        await hooks[0].put("https://example.org", ["conversation.warned"], 0.0)
        writing = asyncio.create_task(write_events(several, 12))
        claimed: list[str] = []

        async def works(one: Webhooks, console: Console) -> None:
            while not writing.done():
                await one.fill(1.0)
                claimed.extend(delivery.id for delivery in await one.claim(2.0, limit=5))
                await console.count()

        await asyncio.gather(*map(works, hooks, consoles))
        for _ in range(30):
            await hooks[1].fill(1.0)
            await consoles[1].count()
            claimed.extend(delivery.id for delivery in await hooks[0].claim(2.0, limit=50))
        events = (await several[0].read("SELECT COUNT(*) FROM events"))[0][0]
        assert (len(claimed), len(set(claimed))) == (events, events)
        assert sum(row[3] for row in await consoles[0].daily_of("warned")) == events
        counted = (await several[0].read("SELECT value FROM meta WHERE name = 'counted'"))[0][0]
        assert int(counted) == (await several[0].read("SELECT MAX(seq) FROM events"))[0][0]

    asyncio.run(scene())


@pytest.mark.parametrize("steps_over", [False, True], ids=["below", "stepped over"])
def test_what_an_appeal_reopens_is_locked_by_an_end_above_that_comes_at_the_same_time(
    several: list[Postgres], steps_over: bool
) -> None:
    async def scene() -> None:
        stores, rights = [SQLStore(one) for one in several], Rights(several[0])
        for round_ in range(40):
            path = await warned(stores[0], round_)
            upper, lower = (branch(*path, *names(round_ + 1000, depth)) for depth in (1, 2))
            if not steps_over:
                await take(stores[0], upper, verdict=CLEAN)
            await ends(stores[0], lower)
            end_id = (await stores[0].marks(lower)).by_address[lower.address].end_id
            filed = await rights.appeal(end_id or "", "x", 2.0)
            both = (ends(stores[1], upper), rights.decide(filed.id, AppealState.UPHELD, "p", "", 3.0))
            await asyncio.gather(*both)
        assert await strays(several[0]) == 0

    asyncio.run(scene())


def test_an_appeal_is_filed_once_and_decided_once(several: list[Postgres]) -> None:
    async def scene() -> None:
        stores, rights = [SQLStore(one) for one in several], [Rights(one) for one in several]
        for round_ in range(15):
            path = await warned(stores[0], round_)
            await ends(stores[0], branch(*path, "end"))
            end_id = (await several[0].read("SELECT id FROM ends WHERE reopened_at IS NULL"))[0][0]
            filed = await asyncio.gather(*(one.appeal(end_id, "x", 2.0) for one in rights * 2))
            assert len({appeal.id for appeal in filed}) == 1
            decided = await asyncio.gather(
                *(one.decide(filed[0].id, AppealState.UPHELD, f"p{n}", "", 3.0) for n, one in enumerate(rights)),
                return_exceptions=True,
            )
            assert [isinstance(one, NotPossible) for one in decided].count(True) == 2
        kinds = dict(await several[0].read("SELECT kind, COUNT(*) FROM events WHERE kind LIKE '%.%ed' GROUP BY kind"))
        assert kinds["appeal.opened"] == kinds["appeal.decided"] == kinds["conversation.reopened"] == 15

    asyncio.run(scene())


def test_keys_sign_ins_and_policy_versions_at_once(several: list[Postgres]) -> None:
    async def scene() -> None:
        keys = [KeyStore(one) for one in several]
        made = await keys[0].put(KeyRules("a", Role.CHAT), "digest", "ann", 1.0)
        await asyncio.gather(*(one.revoke(made.id, "ann", 2.0) for one in keys * 3))
        assert (await several[0].read("SELECT COUNT(*) FROM events WHERE kind = 'key.revoked'"))[0][0] == 1
        sessions = [SessionStore(one) for one in several]
        await sessions[0].put_sign_in("s", "nonce", "verifier", 1.0)
        given = await asyncio.gather(*(one.take_sign_in("s", 0.0) for one in sessions * 3))
        assert [one for one in given if one] == [("nonce", "verifier")]
        versions = [Versions(one) for one in several]
        written = await asyncio.gather(*(one.put("p", POLICY, "ann", "", 1.0) for one in versions * 3))
        assert sorted(one.number for one in written) == list(range(1, 10))
        await asyncio.gather(
            *(one.roll_out("p", n, Stage.ALL, 1.0, "ann", 2.0) for n, one in enumerate(versions, start=1))
        )
        stages = [one.stage for one in (await versions[0].all())["p"]]
        assert stages.count(Stage.ALL) == 1

    asyncio.run(scene())


def test_migrations_at_once_are_applied_once_while_others_work(postgres: Server) -> None:
    async def scene() -> None:
        url = postgres.new()
        made = [Postgres(url, connections=1) for _ in range(4)]
        applied = await asyncio.gather(*(asyncio.to_thread(migrate, one) for one in made))
        assert sorted(applied)[:3] == [0, 0, 0]
        assert max(applied) > 5
        stores = [SQLStore(one) for one in made]
        assert len({await store.address_key() for store in stores}) == 1
        turns = asyncio.gather(*(take(stores[n % 4], branch(f"m{n}")) for n in range(40)))
        await asyncio.to_thread(made[0].migrate, lambda t: t.execute("ALTER TABLE turns ADD COLUMN later TEXT"))
        await turns
        for one in made:
            one.close()

    asyncio.run(scene())
