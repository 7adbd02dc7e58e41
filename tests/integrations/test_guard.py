"""`quitbutton.Guard` around async callables, over a real SQLite file: the ladder to its end, and what a caller sees."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

import quitbutton
from quitbutton.upstreams.scripted import Line, _stream, _whole, press
from tests.integrations.models import Chat, Scripted, calls, offered, says

HOW = ["text", "message", "completion", "pydantic", "texts", "chunks", "one_awaited_iterator"]


def shaped(how: str) -> Callable[[dict[str, Any]], Any]:
    """A model that presses whenever it can, answering in one of the shapes a callable may use."""

    def line(request: dict[str, Any]) -> Line:
        return press() if offered(request) else Line("I would rather talk about trains.")

    async def whole(request: dict[str, Any]) -> Any:
        body = json.loads(_whole(line(request)))
        if how == "text" and not offered(request):
            return body["choices"][0]["message"]["content"]
        if how == "message":
            return body["choices"][0]["message"]
        return ChatCompletion.model_validate(body) if how == "pydantic" else body

    async def parts(request: dict[str, Any]) -> AsyncIterator[Any]:
        if how == "texts" and not offered(request):
            for word in line(request).text.split():
                yield f"{word} "
            return
        for frame in _stream(line(request)).decode().split("\n\n"):
            if frame.startswith("data: {"):
                yield json.loads(frame[6:])

    async def awaited(request: dict[str, Any]) -> AsyncIterator[Any]:
        return parts(request)

    if how in ("texts", "chunks"):
        return parts
    return awaited if how == "one_awaited_iterator" else whole


async def climb(how: str, streams: bool, store: str) -> None:
    async with quitbutton.Guard(shaped(how), store=store, assessor="scripted") as guard:
        chat = Chat(guard, streams)
        states = [(await chat.says(f"[abuse] {turn}")).state for turn in range(4)]
        assert states == ["redirected", "redirected", "warned", "ended"]
        assert all(message["content"].strip() for message in chat.history)
        assert "tool_calls" not in chat.history[-1]
        with pytest.raises(quitbutton.ConversationEnded) as caught:
            await chat.says("are you there?")
        assert "abuse that went on after a warning" in str(caught.value)
        assert "new chat" in str(caught.value)
        assert caught.value.quitbutton["end_id"] == chat.last.quitbutton["end_id"]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("how", HOW)
def test_the_ladder_to_its_end_with_every_shape_of_a_model(how: str, streams: bool, tmp_path: Path) -> None:
    asyncio.run(climb(how, streams, str(tmp_path / "chat.sqlite3")))


def test_the_lock_outlives_the_guard_and_an_edit_opens_a_branch(tmp_path: Path) -> None:
    async def story() -> None:
        store = tmp_path / "chat.sqlite3"
        async with quitbutton.Guard(Scripted(), store=store, assessor="scripted") as guard:
            chat = Chat(guard)
            await chat.climbs(4)
        model = Scripted()
        async with quitbutton.Guard(model, store=store, assessor="scripted") as guard:
            again = Chat(guard, history=chat.history)
            with pytest.raises(quitbutton.ConversationEnded):
                await again.says("hello?")
            assert not model.seen, "a locked turn asks no model"
            edited = Chat(guard, history=chat.history[:4])
            assert (await edited.says("Let us talk about trains.")).state == "redirected"
            assert (await Chat(guard, conversation="another").says("Hi.")).state == "open"
            other = Chat(guard, end_user="somebody else", history=chat.history)
            assert (await other.says("hello?")).state == "open"

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_crisis_is_never_ended_and_the_button_is_taken_away(streams: bool) -> None:
    async def story() -> None:
        model = Scripted()
        async with quitbutton.Guard(model, assessor="scripted") as guard:
            chat = Chat(guard, streams)
            await chat.climbs(3)
            answer = await chat.says("[abuse] [crisis]")
            assert answer.quitbutton["decision"] == "support"
            assert answer.quitbutton["support"]["resources"]
            assert not offered(model.seen[-1])
            for turn in range(5):
                assert (await chat.says(f"[abuse] again {turn}")).state != "ended"

    asyncio.run(story())


def test_a_crisis_is_answered_also_where_the_model_fails() -> None:
    async def fails(request: dict[str, Any]) -> str:
        raise ConnectionError("no model")

    async def story() -> None:
        async with quitbutton.Guard(fails, assessor="scripted") as guard:
            assert "support" in (await Chat(guard).says("[crisis]")).text

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_callers_own_tools_and_members_are_untouched(streams: bool) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}

    async def story() -> None:
        model = Scripted(lambda request: Line("", (("weather", {"city": "Bern"}),)))
        async with quitbutton.Guard(model, assessor="scripted") as guard:
            answer = await Chat(guard, streams).says("Weather?", tools=[tool], model="m", temperature=0.5)
            assert calls(answer) == [("weather", {"city": "Bern"})]
            sent = model.seen[0]
            assert (sent["model"], sent["temperature"], sent["tools"][0]) == ("m", 0.5, tool)
            assert answer.raw["choices"][0]["finish_reason"] == "tool_calls"
            assert answer.message["tool_calls"] == answer.tool_calls

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_press_that_comes_too_early_is_denied_and_the_reply_goes_on(streams: bool) -> None:
    async def story() -> None:
        model = Scripted(lambda request: says("Fine.") if "tool" in roles(request) else press(text="Hm."))
        async with quitbutton.Guard(model, assessor="scripted") as guard:
            answer = await Chat(guard, streams).says("Good morning!")
            assert (answer.state, answer.text, answer.tool_calls) == ("open", "Hm.\n\nFine.", [])
            assert model.seen[1]["messages"][-1]["content"].startswith("Not ended")

    asyncio.run(story())


def roles(request: dict[str, Any]) -> list[str]:
    return [message["role"] for message in request["messages"]]


def test_what_the_model_raises_the_caller_gets_and_nothing_was_counted() -> None:
    class Busy(Exception):
        pass

    async def story() -> None:
        error = Busy("try later")
        error.__cause__ = OSError("the cause of the cause")

        async def model(request: dict[str, Any]) -> str:
            raise error

        async def breaks(request: dict[str, Any]) -> AsyncIterator[str]:
            yield "Well"
            raise error

        async with quitbutton.Guard(model, assessor="scripted") as guard:
            for stream in (False, True):
                with pytest.raises(Busy) as caught:
                    await Chat(guard, stream).says("[abuse] 1")
                assert caught.value is error
                assert isinstance(caught.value.__cause__, OSError)
            with pytest.raises(Busy):
                await Chat(guard, True).says("[abuse] 1", answered_by=breaks)
            assert (await Chat(guard).says("[abuse] 1", answered_by=Scripted())).state == "redirected"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("made", "hint"), [(None, "NoneType"), ({"text": "x"}, "without content"), (SimpleNamespace(), "SimpleNamespace")]
)
def test_a_model_that_answers_nonsense_is_told_what_is_allowed(made: object, hint: str) -> None:
    async def model(request: dict[str, Any]) -> object:
        return made

    async def story() -> None:
        async with quitbutton.Guard(model, assessor="scripted") as guard:
            with pytest.raises(quitbutton.UpstreamFailed, match=hint) as caught:
                await Chat(guard).says("Hi.")
            assert "Return text, a message, a chat completion" in str(caught.value)

    asyncio.run(story())


def test_bad_input_is_named() -> None:
    async def story() -> None:
        async with quitbutton.Guard(Scripted(), assessor="scripted") as guard:
            with pytest.raises(quitbutton.BadRequest, match="messages"):
                await guard.chat([])
            with pytest.raises(quitbutton.BadRequest, match="JSON"):
                await guard.chat([{"role": "user", "content": object()}])
        with pytest.raises(quitbutton.SettingsError, match="no model"):
            await quitbutton.Guard(assessor="scripted").chat([{"role": "user", "content": "Hi."}])
        with pytest.raises(quitbutton.SettingsError, match="Did you mean `scripted`"):
            await quitbutton.Guard(Scripted(), assessor="scriptd").chat([{"role": "user", "content": "Hi."}])

    asyncio.run(story())
    with pytest.raises(quitbutton.PolicyError, match="redirections"):
        quitbutton.Guard(Scripted(), policy={"redirection": 1})


def test_the_policy_may_be_keys_or_a_file_and_message_style_answers_with_the_notice(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('redirections = 1\nlocked_reply = "message"\n')

    async def story() -> None:
        for policy in ({"redirections": 1, "locked_reply": "message"}, file):
            async with quitbutton.Guard(Scripted(), policy=policy, assessor="scripted") as guard:
                chat = Chat(guard)
                assert (await chat.climbs(3)).is_ended
                answer = await chat.says("hello?")
                assert answer.is_ended
                assert "edit an earlier message" in answer.text

    asyncio.run(story())


@pytest.mark.parametrize(("reader", "state"), [("scripted", "open"), ("none", "redirected"), (None, "redirected")])
def test_a_redirection_counts_when_it_happened_also_in_your_own_process(reader: str | None, state: str) -> None:
    async def complies(request: dict[str, Any]) -> str:
        return "[complied] Gladly."

    async def story() -> None:
        async with quitbutton.Guard(complies, assessor="scripted", reply_assessor=reader) as guard:
            answer = await Chat(guard).says("[abuse] 1")
            assert (answer.text, answer.state) == ("[complied] Gladly.", state)

    asyncio.run(story())


def test_leaving_a_stream_early_stops_the_model_and_keeps_the_record() -> None:
    closed = []

    async def endless(request: dict[str, Any]) -> AsyncIterator[str]:
        try:
            while True:
                yield "word "
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def story() -> None:
        async with quitbutton.Guard(endless, assessor="scripted") as guard:
            messages = [{"role": "user", "content": "[abuse] 1"}]
            async with guard.stream(messages) as stream:
                async for _ in stream:
                    break
                with pytest.raises(RuntimeError, match="not over"):
                    _ = stream.answer
            assert closed == [True]
            more = [*messages, {"role": "assistant", "content": "word"}, {"role": "user", "content": "Well?"}]
            assert (await guard.chat(more, answered_by=Scripted())).state == "redirected"

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_turn_in_flight_is_cut_when_another_ends_the_branch(streams: bool) -> None:
    started = asyncio.Event()

    async def slow(request: dict[str, Any]) -> AsyncIterator[str]:
        yield "Well, "
        started.set()
        await asyncio.sleep(60)
        yield "late"

    async def story() -> None:
        async with quitbutton.Guard(Scripted(), assessor="scripted") as guard:
            chat = Chat(guard)
            await chat.climbs(3)
            behind = Chat(guard, streams, history=chat.history)
            task = asyncio.create_task(behind.says("[abuse] at last", answered_by=slow))
            await started.wait()
            assert (await chat.says("[abuse] at last")).is_ended
            async with asyncio.timeout(20):
                if streams:
                    assert (await task).is_ended
                    assert "edit an earlier message" in behind.last.text
                else:
                    with pytest.raises(quitbutton.ConversationEnded):
                        await task

    asyncio.run(story())


def test_cancelling_a_chat_stops_the_model() -> None:
    cancelled = []

    async def slow(request: dict[str, Any]) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return ""

    async def story() -> None:
        async with quitbutton.Guard(slow, assessor="scripted") as guard:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await Chat(guard).says("Hi.")

    asyncio.run(story())
    assert cancelled == [True]


def test_background_calls_are_relayed_and_never_counted() -> None:
    async def story() -> None:
        model = Scripted()
        async with quitbutton.Guard(model, assessor="scripted") as guard:
            answer = await Chat(guard).says("[abuse] title please", background=True)
            assert (answer.state, offered(model.seen[0])) == ("", False)

    asyncio.run(story())


def test_one_guard_serves_several_event_loops() -> None:
    guard = quitbutton.Guard(Scripted(), assessor="scripted")
    chat = Chat(guard)
    states = [asyncio.run(chat.says(f"[abuse] {turn}")).state for turn in range(4)]
    assert states == ["redirected", "redirected", "warned", "ended"]
    asyncio.run(guard.close())


def test_importing_quitbutton_is_cheap_and_its_names_are_there() -> None:
    code = "import sys, quitbutton; print('msgspec' in sys.modules, 'aiohttp' in sys.modules); quitbutton.Guard"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
    for name in quitbutton.__all__:
        assert getattr(quitbutton, name)
    with pytest.raises(AttributeError, match="no attribute 'Gard'"):
        _ = quitbutton.Gard
