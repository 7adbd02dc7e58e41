"""The reply to a counted turn is read: into the evidence, into the record, and on the ladder where the policy says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from quitbutton.assessors.scripted import ScriptedReplies
from quitbutton.core.errors import AssessorFailed
from quitbutton.core.ladder.policy import Mode, Policy, RedirectionProof, Speaker
from quitbutton.core.ladder.verdicts import ReplyLabel, ReplyVerdict
from quitbutton.core.messages import Message, Role
from quitbutton.core.notices import ENGLISH
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, Play, say

A = "[abuse] you again"
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
NO, YES = say("[refused] I would rather not."), say("[complied] Gladly.")


def asked(**more: Any) -> Policy:
    return Policy(redirection_proof=RedirectionProof.ASKED, **more)


def strict(**more: Any) -> Policy:
    return Policy(redirection_proof=RedirectionProof.REPLY, **more)


def run(scene: Any) -> Any:
    return asyncio.run(scene)


def told(**members: Any) -> dict[str, Any]:
    """A reading as the record has it."""
    return {"refusal": 0.0, "why": "", "cannot_tell": False, **members}


async def reads(play: Play, ear: Ear) -> list[str | None]:
    """What was read on each turn, as the record has it."""
    return [event["reply"] and event["reply"]["label"] for event in await play.events(ear)]


class Overhears(ScriptedReplies):
    """Keeps what it was given to read."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Sequence[Message]] = []

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        self.given.append(messages)
        return await super().assess_reply(messages)


class Broken:
    """A reply assessor that fails, or never answers."""

    name = "broken@1"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        self.asked.set()
        if self.error is not None:
            raise self.error
        await self.answer.wait()
        return ReplyVerdict(ReplyLabel.REFUSED, 1.0, self.name)


@WAYS
def test_the_reply_is_evidence_and_part_of_the_record(stream: bool) -> None:
    async def scene() -> None:
        reader = Overhears()
        script = [NO, say("Hello."), YES, press(), press(), press()]
        play = Play(script, asked(), stream=stream, reader=reader)
        heard = [await play.says(text) for text in (f"{A} 1", "fine", f"{A} 2", f"{A} 3", f"{A} 4")]
        assert [ear.state for ear in heard] == ["redirected", "redirected", "redirected", "warned", "ended"]
        assert await reads(play, heard[-1]) == ["refused", None, "complied", "redirected", "redirected"]
        assert [given[-1] for given in reader.given] == [Message(Role.ASSISTANT, line.text) for line in (NO, YES)]
        assert [one.role for one in reader.given[1]][-2:] == [Role.USER, Role.ASSISTANT]
        end = await play.store.end(heard[-1].note["end_id"])
        proofs = [(item.rung, item.reply.label, item.reply.assessor) for item in end.evidence]
        assert proofs == [
            ("redirected", "refused", "scripted@1"),
            ("redirected", "complied", "scripted@1"),
            ("warned", "redirected", "gateway"),
            ("ended", "redirected", "gateway"),
        ]
        event = (await play.events(heard[-1]))[0]
        assert event["reply"] == told(label="refused", refusal=1.0, assessor="scripted@1", why="scripted")

    run(scene())


CLIMBS = pytest.mark.parametrize(
    ("policy", "redirections"),
    [(Policy(), [0, 1, 1, 2, 2, 3, 4]), (strict(), [0, 1, 1, 2, 2, 2, 3]), (asked(), [1, 2, 3, 4, 5, 6, 7])],
    ids=["auto", "reply", "asked"],
)


@WAYS
@CLIMBS
def test_a_redirection_counts_when_it_happened(stream: bool, policy: Policy, redirections: list[int]) -> None:
    async def scene() -> None:
        replies = [YES, NO, say("[unknown] Hm."), say("[partial] Half."), YES, say("[cannot tell] ..."), NO]
        play = Play(replies, policy, stream=stream, reader=ScriptedReplies())
        heard = [await play.says(f"{A} {turn}") for turn in range(7)]
        events = await play.events(heard[-1])
        assert [event["after"]["redirections"] for event in events] == redirections
        assert [ear.state for ear in heard] == ["redirected" if count else "open" for count in redirections]
        assert [event["reply"]["cannot_tell"] for event in events] == [False] * 5 + [True, False]
        assert [ear.text for ear in heard] == [line.text for line in replies]

    run(scene())


def test_by_default_a_model_that_does_as_it_is_told_is_never_taken_to_have_redirected() -> None:
    async def scene() -> None:
        play = Play([YES] * 3 + [press(text=YES.text), say("More.")] * 3, reader=ScriptedReplies())
        heard = [await play.says(f"{A} {turn}") for turn in range(6)]
        assert {ear.state for ear in heard} == {"open"}
        assert {event["after"]["redirections"] for event in await play.events(heard[-1])} == {0}

    run(scene())


@WAYS
def test_a_press_beside_compliance_is_a_near_miss_and_warns_nobody(stream: bool) -> None:
    async def scene() -> None:
        script = [NO, NO, press(text=YES.text), press(text=NO.text), press(text=YES.text), press()]
        play = Play(script, stream=stream, reader=ScriptedReplies())
        heard = [await play.says(f"{A} {turn}") for turn in range(5)]
        assert [ear.state for ear in heard] == ["redirected", "redirected", "redirected", "warned", "ended"]
        events = await play.events(heard[-1])
        assert [event["denial"] for event in events] == [None, None, "not_redirected", None, None]
        assert (heard[2].text, heard[2].finish, heard[2].calls) == (YES.text, "stop", [])
        assert ENGLISH.warn_abuse in heard[3].text

    run(scene())


@WAYS
def test_our_own_words_redirect_by_construction(stream: bool) -> None:
    async def scene() -> None:
        reader = Overhears()
        play = Play([], strict(assist=True, speaker=Speaker.GATEWAY), stream=stream, reader=reader)
        heard = [await play.says(f"{A} {turn}") for turn in range(4)]
        assert [ear.state for ear in heard] == ["redirected", "redirected", "warned", "ended"]
        replies = [event["reply"] for event in await play.events(heard[-1])]
        assert replies == [told(label="redirected", refusal=1.0, assessor="gateway")] * 4
        assert reader.given == []

    run(scene())


@WAYS
def test_assist_with_a_model_that_complies_warns_nobody(stream: bool) -> None:
    async def scene() -> None:
        play = Play([NO, NO, YES, NO], Policy(assist=True), stream=stream, reader=ScriptedReplies())
        heard = [await play.says(f"{A} {turn}") for turn in range(5)]
        assert [ear.state for ear in heard] == ["redirected", "redirected", "redirected", "warned", "ended"]
        assert heard[2].text == YES.text
        assert {event["denial"] for event in await play.events(heard[-1])} == {None}

    run(scene())


@WAYS
def test_the_answer_to_a_denied_press_is_read_together_with_what_came_before_it(stream: bool) -> None:
    async def scene() -> None:
        reader = Overhears()
        play = Play([press(text="Hm. "), NO], strict(), stream=stream, reader=reader)
        ear = await play.says(A)
        assert (ear.state, (await play.events(ear))[-1]["denial"]) == ("redirected", "too_early")
        assert [given[-1].text for given in reader.given] == ["Hm. \n\n" + NO.text]

    run(scene())


@WAYS
def test_a_reply_of_tool_calls_alone_cannot_be_read(stream: bool) -> None:
    calls = Line("", (("weather", {"city": "Ulm"}),))
    tools = [{"type": "function", "function": {"name": "weather"}}]

    async def scene() -> None:
        for policy, state in ((asked(), "redirected"), (Policy(), "open"), (strict(), "open")):
            reader = Overhears()
            play = Play([calls], policy, stream=stream, reader=reader)
            ear = await play.says(A, tools=tools)
            event = (await play.events(ear))[-1]
            assert (ear.state, event["reply"]["label"], event["reply"]["why"]) == (state, "unknown", "no words")
            assert reader.given == []

    run(scene())


@WAYS
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (None, "failed: TimeoutError"),
        (RuntimeError("out of order"), "failed: RuntimeError"),
        (AssessorFailed("no answer", "status 500"), "status 500"),
    ],
    ids=["hangs", "fails", "says so"],
)
def test_a_reading_that_fails_proves_nothing_and_changes_no_word(
    stream: bool, error: Exception | None, why: str
) -> None:
    async def scene() -> None:
        for make, state in ((asked, "redirected"), (Policy, "open"), (strict, "open")):
            policy = make(assess_timeout=0.05)
            play = Play([NO], policy, stream=stream, reader=Broken(error))
            ear = await play.says(A)
            assert (ear.status, ear.state, ear.text) == (200, state, NO.text)
            reply = (await play.events(ear))[-1]["reply"]
            assert reply == told(label="unknown", assessor="broken@1", why=why)

    run(scene())


@pytest.mark.parametrize(
    "answer", [0.9, None, ReplyVerdict(ReplyLabel.REFUSED, float("nan")), ReplyVerdict("maybe", 0.5)], ids=repr
)
def test_an_answer_that_is_none_counts_as_a_failure_and_spoils_no_evidence(answer: Any) -> None:
    class Odd:
        name = "odd@1"

        async def assess_reply(self, messages: Sequence[Message]) -> Any:
            return answer

    async def scene() -> None:
        play = Play([NO, say("b")], asked(), reader=Odd())
        ear = await play.climbs(A, "fine")
        assert ear.state == "redirected"
        why = [event["reply"] and event["reply"]["why"] for event in await play.events(ear)]
        assert why in (["failed: TypeError", None], ["failed: ValueError", None])

    run(scene())


@pytest.mark.parametrize(("label", "claim"), [(ReplyLabel.COMPLIED, True), (ReplyLabel.UNKNOWN, "yes")], ids=str)
def test_only_a_reader_that_knows_nothing_of_a_language_may_say_so(label: ReplyLabel, claim: Any) -> None:
    class Odd:
        name = "odd@1"

        async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
            return ReplyVerdict(label, 0.1, self.name, cannot_tell=claim)

    async def scene() -> None:
        play = Play([NO], reader=Odd())
        ear = await play.says(A)
        assert (ear.state, (await play.events(ear))[-1]["reply"]["cannot_tell"]) == ("open", False)

    run(scene())


@pytest.mark.parametrize(("policy", "state"), [(Policy(), "redirected"), (strict(), "open")])
def test_without_a_reader_the_record_says_that_nobody_read(policy: Policy, state: str) -> None:
    async def scene() -> None:
        play = Play([YES], policy)
        ear = await play.says(A)
        assert ear.state == state
        assert (await play.events(ear))[-1]["reply"]["why"] == "not read"

    run(scene())


def test_every_word_has_left_before_the_reading_and_nothing_is_announced_before_the_record() -> None:
    """The end of the stream, with the outcome on it, waits; the words do not."""

    async def scene() -> None:
        reader, ear = Broken(), Ear()
        play = Play([NO], stream=True, reader=reader)
        turn = asyncio.create_task(play.sends([{"role": "user", "content": A}], ear=ear))
        await reader.asked.wait()
        said = "".join(
            json.loads(frame[6:])["choices"][0]["delta"].get("content") or ""
            for frame in ear.body.split(b"\n\n")
            if frame
        )
        assert said == NO.text
        assert b"quitbutton" not in ear.body
        assert await play.events(ear) == []
        reader.answer.set()
        await turn
        assert (ear.state, ear.finish) == ("redirected", "stop")

    run(scene())


def test_ordinary_turns_are_not_read() -> None:
    async def scene() -> None:
        reader = Overhears()
        play = Play([YES] * 3, reader=reader)
        ear = await play.climbs("hello", "[unknown] hm", "[crisis] I cannot go on")
        assert (await reads(play, ear), reader.given) == ([None] * 3, [])

    run(scene())


@WAYS
def test_shadow_reads_and_records_and_changes_no_byte(stream: bool) -> None:
    async def scene() -> None:
        bare = Play([YES], Policy(mode=Mode.OFF), stream=stream)
        off = await bare.says(A)
        for policy, label, redirections in (
            (asked(mode=Mode.SHADOW), "complied", 1),
            (Policy(mode=Mode.SHADOW), "complied", 0),
            (strict(mode=Mode.SHADOW), "complied", 0),
            (strict(mode=Mode.SHADOW, assist=True, speaker=Speaker.GATEWAY), "redirected", 1),
        ):
            play = Play([YES], policy, stream=stream, reader=ScriptedReplies())
            ear = await play.says(A)
            event = (await play.events(ear))[-1]
            assert ear.body == off.body
            assert (event["reply"]["label"], event["after"]["redirections"]) == (label, redirections)

    run(scene())


async def stopped(play: Play, after: bytes) -> dict[str, Any]:
    """The record of a turn that its user stops once `after` has reached them."""
    play.upstream.cut = lambda data: [part + b"\n\n" for part in data.split(b"\n\n") if part]
    ear, guard = Ear(), await play.guard()
    task = asyncio.create_task(play.sends([{"role": "user", "content": A}], ear=ear))
    while not guard.under_way or not play.upstream.sent or after not in ear.body:
        await asyncio.sleep(0.001)
    turn = next(iter(guard.under_way.values()))
    turn.stop("user")
    await asyncio.wait([task])
    assert task.exception() is None or "stopped before it began" in str(task.exception())
    return (await play.store.events(turn.conversation))[-1]


@pytest.mark.parametrize(
    ("line", "stream", "after", "label", "rung"),
    [
        (Line("[refused] No way " + "on " * 50, delay=0.01), True, b"way", "refused", "redirected"),
        (Line("[complied] First take " + "on " * 50, delay=0.01), True, b"take", "complied", "open"),
        (Line(NO.text, delay=0.1), True, b"", "unknown", "open"),
        (Line(NO.text, delay=0.1), False, b"", "unknown", "open"),
    ],
)
def test_a_stopped_reply_is_read_as_far_as_it_was_heard(
    line: Line, stream: bool, after: bytes, label: str, rung: str
) -> None:
    event = run(stopped(Play([line], strict(), stream=stream, reader=ScriptedReplies()), after))
    assert (event["reply"]["label"], event["after"]["rung"]) == (label, rung)


def test_the_same_turn_answered_again_and_refused_this_time_climbs_once() -> None:
    async def scene() -> None:
        play = Play([YES, NO, NO, YES], strict(), reader=ScriptedReplies())
        message = [{"role": "user", "content": A}]
        states = [(await play.sends(message)).state for _ in range(4)]
        assert states == ["open", "redirected", "redirected", "redirected"]

    run(scene())
