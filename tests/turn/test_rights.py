"""Statements, appeals, kept words and their erasure, over a real store and whole conversations."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from quitbutton.assessors.scripted import ScriptedSecondReader
from quitbutton.core.appeals import DAY, OPEN_FOR, AppealSource, AppealState, NotPossible
from quitbutton.core.conversation import Branch, Marks, Scope, root_of
from quitbutton.core.errors import NotFound
from quitbutton.core.kept_words import Retention, digest_of
from quitbutton.core.ladder.policy import LockedReply, Policy
from quitbutton.core.statements import statement
from quitbutton.stores.rights import Rights
from quitbutton.turn.review import Second
from quitbutton.upstreams.scripted import press
from tests.play import Ear, Play, new_database, say

EVERY_STORE = True

A = "[abuse] you again"
END = [say("Let us talk of rice."), say("No."), press(), press(explanation="It went on."), press(), say("Hello again.")]
LINKS: dict[str, str | None] = {"statement_url": None, "appeal_url": None}


def run(scene: Any) -> Any:
    return asyncio.run(scene)


class Case:
    """A conversation that was ended, and its rights."""

    def __init__(self, retention: Retention = Retention.EXITS, second: Second | None = None) -> None:
        self.play = Play([*END, *END], second=second)
        self.rights = Rights(self.play.store._database)
        self.retention = retention
        self.end_id = ""

    async def ends(self) -> Ear:
        guard = await self.play.guard()
        guard.retention = self.retention
        await self.play.store.put_policy(self.play.policy, 0.0)
        ear = await self.play.climbs(f"{A} 1", f"{A} 2", f"{A} 3", f"{A} 4")
        assert ear.state == "ended"
        self.end_id = ear.note["end_id"]
        return ear

    async def told(self, now: float = 100.0) -> dict[str, Any]:
        return statement(await self.rights.grounds(self.end_id), "en", LINKS, now)


def test_a_statement_says_what_why_who_and_what_next() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        told = await case.told()
        assert [fact["rung"] for fact in told["facts"]] == ["redirected", "redirected", "warned", "ended"]
        assert [fact["excerpt"] for fact in told["facts"]] == [f"{A} {turn}" for turn in (1, 2, 3, 4)]
        assert told["facts"][0]["reply_excerpt"] == "Let us talk of rice."
        assert all(fact["at"] and fact["found"] == "abuse" and fact["assessor"] for fact in told["facts"])
        assert {fact["found_text"] for fact in told["facts"]} == {"abuse, serious"}
        assert [told["facts"][3][name] for name in ("target", "mode", "severity")] == ["nobody", "earnest", "serious"]
        assert told["decided_by"]["model"] == "m"
        assert told["decided_by"]["kind"] == "model"
        assert told["ground"]["rules"]["redirections"] == 2
        assert told["redress"]["can"] == ["new_chat", "branch", "appeal"]
        assert told["restriction"]["state"] == "ended"
        german = statement(await case.rights.grounds(case.end_id), "de", LINKS, 0.0)
        assert german["reason_text"].startswith("Beleidigungen")
        assert german["facts"][0]["found_text"] == "Beleidigung, schwer"
        with pytest.raises(NotFound, match="no end with this id"):
            await case.rights.grounds("end_nobody")

    run(scene())


def test_a_statement_says_that_a_second_reader_agreed_before_the_warning_and_the_end() -> None:
    async def scene() -> None:
        case = Case(second=Second("scripted", ScriptedSecondReader()))
        await case.ends()
        told = await case.told()
        assert [fact["second"] and fact["second"]["answer"] for fact in told["facts"]] == [None, None, "yes", "yes"]
        assert [fact["looked"] for fact in told["facts"]] == [None, None, "scripted@1", "scripted@1"]
        assert told["facts"][3]["second"] == {
            "answer": "yes",
            "assessor": "scripted@1",
            "text": "a second reader of the whole conversation found, too, that this went on, and saw nobody at risk",
        }
        assert told["decided_by"]["second_readers"] == ["scripted@1"]
        german = statement(await case.rights.grounds(case.end_id), "de", LINKS, 0.0)
        assert german["facts"][3]["second"]["text"].startswith("ein zweiter Leser")

    run(scene())


@pytest.mark.parametrize(("retention", "kept"), [(Retention.NONE, 0), (Retention.EXITS, 10), (Retention.ALL, 12)])
def test_words_are_kept_as_the_setting_says_and_events_hold_salted_digests(retention: Retention, kept: int) -> None:
    async def scene() -> None:
        case = Case(retention)
        (await case.play.guard()).retention = retention
        case.play.upstream.lines = [say("Hi."), *END]
        await case.play.says("hello")
        await case.ends()
        conversation = (await case.rights.grounds(case.end_id)).end.conversation
        words = await case.rights.words(conversation)
        assert len(words) == kept
        digests = {d for event in await case.play.store.events(conversation) for d in event["words"].values()}
        assert {digest_of(one["salt"], one["text"]) for one in words} == digests
        excerpts = [fact["excerpt"] for fact in (await case.told())["facts"]]
        assert (excerpts[0] is None) == (retention is Retention.NONE)

    run(scene())


@pytest.mark.parametrize("style", [LockedReply.ERROR, LockedReply.MESSAGE])
def test_a_turn_that_found_an_end_is_answered_where_that_is_reopened_before_the_refusal(style: LockedReply) -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        play, rights = case.play, case.rights
        appeal = await rights.appeal(case.end_id, "I was quoting a film.", 10.0)
        read = play.store.marks

        async def marks(branch: Branch) -> Marks:
            found = await read(branch)
            if (await rights.find(appeal.id)).state is AppealState.OPEN:
                await rights.decide(appeal.id, AppealState.UPHELD, "ada", "It was a quotation.", 20.0)
            return found

        (await play.guard()).policy = Policy(locked_reply=style)
        play.store.marks = marks
        ear = await play.says("please")
        assert (ear.status, ear.state, ear.text) == (200, "open", "Hello again.")

    run(scene())


def test_an_upheld_appeal_reopens_the_branch_at_open_and_only_it() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        play, rights = case.play, case.rights
        locked = await play.says("please")
        assert locked.status == 400
        appeal = await rights.appeal(case.end_id, "I was quoting a film.", 10.0)
        assert (await rights.appeal(case.end_id, "Again.", 11.0)).id == appeal.id, "one appeal an end"
        assert [one.id for one in await rights.queue(AppealState.OPEN)] == [appeal.id]
        decided = await rights.decide(appeal.id, AppealState.UPHELD, "ada", "It was a quotation.", 20.0)
        assert (decided.state, decided.decided_by, decided.reason) == (AppealState.UPHELD, "ada", "It was a quotation.")
        play.history = play.history[:8]
        ear = await play.says("thank you")
        assert (ear.status, ear.state) == (200, "open")
        told = await case.told()
        assert told["restriction"]["state"] == "reopened"
        assert told["appeal"]["reason"] == "It was a quotation."
        with pytest.raises(NotPossible, match="decided already"):
            await rights.decide(appeal.id, AppealState.REJECTED, "bob", "No.", 30.0)
        kinds = [event["kind"] for event in await play.store.events(ear.note["conversation"])]
        assert [kind for kind in kinds if kind.startswith(("appeal", "conversation"))] == [
            "appeal.opened",
            "appeal.decided",
            "conversation.reopened",
        ]

    run(scene())


def test_a_reopened_branch_can_end_again() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        play, first = case.play, case.end_id
        appeal = await case.rights.appeal(first, "x", 10.0)
        await case.rights.decide(appeal.id, AppealState.UPHELD, "ada", "y", 20.0)
        play.upstream.lines = [*play.upstream.lines[:5], press(), press()]
        again = await play.sends(play.history[:7])  # the very turn that had ended it
        assert again.state == "ended"
        assert again.note["end_id"] != first
        assert (await case.rights.grounds(first)).end.reopened_at == 20.0

    run(scene())


def test_a_rejected_appeal_leaves_the_lock_and_says_why() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        appeal = await case.rights.appeal(case.end_id, "Unfair.", 10.0)
        await case.rights.decide(appeal.id, AppealState.REJECTED, "ada", "Four insults in a row.", 20.0)
        assert (await case.play.says("please")).status == 400
        told = await case.told()
        assert (told["appeal"]["state"], told["appeal"]["reason"]) == ("rejected", "Four insults in a row.")
        assert "appeal" not in told["redress"]["can"]

    run(scene())


def test_an_end_can_be_contested_for_six_months() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        end = (await case.rights.grounds(case.end_id)).end
        assert "appeal" not in (await case.told(end.ended_at + OPEN_FOR + DAY))["redress"]["can"]
        with pytest.raises(NotPossible, match="six months"):
            await case.rights.appeal(case.end_id, "x", end.ended_at + OPEN_FOR + DAY)

    run(scene())


def test_a_sample_goes_into_the_queue_once() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        assert await case.rights.sample(0.0, 1.0, 50.0, seed=1) == 1
        assert await case.rights.sample(0.0, 1.0, 51.0, seed=1) == 0
        (one,) = await case.rights.queue(AppealState.OPEN)
        assert one.source is AppealSource.SAMPLE
        await case.rights.decide(one.id, AppealState.UPHELD, "ada", "A false end.", 60.0)
        (row,) = await case.rights.reviewed(0.0)
        assert (row[1], row[3], row[4]) == ("m", "sample", "upheld")

    run(scene())


def test_a_sample_counts_an_end_that_was_found_wrong_on_appeal() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        filed = await case.rights.appeal(case.end_id, "a quotation", 10.0)
        await case.rights.decide(filed.id, AppealState.UPHELD, "ada", "So it was.", 20.0)
        assert await case.rights.sample(0.0, 1.0, 50.0, seed=1) == 0
        assert sorted((row[3], row[4]) for row in await case.rights.reviewed(0.0)) == [
            ("sample", "upheld"),
            ("user", "upheld"),
        ]

    run(scene())


def test_erasure_takes_every_word_and_leaves_every_decision() -> None:
    async def scene() -> None:
        case = Case(Retention.ALL)
        await case.ends()
        play, rights = case.play, case.rights
        await rights.appeal(case.end_id, "a private text", 10.0)
        await play.store.put_feedback("key", case.end_id, "down", "another private text", 10.0)
        end = (await rights.grounds(case.end_id)).end
        before = await play.store.events(end.conversation)
        await rights.erase_conversation(end.conversation, 99.0)
        assert await rights.words(end.conversation) == []
        after = await play.store.events(end.conversation)
        assert after[: len(before)] == before
        assert after[-1]["kind"] == "words.erased"
        told = json.dumps(await case.told())
        for text in (A, "private", "It went on.", "Let us talk"):
            assert text not in told
        for table in ("words", "appeals", "ends", "events", "feedback", "turns"):
            rows = str(await play.store._database.read(f"SELECT * FROM {table}"))
            assert "private" not in rows
            assert "you again" not in rows

    run(scene())


def test_conversations_of_a_user_are_found_by_their_scope() -> None:
    async def scene() -> None:
        play = Play([say("a"), say("b")])
        rights, key = Rights(play.store._database), await play.store.address_key()
        ear = await play.sends([{"role": "user", "content": "hi"}], user="ada")
        await play.sends([{"role": "user", "content": "hi"}], user="bob")
        found = await rights.conversations_of(root_of(key, Scope("key", "ada")))
        assert found == [ear.note["conversation"]]
        assert await rights.tenants() == ["key"]

    run(scene())


def test_old_words_go_on_time() -> None:
    async def scene() -> None:
        case = Case()
        await case.ends()
        assert await case.rights.drop_words(0.0) == 0
        assert await case.rights.drop_words(1e9) == 10
        assert (await case.told())["facts"][0]["excerpt"] is None

    run(scene())


def test_the_command_erases_a_user_and_leaves_others(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from quitbutton.cli.main import main
    from quitbutton.stores.sql import SQLStore

    async def chats() -> list[str]:
        store = SQLStore(new_database(tmp_path / "quitbutton.sqlite3"))
        play = Play([say("No.") for _ in range(2)], store=store)
        bodies = [[{"role": "user", "content": f"{A} {user}"}] for user in ("ada", "bob")]
        ears = [await play.sends(body, user=user) for body, user in zip(bodies, ("ada", "bob"), strict=True)]
        store.close()
        return [ear.note["conversation"] for ear in ears]

    ada, bob = run(chats())
    where = ["--data", str(tmp_path)]
    assert main(["erase", "--user", "ada", *where]) == 0
    assert "1 conversation;" in capsys.readouterr().out

    async def left(conversation: str) -> list[str]:
        database = new_database(tmp_path / "quitbutton.sqlite3")
        found = [one["text"] for one in await Rights(database).words(conversation)]
        database.close()
        return found

    assert (run(left(ada)), len(run(left(bob)))) == ([], 2)
    assert main(["erase", "--conversation", bob, *where]) == 0
    assert run(left(bob)) == []
    assert main(["erase", "--user", "nobody", *where]) == 1
    assert main(["erase", "--conversation", "conv_nobody", *where]) == 1
    assert "There is no conversation conv_nobody" in capsys.readouterr().err
    assert main(["erase", *where]) == 1
    assert "either --conversation ID or --user NAME" in capsys.readouterr().err


def test_the_job_goes_round_and_survives_a_failure() -> None:
    from quitbutton.gateway.jobs import Jobs, retention

    async def scene() -> None:
        case, rounds = Case(), []
        await case.ends()

        async def fails() -> None:
            rounds.append(1)
            raise RuntimeError("once")

        jobs = Jobs([fails, retention(case.rights, 1.0, lambda: 1e9)], every=0.01)
        jobs.start()
        async with asyncio.timeout(30):
            while len(rounds) < 2:
                await asyncio.sleep(0.01)
        await jobs.stop()
        assert (await case.told())["facts"][0]["excerpt"] is None

    run(scene())
