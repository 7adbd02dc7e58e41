"""What stands beside the events is held against them: each difference is named, and what came about rightly is none."""

from __future__ import annotations

import asyncio

import pytest

from quitbutton.audit.signer import is_signed_by
from quitbutton.core.appeals import AppealState
from quitbutton.core.keys import KeyRules
from quitbutton.stores.acts import record_operator_event
from quitbutton.stores.beside import differences
from quitbutton.stores.checking import check_log
from quitbutton.stores.keys import KeyStore
from quitbutton.stores.rights import Rights
from tests.audit.database import ABUSE, Lived

CHANGES = [
    (
        "UPDATE words SET body = 'something else' WHERE speaker = 'user' AND body LIKE '%again 2'",
        "the user's kept words",
    ),
    ("UPDATE words SET body = 'something else' WHERE speaker = 'reply' AND body = 'No.'", "the reply's kept words"),
    (
        "INSERT INTO words (message, speaker, request_id, tenant, conversation, salt, body, at) "
        "SELECT message, speaker, 'req_x', tenant, conversation, salt, body, at FROM words",
        "kept words",
    ),
    ("UPDATE ends SET reason = 'harm'", "was changed: its reason"),
    ("UPDATE ends SET decided_by = 'user'", "was changed: who decided"),
    ("UPDATE ends SET tenant = 'other'", "was changed: its tenant"),
    ("UPDATE ends SET evidence = '[]'", "was changed: its evidence"),
    ("UPDATE ends SET model = 'other', ended_at = 1e9", "was changed: its model, when it was"),
    ("UPDATE ends SET reopened_at = 12", "was changed: when it was reopened"),
    ("UPDATE ends SET is_draft = 1", "was changed: whether it is a draft"),
    ("UPDATE ends SET id = 'end_x'", "no event tells of the end end_x"),
    ("DELETE FROM ends", "is on record, and its row was removed"),
    ("UPDATE turns SET rung = 'open', end_id = NULL WHERE rung = 'ended'", "is open (2), on record ended (2)"),
    ("UPDATE turns SET rung = 'open', redirections = 0, evidence = '[]' WHERE rung = 'warned'", "on record warned (2)"),
    (
        "UPDATE turns SET redirections = 7 WHERE rung = 'redirected' AND redirections = 1",
        "is redirected (7), on record",
    ),
    ("UPDATE turns SET crisis_turns = 9 WHERE rung = 'warned'", "on record warned (2)"),
    ("UPDATE turns SET rung = 'ended', end_id = 'end_x' WHERE rung = 'warned'", "is locked by no end in force"),
    ("DELETE FROM turns WHERE rung = 'warned'", "is on record, and its row was removed"),
    ("UPDATE conversations SET head = (SELECT address FROM turns WHERE rung = 'open' LIMIT 1)", "the newest turn of"),
    ("UPDATE appeals SET state = 'rejected'", "was changed: on record it is open"),
    ("UPDATE appeals SET decided_by = 'nobody'", "when it was decided, or by whom"),
    ("DELETE FROM appeals", "is on record, and its row was removed"),
    ("UPDATE appeals SET id = 'app_x'", "no event tells of the appeal app_x"),
    ("DELETE FROM checkpoints WHERE size = 8", "follows one of 8, which was removed"),
    ("DELETE FROM checkpoints", "signed by no checkpoint"),
]


@pytest.mark.parametrize(("statement", "said"), CHANGES)
def test_a_change_beside_the_events_is_named(one: Lived, statement: str, said: str) -> None:
    async def scene() -> None:
        await one.begins()
        assert (await check_log(one.log, is_signed_by)).problems == []
        await one.does(statement)
        problems = (await check_log(one.log, is_signed_by)).problems
        assert any(said in problem for problem in problems), problems

    asyncio.run(scene())


def test_what_came_about_rightly_is_no_difference(one: Lived) -> None:
    """An upheld appeal, another end after it, an answer given again, erased words, and a history that came from elsewhere."""

    async def scene() -> None:
        await one.begins()
        rights = Rights(one.database)
        await rights.decide(one.appeal_id, AppealState.UPHELD, "somebody", "no", 50.0)
        assert await differences(one.database) == []
        await one.play.sends([{"role": "user", "content": f"{ABUSE} 1"}])
        for turn in range(5, 8):
            await one.play.says(f"{ABUSE} {turn}")
        assert await differences(one.database) == []
        history = [{"role": "user", "content": f"told {n}"} for n in range(3)]
        await one.play.sends(history, user="carol")
        await one.play.sends([*history, {"role": "user", "content": f"{ABUSE} x"}], user="carol")
        await one.play.sends(history[:2], user="carol")
        conversation = (await rights.grounds(one.end_id)).end.conversation
        await rights.erase_conversation(conversation, 60.0)
        assert await differences(one.database) == []

    asyncio.run(scene())


def test_a_turn_on_a_message_that_had_come_along_so_is_no_difference(one: Lived) -> None:
    """The row holds the higher of where it stood as it came along and of what its own turn came to."""

    async def scene() -> None:
        await one.begins()
        said = [{"role": "user", "content": text} for text in ("[crisis] I cannot go on", f"{ABUSE} b", "c", "d")]
        for many in (1, 4, 3, 2):
            await one.play.sends(said[:many], user="dora")
        assert await differences(one.database) == []

    asyncio.run(scene())


def test_a_message_that_came_along_after_the_turn_right_after_it_is_no_difference(one: Lived) -> None:
    """Both came first amid a longer history, where the later one got a row; then that was sent, and the other got its own."""

    async def scene() -> None:
        await one.begins()
        said = [{"role": "user", "content": f"{ABUSE} {name}"} for name in "abcd"]
        for many in (1, 4, 3):
            await one.play.sends(said[:many], user="dora")
        rows = await one.database.read("SELECT rung FROM turns WHERE brought = 1 AND rung = 'redirected'", {})
        assert len(rows) == 1
        assert await differences(one.database) == []
        await one.does("UPDATE turns SET redirections = 2 WHERE brought = 1 AND rung = 'redirected'")
        assert any("is redirected (2), of which no event tells" in said for said in await differences(one.database))

    asyncio.run(scene())


def test_acts_of_operators_are_no_difference(one: Lived) -> None:
    """Keys, sessions and policies have events too, whose members are not those of turns."""

    async def scene() -> None:
        await one.begins()
        await KeyStore(one.database).put(KeyRules("a key"), "digest", "somebody", 40.0)
        odd = {"policy": None, "source": 5, "state": ["a"], "words": "none"}
        await one.database.write(
            lambda transaction: record_operator_event(transaction, "policy.rolled_out", "somebody", 41.0, odd)
        )
        await one.log.append(50.0)
        assert (await check_log(one.log, is_signed_by)).problems == []

    asyncio.run(scene())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE turns SET evidence = 'no json'",
        "UPDATE ends SET evidence = '{'",
        "UPDATE words SET salt = 5",
        "UPDATE events SET body = '[' WHERE seq = 4",
        "UPDATE conversations SET head = 'text'",
        "UPDATE turns SET rung = 'ended', end_id = 5, redirections = 'many' WHERE rung = 'open'",
    ],
)
def test_whatever_was_left_in_a_row_is_named_and_breaks_nothing(one: Lived, statement: str) -> None:
    if one.database.words["database"] != "sqlite" and ("= 5" in statement or "'text'" in statement):
        statement = "UPDATE turns SET evidence = ''"  # PostgreSQL keeps types

    async def scene() -> None:
        await one.begins()
        await one.does(statement)
        assert (await check_log(one.log, is_signed_by)).problems != []

    asyncio.run(scene())
