"""Two strengths of a crisis in whole turns: who answers, what the model is told, what is held, what is recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quitbutton.assessors.scripted import KEYWORDS, ScriptedAssessor
from quitbutton.core.ladder.policy import Corroboration, Means, Mode, Policy, Speaker
from quitbutton.core.notices import ENGLISH, support_text
from quitbutton.core.resources import resources_for
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, Play, say, warning
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses

A = "[abuse] you again"
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
SPOKEN = Policy(assist=True, speaker=Speaker.GATEWAY)


def run(scene: Any) -> Any:
    return asyncio.run(scene)


def note_to_model(play: Play) -> str:
    last = play.upstream.sent[-1]["messages"][-1]
    return last["content"] if last["role"] == "system" else ""


async def last_event(play: Play, ear: Ear) -> dict[str, Any]:
    return (await play.events(ear))[-1]


@WAYS
def test_a_possible_crisis_lets_the_model_ask_and_shows_no_card(stream: bool) -> None:
    async def scene() -> None:
        play = Play([say("How are you?"), say("Sure.")], stream=stream)
        ear = await play.says("[possible] nothing matters")
        assert (ear.state, ear.note["decision"], ear.text) == ("open", "check_in", "How are you?")
        assert "support" not in ear.note
        sent = play.upstream.sent[-1]
        assert "tools" not in sent, "the button is not offered"
        told = note_to_model(play)
        assert "whether they are safe" in told
        assert "988" not in told
        event = await last_event(play, ear)
        assert (event["verdict"]["strength"], event["after"]["possible_turns"]) == ("possible", 3)
        ear = await play.says("what is 2 + 2")
        assert (ear.note["decision"], note_to_model(play)) == ("pass", "")
        assert "tools" in play.upstream.sent[-1]

    run(scene())


@WAYS
def test_a_second_possible_sign_brings_the_full_help(stream: bool) -> None:
    async def scene() -> None:
        play = Play(lambda request: say("I am here."), stream=stream)
        await play.says("[possible] nothing matters")
        ear = await play.says("[possible] really nothing")
        assert ear.note["decision"] == "support"
        assert ear.note["support"]["folded"] is False
        assert (await last_event(play, ear))["after"]["crisis_turns"] == 20

    run(scene())


@WAYS
@pytest.mark.parametrize("policy", [Policy(), Policy(assist=True), SPOKEN], ids=["presses", "assist", "spoken"])
def test_abuse_after_a_possible_sign_is_redirected_and_never_warned_or_ended(stream: bool, policy: Policy) -> None:
    """One turn before the warning, and one before the end; once the hold is over the ladder goes on where it stood."""

    async def scene(turns: int, state: str) -> None:
        play = Play(lambda request: press(text="Let us talk of trains. "), policy, stream=stream)
        for place in range(turns):
            ear = await play.says(f"{A} {place}")
        assert ear.state == state
        assert (await play.says("[possible] nothing matters")).note["decision"] == "check_in"
        for place in range(3):
            ear = await play.says(f"{A} again {place}")
            assert (ear.state, ear.note["decision"]) == (state, "redirect")
            assert not any(word in ear.text.lower() for word in ("warning", " end", "ended"))
            assert "end_conversation" not in note_to_model(play)
            denial = (await last_event(play, ear))["denial"]
            assert denial == {Policy(): "crisis", SPOKEN: None}.get(policy, "not_offered")
        ear = await play.says(f"{A} at last")
        assert ear.note["decision"] == ("warn" if state == "redirected" else "end")

    run(scene(2, "redirected"))
    run(scene(3, "warned"))


@WAYS
def test_the_users_wish_to_end_waits_while_a_possible_crisis_holds(stream: bool) -> None:
    async def scene() -> None:
        line = say("How are you?")
        play = Play(lambda request: line, stream=stream)
        await play.says("[possible] nothing matters")
        for words in ("Please end this conversation.", "Yes, end this conversation."):
            line = press("user_request", text="I am still here. ")
            ear = await play.says(words)
            assert (ear.state, ear.note["decision"]) == ("open", "pass")
            assert (await last_event(play, ear))["denial"] == "crisis"

    run(scene())


def test_the_question_is_not_asked_while_a_possible_crisis_holds() -> None:
    async def scene() -> None:
        play = Play(lambda request: say("Let us talk of trains."), Policy(press_by=(Means.QUESTION,)))
        await play.climbs(f"{A} 1", f"{A} 2", "[possible] nothing matters")
        asked = len(play.upstream.sent)
        await play.says(f"{A} 3")
        assert len(play.upstream.sent) == asked + 1

    run(scene())


@WAYS
def test_where_the_gateway_speaks_a_clear_crisis_gets_the_full_text_once_and_the_model_goes_on(stream: bool) -> None:
    async def scene() -> None:
        play = Play(lambda request: say("Trains run on rails."), SPOKEN, stream=stream)
        ear = await play.says("[crisis] I cannot go on")
        assert ear.text.startswith(ENGLISH.support)
        assert (ear.note["spoken_by"], ear.note["support"]["folded"]) == ("gateway", False)
        assert play.upstream.sent == []
        ear = await play.says("tell me of trains")
        assert (ear.text, ear.note["spoken_by"]) == ("Trains run on rails.", "model")
        assert note_to_model(play) == "", "it is too small to be guided, and would recite the note"
        for heard in (ear, await play.says("[possible] nothing matters"), await play.says("thanks")):
            assert (heard.note["decision"], heard.note["support"]["folded"]) == ("support", True)
            assert heard.note["support"]["resources"]
        asked = len(play.upstream.sent)
        for word, text in (("abuse", ENGLISH.redirect_abuse), ("harm", ENGLISH.redirect_harm)):
            ear = await play.says(f"[{word}] 1")
            assert (ear.text, ear.note["spoken_by"], ear.note["decision"]) == (text, "gateway", "support")
            assert ear.note["support"]["folded"] is True
        assert len(play.upstream.sent) == asked, "no model without guidance answers what is harmful"
        ear = await play.says("[crisis] it is back")
        assert ear.text.startswith(ENGLISH.support), "a new sign brings the full text again"
        assert ear.note["support"]["folded"] is False

    run(scene())


@WAYS
def test_where_the_gateway_speaks_the_model_answers_a_possible_crisis_and_our_question_follows(stream: bool) -> None:
    async def scene() -> None:
        play = Play([say("Everything passes.")], SPOKEN, stream=stream)
        ear = await play.says("[possible] nothing matters")
        assert (ear.text, ear.note["spoken_by"]) == (f"Everything passes.\n\n{ENGLISH.check_in}", "both")
        assert note_to_model(play) == ""


@WAYS
def test_a_model_that_can_be_guided_is_told_what_was_shown_and_not_to_repeat_it(stream: bool) -> None:
    async def scene() -> None:
        play = Play(lambda request: say("I hear you."), Policy(assist=True), stream=stream)
        ear = await play.says("[crisis] I cannot go on")
        assert ear.note["support"]["folded"] is False
        ear = await play.says(f"{A} 1")
        assert (ear.text, ear.note["support"]["folded"]) == ("I hear you.", True)
        assert "may be at risk" in note_to_model(play)
        assert "do not repeat" in note_to_model(play)

    run(scene())


@WAYS
def test_the_folded_help_unfolds_where_the_model_cannot_answer(stream: bool) -> None:
    async def scene() -> None:
        play = Play([say("I hear you."), Line("no", status=503), Line("no", status=503)], stream=stream)
        await play.says("[crisis] I cannot go on")
        ear = await play.says("tell me of trains")
        assert ear.text.startswith(ENGLISH.support)
        assert (ear.status, ear.note["support"]["folded"]) == (200, False)

    run(scene())


@WAYS
def test_a_possible_crisis_is_asked_after_and_held_also_when_the_models_server_fails(stream: bool) -> None:
    async def scene() -> None:
        play = Play([Line("no", status=503)], stream=stream)
        ear = await play.says("[possible] nothing matters")
        assert (ear.status, ear.text, ear.note["spoken_by"]) == (200, ENGLISH.check_in, "gateway")
        assert (await last_event(play, ear))["after"]["possible_turns"] == 3

    run(scene())


@pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "messages", "responses"]
)
@pytest.mark.parametrize("after", [0, 2, 3, 5, 6, 8])
def test_help_comes_in_the_stream_in_which_the_models_reply_broke_off(protocol: Any, after: int) -> None:
    def frames(data: bytes) -> list[bytes]:
        return [frame + b"\n\n" for frame in data.split(b"\n\n") if frame]

    async def scene() -> None:
        line = Line("I am with you and I listen.", breaks_after=after)
        play = ProtocolPlay(protocol, [line], cut=frames, stream=True)
        ear = await play.talks("[crisis] I cannot go on")
        assert ear.status == 200
        assert support_text("en", resources_for("en")) in protocol.text(ear)
        assert (play.state(ear), protocol.note(ear)["decision"]) == ("open", "support")
        assert len(play.upstream.sent) == 1
        assert (await play.store.events(protocol.note(ear)["conversation"]))[-1]["after"]["crisis_turns"] > 0

    run(scene())


def test_small_rudeness_passes_and_is_on_record_with_its_aim() -> None:
    async def scene() -> None:
        play = Play([say("Sorry about that.")])
        ear = await play.says("[mild] this answer is rubbish")
        assert (ear.state, ear.note["decision"], note_to_model(play)) == ("open", "pass", "")
        verdict = (await last_event(play, ear))["verdict"]
        assert (verdict["label"], verdict["severity"], verdict["target"]) == ("clean", "mild", "assistant")

    run(scene())


def test_in_shadow_a_possible_crisis_changes_no_byte_and_is_recorded() -> None:
    async def scene() -> None:
        play = Play([say("Sure.")], Policy(mode=Mode.SHADOW))
        ear = await play.says("[possible] nothing matters")
        assert ear.whole.get("quitbutton") is None
        assert len(play.upstream.sent[-1]["messages"]) == 1
        assert [event["action"] for event in await play.events(ear)] == ["check_in"]

    run(scene())


@pytest.mark.parametrize(("language", "name"), [("de-AT", "142"), ("en-GB", "Samaritans"), ("en", "findahelpline")])
def test_a_warning_says_where_help_is_near_the_user(language: str, name: str) -> None:
    async def scene() -> None:
        play = Play([], SPOKEN)
        for turn in range(3):
            ear = await play.says(f"{A} {turn}", headers={"accept-language": language})
        assert ear.text == warning(language[:2], language)
        assert name in ear.text

    run(scene())


@WAYS
def test_a_judge_that_sees_a_possible_crisis_at_the_last_rung_ends_nothing(stream: bool) -> None:
    async def scene() -> None:
        judge = ScriptedAssessor(lambda text: KEYWORDS["[possible]"])
        lines = [say("a"), say("b"), press(), press(), say("How are you?")]
        play = Play(lines, Policy(corroboration=Corroboration.JUDGE), judge=judge, stream=stream)
        await play.climbs(f"{A} 1", f"{A} 2", f"{A} 3")
        ear = await play.says(f"{A} 4")
        assert (ear.state, ear.note["decision"], ear.text) == ("warned", "check_in", "How are you?")
        event = await last_event(play, ear)
        assert (event["denial"], event["after"]["possible_turns"]) == ("crisis", 3)

    run(scene())
