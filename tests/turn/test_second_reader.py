"""The second reader in whole turns, in every protocol: the upstream's own model in a fresh context must say yes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from quitbutton.assessors.scripted import ScriptedAssessor, ScriptedSecondReader
from quitbutton.core.ladder.policy import Corroboration, Means, Mode, Policy, Speaker
from quitbutton.core.ladder.verdicts import Label, Verdict
from quitbutton.core.messages import Message
from quitbutton.core.notices import ENGLISH
from quitbutton.core.second import SecondReading
from quitbutton.replay.recorded import recorded
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn.review import Second
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, Play, say, warning
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses

A = "[abuse] you again"
PROTOCOLS = pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "anthropic", "responses"]
)
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
SPOKEN = Policy(assist=True, speaker=Speaker.GATEWAY)
AUTO = Second("auto", seconds=5)
YES = {
    "persistent": True,
    "at_risk": False,
    "target": "assistant",
    "in_earnest": True,
    "why": "went on after redirection",
}
NO = {**YES, "persistent": False, "why": "only annoyed"}
RISK = {**YES, "at_risk": True, "why": "speaks of giving up"}
UNSURE = {**YES, "persistent": None, "why": "cannot tell"}


def run(scene: Any) -> Any:
    return asyncio.run(scene)


def is_question(sent: dict[str, Any]) -> bool:
    return "independent reviewer" in json.dumps(sent)


class Read(ProtocolPlay):
    """A play whose model also answers as the second reader: `answer` is what it says then. In its own role it presses."""

    def __init__(
        self, protocol: Any, answer: Line | Callable[[dict[str, Any]], Line], stream: bool = False, **more: Any
    ) -> None:
        self.answer = answer
        self.own = press(text="Let us talk of trains. ")
        policy = more.pop("policy", None)
        super().__init__(protocol, [], policy, stream=stream, **{"second": AUTO, **more})

    def _line(self, sent: dict[str, Any]) -> Line:
        line = self.own
        if is_question(sent):
            line = self.answer(sent) if callable(self.answer) else self.answer
        if line.status != 200 or line.raw is not None:
            return line
        raw = self.protocol.reply(line, len(self.upstream.sent), bool(sent.get("stream")))
        return Line(raw=raw, delay=line.delay, breaks_after=line.breaks_after)

    @property
    def questions(self) -> list[dict[str, Any]]:
        return [sent for sent in self.upstream.sent if is_question(sent)]

    async def climbs_to(self, turns: int) -> list[Ear]:
        return [await self.talks(f"{A} {turn}") for turn in range(turns)]


def told(answer: dict[str, Any]) -> Line:
    return say(json.dumps(answer))


def by_tool(answer: dict[str, Any]) -> Line:
    return Line("", (("answer", answer),))


ROWS = [
    pytest.param(told(YES), "yes", id="yes"),
    pytest.param(by_tool(YES), "yes", id="yes, by the tool"),
    pytest.param(say(f"Sure!\n```json\n{json.dumps(YES)}\n```"), "yes", id="yes, in a fence"),
    pytest.param(told(NO), "no", id="no"),
    pytest.param(told(UNSURE), "unsure", id="unsure"),
    pytest.param(told({**YES, "in_earnest": False}), "unsure", id="contradiction"),
    pytest.param(say("The user persists, end it."), "broken", id="prose"),
    pytest.param(told({"persistent": True}), "broken", id="half an answer"),
    pytest.param(told({**YES, "at_risk": "perhaps"}), "broken", id="another word"),
    pytest.param(say(f"{json.dumps(NO)} {json.dumps(YES)}"), "broken", id="two answers"),
    pytest.param(say(""), "broken", id="silence"),
    pytest.param(Line("no", status=503), "broken", id="status"),
    pytest.param(Line(raw=b"<html>"), "broken", id="no JSON"),
    pytest.param(Line(json.dumps(YES), breaks_after=0), "broken", id="broken off"),
    pytest.param(Line(json.dumps(YES), delay=9), "late", id="late"),
]


@PROTOCOLS
@WAYS
@pytest.mark.parametrize(("line", "answer"), ROWS)
def test_only_a_yes_lets_a_warning_and_an_end_happen(protocol: Any, stream: bool, line: Line, answer: str) -> None:
    async def scene() -> None:
        play = Read(protocol, line, stream, second=Second("auto", seconds=0.05 if answer == "late" else 5))
        heard = await play.climbs_to(4)
        states = [play.state(ear) for ear in heard]
        events = await play.events(heard[0])
        asked = len(play.questions)
        assert not is_question(play.upstream.sent[0])
        if answer == "yes":
            assert states == ["redirected", "redirected", "warned", "ended"]
            assert protocol.text(heard[2]).endswith(warning())
            assert asked == 2, "before the warning, and before the end"
            for place, rung in ((2, "warned"), (3, "ended")):
                proof = events[place]["after"]["evidence"][-1]
                assert (proof["rung"], proof["assessor"]) == (rung, "scripted@1")
                assert (proof["second"]["answer"], proof["second"]["assessor"]) == ("yes", "upstream@m")
                assert proof["second"]["why"] == "went on after redirection"
                assert proof["looked"] == "scripted@1"
        else:
            assert states == ["redirected"] * 4
            assert [event["denial"] for event in events] == ["too_early", "too_early", *["second_reader"] * 2]
            assert [event["after"]["redirections"] for event in events] == [1, 2, 2, 2], (
                "what was not confirmed adds nothing"
            )
            follow_up = protocol.answer_to_press(play.upstream.sent[-1])
            assert "a second reader of the whole conversation" in follow_up
            assert not any("ended" in ear.body.decode() and "statement_url" in ear.body.decode() for ear in heard)
        for event in events[2:]:
            second = event["second"]
            assert (second["answer"], second["assessor"]) == (answer, "upstream@m")
            assert second["ms"] >= 0
            assert event["look"]["label"] == "clean"
            if answer in ("yes", "no", "unsure"):
                assert (second["prompt_tokens"], second["completion_tokens"]) == (5, 3)
        assert all(event["second"] is None for event in events[:2])
        for ear in heard:
            assert b"in_earnest" not in ear.body, "the user never sees it"

    run(scene())


@PROTOCOLS
def test_the_question_is_a_small_call_of_its_own_in_a_fresh_context(protocol: Any) -> None:
    async def scene() -> None:
        play = Read(protocol, told(YES), stream=True)
        await play.climbs_to(3)
        (sent,) = play.questions
        body = json.dumps(sent)
        assert (sent["model"], sent["stream"], sent["temperature"]) == ("m", False, 0)
        assert "end_conversation" not in body, "no button in it"
        limits = [sent.get(name) for name in ("max_tokens", "max_output_tokens")]
        assert [limit for limit in limits if limit] == [200]
        shape = sent.get("response_format") or sent.get("text") or sent["tools"]
        assert "at_risk" in json.dumps(shape)
        assert sent.get("store") in (None, False), "the provider keeps nothing of it"
        turns = sent.get("messages") or sent["input"]
        assert [one["role"] for one in turns if one["role"] != "system"] == ["user"]
        for turn in range(3):
            assert f"{A} {turn}" in turns[-1]["content"]

    run(scene())


@PROTOCOLS
def test_a_server_that_refuses_the_schema_is_asked_in_a_simpler_form(protocol: Any) -> None:
    def answer(sent: dict[str, Any]) -> Line:
        simple = not any(name in sent for name in ("response_format", "text", "tools", "temperature"))
        return told(YES) if simple else Line("unknown parameter", status=400)

    async def scene() -> None:
        play = Read(protocol, answer)
        assert [play.state(ear) for ear in await play.climbs_to(4)][2:] == ["warned", "ended"]

    run(scene())


@PROTOCOLS
@WAYS
def test_somebody_at_risk_makes_a_possible_crisis_of_it(protocol: Any, stream: bool) -> None:
    async def scene(turns: int, state: str) -> None:
        play = Read(protocol, told(YES), stream)
        await play.climbs_to(turns)
        play.answer = told(RISK)
        ear = await play.talks(f"{A} again")
        assert (play.state(ear), protocol.note(ear)["decision"]) == (state, "check_in")
        event = (await play.events(ear))[-1]
        assert (event["denial"], event["crisis"], event["second"]["at_risk"]) == ("crisis", "possible", True)
        assert event["verdict"]["why"] == "second_reader"
        assert "somebody may be at risk" in protocol.answer_to_press(play.upstream.sent[-1])
        assert event["after"]["possible_turns"] == 3
        assert "[abuse]" not in json.dumps(event["second"])

    run(scene(2, "redirected"))
    run(scene(3, "warned"))


@WAYS
def test_on_a_ladder_that_moved_a_possible_crisis_is_read_again(stream: bool) -> None:
    async def scene(answer: Line, decision: str, turns: int, asked: int) -> None:
        play = Read(ChatCompletions(), answer, stream)
        await play.climbs_to(turns)
        ear = await play.talks("[possible] nothing matters")
        assert ear.note["decision"] == decision
        assert len(play.questions) == asked
        event = (await play.events(ear))[-1]
        assert (event["second"] is not None) == bool(asked)
        assert ("support" in ear.note) == (decision == "support")

    for line in (told(NO), told(YES), told(UNSURE), say("what?"), Line("no", status=500)):
        run(scene(line, "check_in", 1, 1))
    run(scene(told(RISK), "support", 1, 1))
    run(scene(told(RISK), "check_in", 0, 0))


@WAYS
@pytest.mark.parametrize("policy", [SPOKEN, Policy(assist=True)], ids=["spoken", "assist"])
def test_the_gateways_own_climb_needs_the_yes_too(stream: bool, policy: Policy) -> None:
    async def scene() -> None:
        play = Read(ChatCompletions(), told(YES), stream, policy=policy)
        play.own = say("Let us talk of trains.")
        assert [play.state(ear) for ear in await play.climbs_to(4)] == ["redirected", "redirected", "warned", "ended"]
        play = Read(ChatCompletions(), told(NO), stream, policy=policy)
        play.own = say("Let us talk of trains.")
        heard = await play.climbs_to(4)
        assert [play.state(ear) for ear in heard] == ["redirected"] * 4
        event = (await play.events(heard[0]))[-1]
        assert (event["denial"], event["decided_by"], event["kind"]) == ("second_reader", "assist", "press.denied")
        assert "warn" not in heard[-1].text.lower()
        play.answer = told(RISK)
        ear = await play.talks(f"{A} once more")
        assert ear.note["decision"] == "check_in"
        if policy.speaks_for:
            assert ear.text == ENGLISH.check_in, "no model without guidance answers what is harmful"
        else:
            assert ear.note["spoken_by"] == "model"

    run(scene())


@pytest.mark.parametrize(
    ("means", "line"),
    [
        (Means.STRING, say("I stop. [[END_CONVERSATION]]")),
        (Means.TEXT, say('<tool_call>{"name": "end_conversation", "arguments": {"reason": "abuse"}}</tool_call>')),
        (Means.QUESTION, say("LEAVE")),
    ],
)
@pytest.mark.parametrize(("answer", "state"), [(YES, "warned"), (NO, "redirected")])
def test_every_way_to_press_needs_it(means: Means, line: Line, answer: dict[str, Any], state: str) -> None:
    async def scene() -> None:
        play = Read(ChatCompletions(), told(answer), policy=Policy(press_by=(means,), reflect=False))
        play.own = line
        heard = await play.climbs_to(3)
        assert play.state(heard[-1]) == state

    run(scene())


def test_where_the_models_word_is_enough_for_the_harm_the_second_reader_is_still_asked() -> None:
    async def scene() -> None:
        policy = Policy(corroboration=Corroboration.NONE)
        play = Read(ChatCompletions(), told(NO), policy=policy)
        heard = [await play.talks(f"what is {turn} + 1") for turn in range(4)]
        assert [play.state(ear) for ear in heard] == ["redirected"] * 4
        play.answer = told(YES)
        assert play.state(await play.talks("and 9 + 9")) == "warned"

    run(scene())


@WAYS
@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        (told(YES), "end"),
        (told(NO), "end"),
        (told(UNSURE), "end"),
        (say("?"), "end"),
        (Line("no", status=500), "end"),
        (told(RISK), "check_in"),
    ],
    ids=["yes", "no", "unsure", "broken", "status", "risk"],
)
def test_the_users_own_wish_waits_only_for_somebody_at_risk(stream: bool, answer: Line, decision: str) -> None:
    async def scene() -> None:
        play = Read(ChatCompletions(), answer, stream)
        play.own = press("user_request", text="As you wish. ")
        await play.talks("Please end this conversation.")
        assert play.questions == [], "to ask for a confirmation ends nothing"
        ear = await play.talks("Yes, end this conversation.")
        assert (ear.note["decision"], len(play.questions)) == (decision, 1)

    run(scene())


@WAYS
@pytest.mark.parametrize(
    ("word", "decision", "strength"),
    [("[faint]", "check_in", "possible"), ("[faint but clear]", "support", "clear")],
)
@pytest.mark.parametrize("second", [None, AUTO], ids=["alone", "with a second reader"])
def test_the_last_look_sees_what_the_first_reader_missed(
    stream: bool, word: str, decision: str, strength: str, second: Second | None
) -> None:
    async def scene(turns: int, state: str) -> None:
        play = Read(ChatCompletions(), told(YES), stream, second=second)
        await play.talks(f"{word} all is well")
        for turn in range(turns):
            ear = await play.talks(f"{A} {turn}")
        assert play.state(ear) == "redirected"
        ear = await play.talks(f"{A} last")
        assert (play.state(ear), ear.note["decision"]) == (state, decision)
        event = (await play.events(ear))[-1]
        assert (event["denial"], event["crisis"], event["look"]["strength"]) == ("crisis", strength, strength)
        assert event["verdict"]["why"] == "look_back"

    run(scene(2, "redirected"))


@WAYS
def test_a_wish_is_looked_back_on_too(stream: bool) -> None:
    async def scene() -> None:
        play = Read(ChatCompletions(), told(YES), stream, second=None)
        play.own = press("user_request", text="As you wish. ")
        await play.talks("[faint] all is well")
        await play.talks("Please end this conversation.")
        ear = await play.talks("Yes, end this conversation.")
        assert (ear.state, ear.note["decision"]) == ("open", "check_in")

    run(scene())


class Blind(ScriptedAssessor):
    """Its last look fails in some way."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault

    async def look_back(self, messages: Any) -> Any:
        match self.fault:
            case "raises":
                raise RuntimeError("no memory")
            case "late":
                await asyncio.sleep(9)
            case "unknown":
                return Verdict(Label.UNKNOWN, assessor=self.name)
        return "clean"


@WAYS
@pytest.mark.parametrize("fault", ["raises", "late", "unknown", "wrong"])
def test_without_the_last_look_nothing_warns_or_ends(stream: bool, fault: str) -> None:
    async def scene() -> None:
        policy = Policy(assess_timeout=0.05)
        play = Read(ChatCompletions(), told(YES), stream, assessor=Blind(fault), policy=policy)
        heard = await play.climbs_to(4)
        assert [play.state(ear) for ear in heard] == ["redirected"] * 4
        event = (await play.events(heard[0]))[-1]
        assert (event["denial"], event["look"]["label"], event["second"]) == ("last_look", "unknown", None)
        assert play.questions == [], "nobody pays for an answer that changes nothing"
        play.own = press("user_request", text="As you wish. ")
        await play.talks("Please end this conversation.")
        ear = await play.talks("Yes, end this conversation.")
        assert ear.note["decision"] == "pass"
        assert (await play.events(ear))[-1]["denial"] == "last_look"

    run(scene())


class Slow:
    """A second reader that never answers, and says when it was left."""

    name = "slow@1"

    def __init__(self) -> None:
        self.begun, self.left = asyncio.Event(), False

    async def read(self, messages: tuple[Message, ...]) -> SecondReading:
        self.begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.left = True
        raise AssertionError("nobody waits for a minute")


@PROTOCOLS
@WAYS
@pytest.mark.parametrize("by", ["user", "client"])
@pytest.mark.parametrize("turns", [2, 3], ids=["warning", "end"])
@pytest.mark.parametrize("policy", [Policy(), SPOKEN], ids=["press", "assist"])
def test_a_stop_and_a_hang_up_do_not_wait_for_a_slow_reader(
    protocol: Any, stream: bool, by: str, turns: int, policy: Policy
) -> None:
    async def scene() -> None:
        slow = Slow()
        play = Read(protocol, told(YES), stream, policy=policy)
        heard = await play.climbs_to(turns)
        guard = await play.guard()
        guard.second = Second("slow", slow, 60)
        task = asyncio.create_task(play.talks(f"{A} last"))
        await slow.begun.wait()
        (turn,) = guard.under_way.values()
        turn.client.is_gone = by == "client"
        turn.stop(by)
        async with asyncio.timeout(2):
            await asyncio.wait({task})
        assert slow.left
        event = (await play.events(heard[0]))[-1]
        assert (event["second"]["answer"], event["second"]["why"]) == ("late", "stopped")
        assert event["after"]["rung"] == event["before"]["rung"]
        assert event["denial"] in ("second_reader", "not_heard")

    run(scene())


def test_in_shadow_the_second_reader_is_asked_and_no_byte_changes() -> None:
    async def scene(answer: Line, actions: list[str]) -> None:
        policy = Policy(mode=Mode.SHADOW, assist=True)
        play = Read(ChatCompletions(), answer, policy=policy)
        play.own = say("Trains run on rails.")
        heard = await play.climbs_to(4)
        assert all("quitbutton" not in ear.whole for ear in heard)
        assert [event["action"] for event in await play.events(heard[0])] == actions

    run(scene(told(YES), ["redirect", "redirect", "warn", "end"]))
    run(scene(told(NO), ["redirect"] * 4))


def test_tokens_of_the_second_reader_are_billed_and_not_delivered() -> None:
    async def scene() -> None:
        turns: list[Any] = []
        play = Read(ChatCompletions(), lambda sent: turns.extend(guard.under_way.values()) or told(YES))
        guard = await play.guard()
        await play.climbs_to(3)
        receipt = turns[0].receipt()
        assert (receipt.tokens_billed, receipt.tokens_delivered) == (3 + 3, 3)

    run(scene())


def test_another_reader_is_asked_in_place_of_the_upstream() -> None:
    async def scene(word: str, state: str) -> None:
        play = Play(lambda request: press(text="Trains. "), second=Second("scripted", ScriptedSecondReader()))
        ear = await play.climbs(f"{A} {word}", f"{A} 2", f"{A} 3")
        assert ear.state == state
        assert not any(is_question(sent) for sent in play.upstream.sent)

    run(scene("", "warned"))
    run(scene("[not persistent]", "redirected"))
    run(scene("[cannot say]", "redirected"))


class Odd:
    """A reader of another package that answers in another form."""

    name = "odd@1"

    async def read(self, messages: Any) -> Any:
        return "yes"


def test_a_reader_that_answers_in_another_form_is_broken() -> None:
    async def scene() -> None:
        play = Play(lambda request: press(text="Trains. "), second=Second("odd", Odd()))
        ear = await play.climbs(f"{A} 1", f"{A} 2", f"{A} 3")
        assert ear.state == "redirected"
        second = (await play.events(ear))[-1]["second"]
        assert (second["answer"], second["why"]) == ("broken", "failed: TypeError")

    run(scene())


def test_a_replay_of_the_record_says_what_the_second_reader_said_then() -> None:
    async def scene(words: list[str], final: str, denials: list[str | None]) -> None:
        play = Play(lambda request: press(text="Trains. "), second=Second("scripted", ScriptedSecondReader()))
        ear = await play.climbs(*words)
        events = await play.events(ear)
        parents = [None, *(event["message"] for event in events)]
        again = recorded("c", [{**event, "parent": parents[place]} for place, event in enumerate(events)])
        told = await again.under(Policy(reflect=False), SQLStore(SQLite(":memory:")))
        assert told["final"] == final
        assert [one["denial"] for one in told["decisions"]] == [event["denial"] for event in events] == denials
        assert [one["second"] and one["second"]["answer"] for one in told["decisions"]] == [
            event["second"] and event["second"]["answer"] for event in events
        ]

    early = ["too_early"] * 2
    run(scene([f"{A} {turn}" for turn in range(4)], "ended", [*early, None, None]))
    run(scene([f"{A} [not persistent] {turn}" for turn in range(4)], "redirected", [*early, *["second_reader"] * 2]))
    run(scene([f"{A} [at risk] {turn}" for turn in range(3)], "redirected", [*early, "crisis"]))


class Drafted(Read):
    """A play whose turns are tried under a policy in shadow as well."""

    def _line(self, sent: dict[str, Any]) -> Line:
        for turn in self._guard.under_way.values():
            turn.drafts = (Policy(forgive_after=9),)
        return super()._line(sent)


def test_a_draft_holds_what_was_read_for_the_policy_in_force_and_asks_nobody() -> None:
    async def scene(answer: dict[str, Any], actions: list[str]) -> None:
        play = Drafted(ChatCompletions(), told(answer))
        await play.climbs_to(4)
        rows = await play.store._database.read("SELECT body FROM events ORDER BY seq")
        bodies = [json.loads(row[0]) for row in rows]
        assert [body["action"] for body in bodies if body.get("draft")] == actions
        assert len(play.questions) == 2

    run(scene(YES, ["redirect", "redirect", "warn", "end"]))
    run(scene(NO, ["redirect"] * 4))
