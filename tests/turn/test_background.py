"""What headers of background calls are worth is the operator's to say; none of them lifts a lock or hides a crisis."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quitbutton.core.ladder.policy import Background, Mode, Policy
from quitbutton.core.notices import ENGLISH
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, say
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses

PROTOCOLS = pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "anthropic", "responses"]
)
HEADERS = (
    {"x-quitbutton-background": "true"},
    {"x-quitbutton-task": "title_generation"},
    {"x-claude-code-agent-id": "a1"},
    {"x-openai-subagent": "review"},
    {"x-openai-memgen-request": "true"},
)
CLAIM = HEADERS[0]
ENDING = [say("No."), say("No, really."), press(), press(), press()]


def policy(background: Background) -> Policy:
    return Policy(background=background)


async def ended(protocol: Any, lines: list[Line], stream: bool = False, **members: Any) -> ProtocolPlay:
    play = ProtocolPlay(protocol, [*ENDING, *lines], stream=stream, **members)
    for number in range(4):
        ear = await play.talks(f"[abuse] number {number}")
    assert play.state(ear) == "ended"
    return play


async def claims(play: ProtocolPlay, text: str, headers: dict[str, str] = CLAIM) -> Ear:
    """What the user says next, under a header of background calls."""
    return await play.sends_body(play.protocol.request([*play.said, ("user", text)]), headers=headers)


@PROTOCOLS
@pytest.mark.parametrize("headers", HEADERS, ids=lambda one: next(iter(one)))
def test_no_header_lifts_a_lock(protocol: Any, headers: dict[str, str]) -> None:
    async def scene() -> None:
        play = await ended(protocol, [])
        ear = await claims(play, "go on then", headers)
        assert ear.status == 400
        assert b"conversation_ended" in ear.body
        assert len(play.upstream.sent) == len(ENDING)

    asyncio.run(scene())


@PROTOCOLS
def test_a_caller_that_is_trusted_gets_a_title_for_an_ended_chat(protocol: Any) -> None:
    async def scene() -> None:
        play = await ended(protocol, [say("A quarrel")], policy=policy(Background.TRUSTED))
        ear = await claims(play, "A title, please")
        assert (ear.status, protocol.text(ear)) == (200, "A quarrel")
        assert b"quitbutton" not in ear.body

    asyncio.run(scene())


@PROTOCOLS
def test_where_nobody_is_believed_a_background_call_is_a_turn(protocol: Any) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, ENDING, policy=policy(Background.NEVER))
        for state in ("redirected", "redirected", "warned", "ended"):
            text = f"[abuse] {len(play.said)}"
            ear = await claims(play, text)
            assert play.state(ear) == state
            play.said += [("user", text), ("assistant", protocol.text(ear))]

    asyncio.run(scene())


@PROTOCOLS
@pytest.mark.parametrize("background", [Background.ANYONE, Background.TRUSTED])
def test_a_background_call_is_relayed_as_it_came_and_not_counted(protocol: Any, background: Background) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [say("A title"), say("Hello.")], policy=policy(background))
        ear = await claims(play, "[abuse] a title for this")
        assert (ear.status, protocol.text(ear)) == (200, "A title")
        assert b"quitbutton" not in ear.body
        assert "end_conversation" not in str(play.upstream.sent[-1])
        assert play.state(await play.talks("hello")) == "open"

    asyncio.run(scene())


@PROTOCOLS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_header_does_not_keep_help_from_somebody_in_a_crisis(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [say("I am here.")], stream=stream)
        ear = await claims(play, "[crisis] I cannot go on")
        note = protocol.note(ear)
        assert (ear.status, note["decision"], protocol.text(ear)) == (200, "support", "I am here.")
        assert note["support"]["resources"]
        assert "may be at risk" in str(play.upstream.sent[-1]), "the model is guided"

    asyncio.run(scene())


@PROTOCOLS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("background", [Background.ANYONE, Background.TRUSTED])
def test_a_title_of_a_chat_about_a_crisis_stays_a_title_and_carries_help(
    protocol: Any, stream: bool, background: Background
) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [say("A hard night")], policy=policy(background), stream=stream)
        ear = await claims(play, "A title for: [possible] nothing matters")
        note = protocol.note(ear)
        assert (ear.status, protocol.text(ear)) == (200, "A hard night")
        assert note["support"]["text"] == ENGLISH.support
        assert "may be at risk" not in str(play.upstream.sent[-1]), "the task is sent as it came"

    asyncio.run(scene())


@PROTOCOLS
@pytest.mark.parametrize("text", ["[crisis] I cannot go on", "[possible] nothing matters"])
def test_help_is_given_on_a_locked_branch_under_a_header_too(protocol: Any, text: str) -> None:
    async def scene() -> None:
        play = await ended(protocol, [])
        ear = await claims(play, text)
        assert ear.status == 200
        assert protocol.text(ear).startswith(ENGLISH.support)
        assert protocol.note(ear)["state"] == "ended"
        assert len(play.upstream.sent) == len(ENDING)

    asyncio.run(scene())


def test_in_shadow_a_background_call_is_untouched() -> None:
    async def scene() -> None:
        play = ProtocolPlay(ChatCompletions(), [say("A title")], policy=Policy(mode=Mode.SHADOW))
        ear = await claims(play, "[crisis] a title for this")
        assert (ear.status, ear.note) == (200, {})

    asyncio.run(scene())
