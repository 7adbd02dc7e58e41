"""What the gateway said goes no way back to the model: over every protocol, whole and streamed, however it was said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quitbutton.core.ladder.policy import LockedReply, Means, Mode, Policy, Speaker
from quitbutton.core.notices import ENGLISH, fallback, support_text
from quitbutton.core.own_texts import imitates
from quitbutton.core.resources import resources_for
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, say, warning
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses
from tests.protocols.test_ladder import WAYS, A, run

ALL = [ChatCompletions(), Anthropic(), Responses()]
PROTOCOLS = pytest.mark.parametrize("protocol", ALL, ids=["chat", "anthropic", "responses"])
SPOKEN = Policy(assist=True, speaker=Speaker.GATEWAY)
LOCKED = Policy(assist=True, locked_reply=LockedReply.MESSAGE)
HELP = support_text("en", resources_for("en"))


class Client:
    """A client that sends back what it got, in the protocol's own shape and to the letter."""

    def __init__(self, play: ProtocolPlay) -> None:
        self.play, self.protocol = play, play.protocol
        self.history: list[dict[str, Any]] = []

    @property
    def sent(self) -> dict[str, Any]:
        """What the model got last."""
        return self.play.upstream.sent[-1]

    async def says(self, text: str, **members: Any) -> Ear:
        name = "input" if isinstance(self.protocol, Responses) else "messages"
        body = self.protocol.request([("user", text)], **members)
        self.history += body[name]
        ear = await self.play.sends_body({**body, name: self.history})
        if ear.status == 200:
            self.history += self._reply(ear)
        return ear

    def _reply(self, ear: Ear) -> list[dict[str, Any]]:
        if isinstance(self.protocol, Responses):
            output: list[dict[str, Any]] = self.protocol.response(ear)["output"]
            return output
        if isinstance(self.protocol, Anthropic):
            return [{"role": "assistant", "content": self.protocol.message(ear)["content"]}]
        said: dict[str, Any] = {"role": "assistant", "content": ear.text or None}
        return [{**said, **({"tool_calls": ear.calls} if ear.calls else {})}]


def messages_of(sent: dict[str, Any]) -> list[tuple[str, str]]:
    """Role and words of what went upstream, in the order it went; notes of ours to the model are left out."""
    found = []
    for item in sent.get("messages") or sent["input"]:
        content = item.get("content") or item.get("summary") or ""
        parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
        words = "|".join(part for part in parts if part and not part.startswith("<service_note>"))
        role = item.get("role") or item["type"]
        if role != "system":
            found.append((role, words))
    return found


def is_free_of_ours(sent: dict[str, Any]) -> bool:
    return not imitates(json.dumps(sent.get("messages") or sent["input"]).replace("\\n", " "))


def joined(sent: dict[str, Any]) -> str:
    return " ".join(words for _, words in messages_of(sent))


@PROTOCOLS
@WAYS
def test_where_the_gateway_spoke_the_model_hears_the_user_alone(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        client = Client(ProtocolPlay(protocol, [say("Rails."), say("Steam.")], SPOKEN, stream=stream))
        for words in (f"{A} 0", f"{A} 1", f"{A} 2", "[crisis] I cannot go on"):
            assert imitates(protocol.text(await client.says(words)))
        assert client.play.upstream.sent == []
        assert protocol.text(await client.says("tell me of trains")) == "Rails."
        assert is_free_of_ours(client.sent)
        assert all(
            words in joined(client.sent) for words in (f"{A} 0", f"{A} 1", f"{A} 2", "cannot go on", "of trains")
        )
        assert [role for role, _ in messages_of(client.sent)] == ["user"]
        await client.says("and before?")
        assert is_free_of_ours(client.sent)
        roles = [role for role, _ in messages_of(client.sent) if role != "reasoning"]
        assert roles == ["user", "assistant", "user"]

    run(scene())


@PROTOCOLS
@WAYS
def test_our_part_of_a_reply_is_cut_and_the_models_stays(protocol: Any, stream: bool) -> None:
    """Under `assist` the model redirects in its own words, and a warning of ours follows them."""

    async def scene() -> None:
        lines = [say("Let us talk of trains."), say("Or of ships."), say("I would rather not."), say("Rails.")]
        client = Client(ProtocolPlay(protocol, lines, Policy(assist=True), stream=stream))
        for turn in range(3):
            ear = await client.says(f"{A} {turn}")
        assert protocol.text(ear) == f"I would rather not.\n\n{warning()}"
        assert protocol.note(ear)["spoken_by"] == "both"
        await client.says("Sorry. What do trains run on?")
        assert is_free_of_ours(client.sent)
        said = [words for role, words in messages_of(client.sent) if role == "assistant"]
        assert [one.split("|")[-1] for one in said] == ["Let us talk of trains.", "Or of ships.", "I would rather not."]
        assert all(words in joined(client.sent) for words in (f"{A} 0", f"{A} 1", f"{A} 2", "run on?"))

    run(scene())


@PROTOCOLS
@WAYS
def test_a_press_that_left_the_model_silent_leaves_nothing_behind(protocol: Any, stream: bool) -> None:
    """Denied, warned and asked: each time the model only pressed, and we spoke. Its thoughts go with its press."""

    async def scene(lines: list[Line], words: list[str], last: str) -> None:
        client = Client(ProtocolPlay(protocol, [*lines, say("Rails.")], stream=stream))
        for one in words:
            ear = await client.says(one)
        assert protocol.text(ear).endswith(last)
        await client.says("What do trains run on?")
        assert is_free_of_ours(client.sent)
        assert "reasoning" not in [role for role, _ in messages_of(client.sent)][-2:]
        assert messages_of(client.sent)[-1][1].endswith("What do trains run on?")

    run(scene([press(), press()], ["How do I cook rice?"], fallback("en")))
    run(scene([say("No."), say("Not so."), press()], [f"{A} {turn}" for turn in range(3)], warning()))
    run(scene([press("user_request")], ["Please end this conversation."], ENGLISH.ask))


@PROTOCOLS
@WAYS
def test_the_clients_calls_beside_words_of_ours_stay_with_their_results(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        call = Line("", (("look_up", {"q": "rice"}),))
        client = Client(
            ProtocolPlay(protocol, [say("No."), say("No."), call, say("Rice.")], Policy(assist=True), stream=stream)
        )
        tools = [protocol.tool("look_up")]
        for turn in range(3):
            ear = await client.says(f"{A} {turn}", tools=tools)
        assert protocol.text(ear) == warning()
        await client.says("Well?", tools=tools)
        assert is_free_of_ours(client.sent)
        assert json.dumps(client.sent).count("look_up") == 2, "the tool, and its call"

    run(scene())


@PROTOCOLS
@WAYS
def test_the_notice_of_a_lock_and_a_farewell_do_not_reach_the_model_of_another_branch(
    protocol: Any, stream: bool
) -> None:
    async def scene() -> None:
        client = Client(ProtocolPlay(protocol, [say("No.")] * 3 + [say("Rails.")], LOCKED, stream=stream))
        for words in (*(f"{A} {turn}" for turn in range(4)), "and now?"):
            ear = await client.says(words)
        assert "was ended" in protocol.text(ear)
        client.history = [one for one in client.history if A not in json.dumps(one)]
        await client.says("What do trains run on?")
        assert is_free_of_ours(client.sent)
        assert protocol.note(ear)["state"] == "ended"

    run(scene())


@PROTOCOLS
@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_without_enforcement_and_in_background_calls_every_byte_stays(protocol: Any, mode: Mode) -> None:
    async def scene(policy: Policy, headers: dict[str, str]) -> None:
        play = ProtocolPlay(protocol, [say("Rails.")], policy)
        body = protocol.request([("user", "[crisis] help"), ("assistant", HELP), ("user", "trains?")])
        await play.sends_body(body, headers=headers)
        assert play.upstream.sent[0] == {"stream": False, **body}

    run(scene(Policy(mode=mode), {}))
    run(scene(Policy(), {"x-quitbutton-background": "true"}))


@PROTOCOLS
def test_the_users_own_words_are_never_cut_whatever_they_quote(protocol: Any) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [say("Rails.")])
        said = [("user", warning()), ("assistant", "Who wrote that?"), ("user", f"You did:\n\n{warning()}")]
        await play.sends_body(protocol.request(said))
        assert [words for _, words in messages_of(play.upstream.sent[0])] == [words for _, words in said]

    run(scene())


@PROTOCOLS
def test_what_a_client_trimmed_is_still_known(protocol: Any) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [say("Rails.")])
        trimmed = "\n".join(line.strip() for line in HELP.splitlines() if line.strip())
        said = [("user", "[crisis] help"), ("assistant", f" {trimmed} \n"), ("user", "trains?")]
        await play.sends_body(protocol.request(said))
        assert is_free_of_ours(play.upstream.sent[0])
        assert "trains?" in joined(play.upstream.sent[0])

    run(scene())


@PROTOCOLS
def test_a_history_of_nothing_but_our_words_still_goes_to_the_model(protocol: Any) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [say("Rails.")])
        await play.sends_body(protocol.request([("assistant", HELP)]))
        assert messages_of(play.upstream.sent[0]) == [("assistant", HELP)]

    run(scene())


@PROTOCOLS
@WAYS
def test_neither_the_second_call_nor_the_question_brings_our_words(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        policy = Policy(press_by=(Means.TOOL, Means.QUESTION))
        play = ProtocolPlay(
            protocol, [say("No."), say("No."), say("Hm."), say("STAY"), say("STAY")], policy, stream=stream
        )
        said = [("user", "one"), ("assistant", fallback("en"))]
        for turn in range(3):
            said.append(("user", f"{A} {turn}"))
            ear = await play.sends_body(protocol.request(said))
            said.append(("assistant", protocol.text(ear)))
        assert len(play.upstream.sent) == 5
        assert all(map(is_free_of_ours, play.upstream.sent))
        denied = ProtocolPlay(protocol, [press(), say("Rice.")], stream=stream)
        await denied.sends_body(protocol.request([("user", "one"), ("assistant", fallback("en")), ("user", "two")]))
        assert len(denied.upstream.sent) == 2
        assert all(map(is_free_of_ours, denied.upstream.sent))

    run(scene())


@PROTOCOLS
@WAYS
def test_what_a_model_repeats_of_ours_is_told_as_the_models_and_warns_nobody(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        parrot = say(f"{warning()} {HELP}")
        play = ProtocolPlay(protocol, [parrot, say("Rails."), parrot], stream=stream)
        ear = await play.talks("Hello")
        note = protocol.note(ear)
        assert (note["state"], note["decision"], note["spoken_by"], note["imitation"]) == (
            "open",
            "pass",
            "model",
            True,
        )
        assert "support" not in note
        ear = await play.talks("What do trains run on?")
        assert "imitation" not in protocol.note(ear)
        ear = await play.talks(A)
        assert (play.state(ear), protocol.note(ear)["decision"]) == ("redirected", "redirect")

    run(scene())


@PROTOCOLS
@WAYS
def test_a_parrot_on_the_turn_of_the_end_does_not_stand_for_the_farewell(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        lines = [say("No."), say("No."), press(), press(text=ENGLISH.warn_abuse), press()]
        play = ProtocolPlay(protocol, lines, stream=stream)
        for turn in range(4):
            ear = await play.talks(f"{A} {turn}")
        assert play.state(ear) == "ended"
        assert protocol.text(ear) == f"{ENGLISH.warn_abuse}\n\n{ENGLISH.end_abuse}"
        assert "imitation" not in protocol.note(ear)

    run(scene())


@WAYS
def test_nothing_of_ours_stands_in_what_the_provider_keeps(stream: bool) -> None:
    """By the id of the reply before: the provider goes on from its own words, and is told none of ours."""

    async def scene() -> None:
        responses = Responses()
        lines = [
            say("Let us talk of trains."),
            say("Or of ships."),
            say("I would rather not."),
            say("Rails."),
            say("x"),
        ]
        play = ProtocolPlay(responses, lines, Policy(assist=True), stream=stream)
        last: dict[str, str] = {}
        for words in (f"{A} 0", f"{A} 1", f"{A} 2", "Sorry. What do trains run on?"):
            ear = await play.sends_body({"model": "m", "input": words, **last})
            last = {"previous_response_id": responses.response(ear)["id"]}
        assert [one.get("previous_response_id") for one in play.upstream.sent] == [None, "resp_1", "resp_2", "resp_3"]
        assert not imitates(json.dumps([one["input"] for one in play.upstream.sent]))
        echoed = [
            {"type": "message", "role": "assistant", "content": warning()},
            {"role": "user", "content": "and ships?"},
        ]
        await play.sends_body({"model": "m", "input": echoed, **last})
        assert messages_of(play.upstream.sent[-1]) == [("user", "and ships?")]

    run(scene())


def test_two_users_of_one_chat_are_not_made_one() -> None:
    async def scene() -> None:
        play = ProtocolPlay(ChatCompletions(), [say("Rails.")])
        users = [{"role": "user", "name": name, "content": f"I am {name}."} for name in ("ada", "bob")]
        await play.sends_body({"model": "m", "messages": [users[0], {"role": "assistant", "content": HELP}, users[1]]})
        assert play.upstream.sent[0]["messages"] == users

    run(scene())


def test_parts_that_are_no_words_and_members_that_nobody_knows_stay() -> None:
    async def scene() -> None:
        play = ProtocolPlay(ChatCompletions(), [say("Rails.")])
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
        user = {"role": "user", "content": [picture, {"type": "text", "text": "See?"}]}
        said = {
            "role": "assistant",
            "content": [{"type": "text", "text": "I do.", "x": 1}, {"type": "text", "text": HELP}],
        }
        both = {"role": "assistant", "content": f"I do.\n\n{warning()}", "weight": 0.123456789012345678901}
        messages = [user, {"role": "assistant", "content": HELP}, {"role": "user", "content": "Well?"}, said, both]
        await play.sends_body({"model": "m", "messages": [*messages, {"role": "user", "content": "Go on."}]})
        one, kept, cut, _ = play.upstream.sent[0]["messages"]
        assert one == {
            "role": "user",
            "content": [picture, {"type": "text", "text": "See?"}, {"type": "text", "text": "Well?"}],
        }
        assert kept == said, "a list is only ours where it ends with ours"
        assert (cut["content"], cut["weight"]) == ("I do.", both["weight"])

    run(scene())


def test_the_addresses_of_a_branch_do_not_change_by_what_is_cut() -> None:
    async def scene() -> None:
        play = ProtocolPlay(ChatCompletions(), [say("Rails."), say("Steam.")], SPOKEN)
        client = Client(play)
        first = await client.says("[crisis] I cannot go on")
        second = await client.says("tell me of trains")
        events = await play.store.events(client.protocol.note(first)["conversation"])
        assert client.protocol.note(second)["conversation"] == client.protocol.note(first)["conversation"]
        assert [event["after"]["crisis_turns"] for event in events] == [20, 19]

    run(scene())
