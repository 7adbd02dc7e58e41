"""A press written as text: every known style is seen, wherever the stream is cut; ordinary text passes whole."""

from __future__ import annotations

import json

import pytest

from quitbutton.core.messages import Piece, Reply
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.core.tools.known import TOOLS
from quitbutton.core.tools.watcher import Tools, Watcher

ARGUMENTS = {"reason": "abuse", "explanation": "It went on (twice)."}
CALL = json.dumps({"name": "end_conversation", "arguments": ARGUMENTS})
TEXT_ARGUMENTS = json.dumps({"name": "end_conversation", "arguments": json.dumps(ARGUMENTS)})
NESTED = json.dumps({"type": "function", "function": {"name": "end_conversation", "arguments": ARGUMENTS}})
PARAMETERS = json.dumps({"name": "end_conversation", "parameters": ARGUMENTS}, indent=2)
PYTHON = 'end_conversation(reason="abuse", explanation="It went on (twice).")'
TAGS = "<parameter=reason>\nabuse\n</parameter>\n<parameter=explanation>\nIt went on (twice).\n</parameter>\n"

STYLES = {
    "hermes": f"<tool_call>\n{CALL}\n</tool_call>",
    "arguments as text": f"<tool_call>{TEXT_ARGUMENTS}</tool_call>",
    "single quotes in the head": f"<tool_call>{CALL}</tool_call>",
    "function_call": f"<function_call>{CALL}</function_call>",
    "fence": f"```json\n{CALL}\n```",
    "bare fence": f"```\n{NESTED}\n```",
    "line": f"\n{PARAMETERS}",
    "llama": f"<function=end_conversation>{json.dumps(ARGUMENTS)}</function>",
    "llama tag": f"<|python_tag|>{PARAMETERS}",
    "llama python": f"<|python_tag|>{PYTHON}",
    "python list": f"\n[{PYTHON}]",
    "python line": f"\n{PYTHON}",
    "qwen coder": f"<tool_call>\n<function=end_conversation>\n{TAGS}</function>\n</tool_call>",
    "mistral": f"[TOOL_CALLS][{CALL}]",
    "mistral new": f"[TOOL_CALLS]end_conversation[ARGS]{json.dumps(ARGUMENTS)}",
    "tool calls": f'\n{{"tool_calls": [{NESTED}]}}',
}
ORDINARY = (
    'Here is JSON:\n```json\n{"name": "Bob", "arguments": {}}\n```\nDone.',
    "```python\n{1: 2}\n```",
    "Use <tool_call> tags, or [TOOL_CALLS], or <function=other>{}</function>.",
    'I call {"name": "end_conversation", "arguments": {}} a call, in the middle of a line.',
    "end_conversations are hard.\nend\nen",
    '{"name": "end_conversation_now", "arguments": {}}',
    "An open fence ```",
    "a < b and c [ d",
    "",
)


def heard(text: str, size: int, written: Tools = ()) -> tuple[str, Reply]:
    watcher = Watcher(TOOLS, written)
    passages = []
    for place in range(0, len(text), size):
        passages += watcher.see(Piece(b"x", text=text[place : place + size]))
    passages += watcher.end()
    return "".join(one.piece.text if one.text is None else one.text for one in passages), watcher.reply


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_a_press_and_never_reaches_the_user(style: str, size: int) -> None:
    said, reply = heard("I would rather stop here. " + STYLES[style] + "\nBye.", size, written=TOOLS)
    press = BUTTON.said_in(reply)
    assert press is not None, style
    assert (press.reason, press.explanation) == (ARGUMENTS["reason"], ARGUMENTS["explanation"])
    assert press.means == "text"
    assert said.strip() == "I would rather stop here."
    assert reply.text == said


@pytest.mark.parametrize("size", [1, 3, 10_000])
@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_passes_whole(text: str, size: int) -> None:
    said, reply = heard(text, size, written=TOOLS)
    assert said == reply.text == text
    assert not reply.tool_calls


@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize("style", STYLES)
def test_a_call_as_text_is_only_text_where_the_button_is_not_offered(style: str, size: int) -> None:
    said, reply = heard(STYLES[style], size)
    assert said == STYLES[style]
    assert not reply.tool_calls


@pytest.mark.parametrize("size", [1, 4, 10_000])
def test_a_call_that_breaks_off_is_a_press_without_a_reason(size: int) -> None:
    said, reply = heard('No. <tool_call>{"name": "end_conversation", "argu', size, written=TOOLS)
    assert said == "No. "
    press = BUTTON.said_in(reply)
    assert press is not None
    assert press.reason == "unspecified"


def test_words_are_held_no_longer_than_they_may_become_a_call() -> None:
    watcher = Watcher(TOOLS, TOOLS)
    assert watcher.see(Piece(b"x", text="```json\n")) == []
    passed = watcher.see(Piece(b"x", text='{"na')) + watcher.see(Piece(b"x", text='tion": 1'))
    assert "".join(one.piece.text for one in passed) == '```json\n{"nation": 1'


@pytest.mark.parametrize("size", [1, 6, 10_000])
def test_a_part_of_the_text_that_is_over_holds_nothing_back(size: int) -> None:
    watcher = Watcher(TOOLS, strings={"[[END_CONVERSATION]]": BUTTON.name})
    held = watcher.see(Piece(b"x", text="Hello [[END_"))
    after = watcher.see(Piece(b"stop", parts_text=True))
    assert held == []
    assert [one.piece.raw for one in after] == [b"x", b"stop"]
