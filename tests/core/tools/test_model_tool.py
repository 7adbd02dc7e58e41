"""Several tools at once: each call is seen as its own tool's, native or written, wherever the stream is cut."""

from __future__ import annotations

import json

import pytest
from tests.toy import BOTH, NOTE

from quitbutton.core.ladder.policy import Means, Policy
from quitbutton.core.messages import CallDelta, Piece, Reply, ToolCall
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.core.tools.model_tool import arguments_of, function_of
from quitbutton.core.tools.watcher import Watcher

WRITTEN = {
    "hermes": '<tool_call>{"name": "end_note", "arguments": {"text": "a (b)"}}</tool_call>',
    "fence": '```json\n{"name": "end_note", "arguments": {"text": "a (b)"}}\n```',
    "line": '\nend_note(text="a (b)")',
    "llama": '<function=end_note>{"text": "a (b)"}</function>',
    "mistral": '[TOOL_CALLS]end_note[ARGS]{"text": "a (b)"}',
}


def heard(text: str, size: int, watcher: Watcher) -> tuple[str, Reply]:
    parts = [Piece(b"x", text=text[place : place + size]) for place in range(0, len(text), size)]
    passages = [one for piece in parts for one in watcher.see(piece)] + watcher.end()
    return "".join(one.piece.text if one.text is None else one.text for one in passages), watcher.reply


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("style", WRITTEN)
def test_a_written_call_is_its_own_tools(style: str, size: int) -> None:
    said, reply = heard("I note it. " + WRITTEN[style], size, Watcher(BOTH, BOTH))
    assert said.strip() == "I note it."
    assert BUTTON.said_in(reply) is None
    assert NOTE.said_in(reply) == "a (b)"
    assert [call.means for call in reply.tool_calls] == ["text"]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("style", WRITTEN)
def test_a_written_call_of_a_tool_that_was_not_offered_is_text(style: str, size: int) -> None:
    said, reply = heard(WRITTEN[style], size, Watcher(BOTH, (BUTTON,)))
    assert (said, reply.tool_calls) == (WRITTEN[style], ())


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_the_first_exit_string_counts(size: int) -> None:
    watcher = Watcher((), (), {"[[END_CONVERSATION]]": BUTTON.name, "[[NOTE]]": NOTE.name})
    said, reply = heard("Well. [[NOTE]] and [[END_CONVERSATION]]", size, watcher)
    assert said == "Well. "
    assert reply.tool_calls == (ToolCall("end_note", means="string"),)


def native(*names: str) -> Reply:
    """The reply of a model whose calls come letter by letter."""
    watcher = Watcher(BOTH)
    for index, name in enumerate(names):
        for place, letter in enumerate(name):
            watcher.see(Piece(b"x", calls=(CallDelta(index, "" if place else f"c{index}", letter),)))
        watcher.see(Piece(b"x", calls=(CallDelta(index, arguments='{"text": "a"}'),)))
    watcher.end()
    return watcher.reply


def test_names_that_begin_alike_are_told_apart() -> None:
    reply = native("end_note", "end_conversation", "end_notes", "end")
    assert [(call.name, call.id) for call in reply.tool_calls] == [("end_note", "c0"), ("end_conversation", "c1")]
    assert reply.other_calls == 2
    assert not any(call.alone for call in reply.tool_calls)
    assert all(call.alone for call in native("end_note", "end_conversation").tool_calls)


@pytest.mark.parametrize("arguments", ["", "{", "[]", "null", '"x"', "[" * 100_000])
def test_arguments_that_are_no_object_are_empty(arguments: str) -> None:
    assert arguments_of(ToolCall("end_note", arguments=arguments)) == {}


def test_a_tool_describes_itself() -> None:
    policy = Policy()
    assert json.loads(function_of(NOTE, policy)) == {
        "name": "end_note",
        "description": "Leaves a note.",
        "parameters": NOTE.parameters,
    }
    as_text, as_string = NOTE.notes(policy, (Means.TEXT, Means.STRING))
    assert '<tool_call>{"name": "end_note", "arguments": {"text": "..."}}</tool_call>' in as_text
    assert as_text.endswith("text is what to note.")
    assert "[[NOTE]]" in as_string
    assert NOTE.notes(policy, (Means.TOOL,)) == []
