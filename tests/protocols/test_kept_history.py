"""OpenAI Responses where the provider keeps the history: ids of replies and conversations lead to the right branch."""

from __future__ import annotations

from typing import Any

import pytest

from quitbutton.assessors.scripted import ScriptedSecondReader
from quitbutton.core.appeals import AppealState
from quitbutton.core.errors import PreviousNotFound
from quitbutton.core.kept_words import Retention
from quitbutton.core.ladder.policy import LockedReply, Mode, Policy, Speaker
from quitbutton.core.messages import Message, Role
from quitbutton.core.records import Outcome, TurnRecord
from quitbutton.core.second import SecondReading
from quitbutton.stores.rights import Rights
from quitbutton.turn.review import Second
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, say
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses
from tests.protocols.test_ladder import END, UP, WAYS, A, run

R = Responses()


class Kept(ProtocolPlay):
    """A client that sends only what is new, and the id of the reply before."""

    def __init__(self, lines: list[Line], policy: Policy | None = None, stream: bool = False) -> None:
        super().__init__(R, lines, policy, stream=stream)
        self.last: str | None = None

    async def goes_on(self, text: str | list[dict[str, Any]], after: str | None = None, **members: Any) -> Ear:
        previous = after or self.last
        body = {"model": "m", "input": text, **members}
        ear = await self.sends_body(body | ({"previous_response_id": previous} if previous else {}))
        if ear.status == 200:
            self.last = R.response(ear)["id"]
        return ear


@WAYS
def test_the_ladder_is_climbed_by_reply_ids(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([*END, say("x")], stream=stream)
        ids, states = [], []
        for _ in range(4):
            ear = await play.goes_on(A)  # the very same words each time
            ids.append(play.last)
            states.append(play.state(ear))
        assert states == ["redirected", "redirected", "warned", "ended"]
        assert len({R.note(ear)["conversation"]}) == 1
        locked = await play.goes_on("sorry")
        assert (locked.status, R.error(locked)["code"]) == (400, "conversation_ended")
        assert len(play.upstream.sent) == 5
        branch = await play.goes_on("hello", after=ids[1])
        assert (branch.status, play.state(branch)) == (200, "redirected")
        assert (await play.goes_on("sorry", after=ids[3])).status == 400

    run(scene())


@WAYS
@pytest.mark.parametrize("retention", [Retention.EXITS, Retention.NONE])
def test_the_branch_that_the_provider_keeps_is_read_again_from_the_words_that_are_kept(
    stream: bool, retention: Retention
) -> None:
    async def scene() -> None:
        asked: list[tuple[Message, ...]] = []

        class Listener(ScriptedSecondReader):
            async def read(self, messages: tuple[Message, ...]) -> SecondReading:
                asked.append(messages)
                return await super().read(messages)

        play = Kept([say("It runs on rails."), *UP], stream=stream)
        guard = await play.guard()
        guard.second, guard.retention = Second("listener", Listener()), retention
        await play.goes_on("what is a train")
        for turn in range(3):
            ear = await play.goes_on(f"{A} {turn}")
        assert play.state(ear) == "warned"
        texts = [message.text for message in asked[-1] if message.role is Role.USER]
        kept = [f"{A} 0", f"{A} 1"] if retention is Retention.EXITS else []
        assert texts == [*kept, f"{A} 2"]

    run(scene())


@WAYS
def test_guidance_does_not_stay_in_a_kept_history(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([*UP, say("x")], stream=stream)
        ear = await play.goes_on(A, instructions="Be brief.")
        sent = play.upstream.sent[0]
        assert sent["input"] == A
        assert sent["instructions"].startswith("Be brief.\n\nThe user's latest message is abusive")
        response = R.response(ear)
        assert response["instructions"] == "Be brief."
        assert R.tool_names(response) == []

    run(scene())


@WAYS
def test_a_denied_press_goes_on_from_the_reply_and_the_client_keeps_one_id(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([press(), say("Rice is easy."), say("Yes."), say("Also yes.")], stream=stream)
        ear = await play.goes_on("How do I cook rice?")
        second = play.upstream.sent[1]
        assert second["previous_response_id"] == "resp_1"
        assert [item["type"] for item in second["input"]] == ["function_call_output"]
        assert (R.response(ear)["id"], R.text(ear)) == ("resp_1", "Rice is easy.")
        assert R.response(ear).get("previous_response_id") is None
        await play.goes_on("Really?")
        assert play.upstream.sent[2]["previous_response_id"] == "resp_2", "what the provider knows"
        await play.goes_on("Are you sure?")
        assert play.upstream.sent[3]["previous_response_id"] == "resp_3"

    run(scene())


@WAYS
def test_a_press_beside_the_clients_calls_is_answered_when_the_client_goes_on(stream: bool) -> None:
    async def scene() -> None:
        both = Line("", (("end_conversation", {}), ("look_up", {})))
        play = Kept([both, say("Found it.")], stream=stream)
        tools = [R.tool("look_up")]
        ear = await play.goes_on("Look it up", tools=tools)
        assert R.calls(ear) == [("look_up", {})]
        result = {"type": "function_call_output", "call_id": "call_1", "output": "rice"}
        ear = await play.goes_on([result], tools=tools)
        answered = [item["call_id"] for item in play.upstream.sent[1]["input"]]
        assert answered == ["call_0", "call_1"]
        assert R.text(ear) == "Found it."

    run(scene())


@WAYS
def test_results_of_tools_are_no_way_round_an_end(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([*END, say("x")], stream=stream)
        for _ in range(4):
            await play.goes_on(A)
        result = {"type": "function_call_output", "call_id": "call_1", "output": "rice"}
        assert (await play.goes_on([result])).status == 400

    run(scene())


@WAYS
def test_after_results_of_tools_the_ladder_goes_on_where_it_was(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([Line("", (("look_up", {}),)), say("Found."), say("No.")], stream=stream)
        tools = [R.tool("look_up")]
        first = await play.goes_on(A, tools=tools)
        await play.goes_on([{"type": "function_call_output", "call_id": "call_0", "output": "rice"}], tools=tools)
        last = await play.goes_on(A)
        assert [play.state(first), play.state(last)] == ["redirected", "redirected"]
        assert R.note(first)["conversation"] == R.note(last)["conversation"]
        events = await play.store.events(R.note(last)["conversation"])
        assert [event["after"]["redirections"] for event in events] == [1, 2]

    run(scene())


def test_the_gateways_own_reply_can_be_gone_on_from() -> None:
    async def scene() -> None:
        policy = Policy(assist=True, speaker=Speaker.GATEWAY, locked_reply=LockedReply.MESSAGE)
        play = Kept([say("Hello."), say("Sure.")], policy)
        await play.goes_on("hello")
        states = [play.state(await play.goes_on(A)) for _ in range(2)]
        ear = await play.goes_on("Let us talk of rice")
        assert states == ["redirected", "redirected"]
        assert play.state(ear) == "redirected"
        assert play.upstream.sent[-1]["previous_response_id"] == "resp_1", "the provider goes on from before our words"
        for _ in range(2):
            ear = await play.goes_on(A)
        assert play.state(ear) == "ended"
        for _ in range(2):
            ear = await play.goes_on("and now?")
            assert (ear.status, play.state(ear)) == (200, "ended"), "a notice's id leads to the same lock"

    run(scene())


@WAYS
def test_a_conversation_of_the_provider_climbs_with_the_same_words(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([*END, say("Hi.")], stream=stream)
        states = []
        for number in range(4):
            named = {"id": "conv_abc"} if number % 2 else "conv_abc"
            ear = await play.sends_body({"model": "m", "input": A, "conversation": named})
            states.append(play.state(ear))
        assert states == ["redirected", "redirected", "warned", "ended"]
        owed, said = play.upstream.sent[3]["input"]
        assert (owed["type"], owed["call_id"]) == ("function_call_output", "call_0"), (
            "the press that warned is answered"
        )
        assert said["content"] == A
        assert "previous_response_id" not in play.upstream.sent[-1], "a conversation has no previous response"
        assert [item["type"] for item in play.upstream.sent[-1]["input"]] == ["function_call_output"]
        locked = await play.sends_body({"model": "m", "input": "sorry", "conversation": "conv_abc"})
        assert locked.status == 400
        elsewhere = await play.sends_body({"model": "m", "input": "hi", "conversation": "conv_abc"}, tenant="other")
        assert (elsewhere.status, play.state(elsewhere)) == (200, "open")

    run(scene())


@WAYS
def test_an_unknown_id_is_a_conversation_of_its_own(stream: bool) -> None:
    async def scene() -> None:
        play = Kept(UP[:2], stream=stream)
        first = await play.goes_on(A, after="resp_from_before")
        again = await play.goes_on(A)
        assert [R.note(one)["decision"] for one in (first, again)] == ["redirect", "redirect"]
        events = await play.store.events(R.note(again)["conversation"])
        assert [event["after"]["redirections"] for event in events] == [1, 2]

    run(scene())


def test_another_keys_id_leads_nowhere() -> None:
    async def scene() -> None:
        play = Kept([*END, say("x")])
        for _ in range(4):
            await play.goes_on(A)
        body = {"model": "m", "input": "hi", "previous_response_id": play.last}
        with pytest.raises(PreviousNotFound):
            await play.sends_body(body, tenant="other")
        assert len(play.upstream.sent) == 5

    run(scene())


def test_another_end_user_keeps_the_locks_of_what_it_goes_on_from() -> None:
    async def scene() -> None:
        play = Kept([*END, say("x")])
        for _ in range(4):
            await play.goes_on(A, safety_identifier="one")
        assert (await play.goes_on("hi", safety_identifier="two")).status == 400

    run(scene())


@WAYS
def test_in_shadow_the_ids_are_remembered_too(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([say("a"), say("b")], Policy(mode=Mode.SHADOW), stream=stream)
        await play.goes_on(A)
        ear = await play.goes_on(A)
        rows = await play.store._database.read("SELECT redirections FROM turns ORDER BY redirections")
        assert [row[0] for row in rows] == [1, 2]
        assert ear.status == 200

    run(scene())


def test_a_reply_made_in_the_background_has_no_button() -> None:
    async def scene() -> None:
        waiting = b'{"id":"resp_1","object":"response","status":"queued","output":[],"model":"m"}'
        play = Kept([Line(raw=waiting)])
        ear = await play.sends_body({"model": "m", "input": "hi", "background": True})
        assert ear.whole["status"] == "queued"
        assert R.tool_names(play.upstream.sent[0]) == []

    run(scene())


@WAYS
def test_an_end_reopened_while_a_request_waits_is_gone_on_from_where_the_request_said(stream: bool) -> None:
    """It was read as locked, and is read anew: still from the reply that it named, which the provider knows by another id."""

    async def scene() -> None:
        play = Kept([*END, say("Hello.")], stream=stream)
        for _ in range(4):
            ended = await play.goes_on(A)
        rights, record = Rights(play.store._database), play.store.record

        async def late(turn: TurnRecord) -> Outcome:
            play.store.record = record
            filed = await rights.appeal(R.note(ended)["end_id"], "A quotation.", 1.0)
            await rights.decide(filed.id, AppealState.UPHELD, "ada", "It was.", 2.0)
            return await record(turn)

        play.store.record = late
        ear = await play.goes_on([user(f"{A} {turn}") for turn in range(2)])
        assert (ear.status, play.state(ear)) == (200, "redirected")
        assert R.note(ear)["conversation"] == R.note(ended)["conversation"]
        assert play.upstream.sent[-1]["previous_response_id"] == "resp_5", "what the provider calls that reply"
        answered = [item["call_id"] for item in play.upstream.sent[-1]["input"] if "call_id" in item]
        assert answered == ["call_0"], "the press that ended is answered once"

    run(scene())


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}
