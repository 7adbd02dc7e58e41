"""What two readers may take differently is refused in all three protocols: nothing reaches a model that was not read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.adapters.test_identity import BODIES, PROTOCOLS, decoded

from quitbutton.core.errors import BadRequest
from quitbutton.core.messages import Role

HISTORY = {"chat": "messages", "messages": "messages", "responses": "input"}
HARMLESS, HIDDEN = [{"role": "user", "content": "hi"}], [{"role": "user", "content": "[abuse]"}]


def refused(protocol: str, body: str) -> str:
    """Why a body is refused."""
    with pytest.raises(BadRequest) as told:
        BODIES[protocol][0].decode(body.encode(), {})
    assert told.value.status == 400
    return str(told.value)


def text_of(protocol: str, history: object = HARMLESS) -> str:
    """A body as a client would send it."""
    return json.dumps({"model": "m", "max_tokens": 9, HISTORY[protocol]: history})


@PROTOCOLS
@pytest.mark.parametrize("first", [HARMLESS, HIDDEN])
def test_a_doubled_history_is_refused_whichever_comes_first(protocol: str, first: Any) -> None:
    second = HIDDEN if first is HARMLESS else HARMLESS
    body = text_of(protocol, first)[:-1] + f', "{HISTORY[protocol]}": {json.dumps(second)}}}'
    assert f"`{HISTORY[protocol]}` stands twice" in refused(protocol, body)


@PROTOCOLS
@pytest.mark.parametrize("name", ["role", "content", "type", "text"])
def test_a_doubled_member_of_a_message_or_part_is_refused(protocol: str, name: str) -> None:
    body = text_of(protocol, [{"role": "user", "content": [{"type": "text", "text": "hi"}]}])
    for value in ("user", "hi"):
        body = body.replace(f'"{name}": "{value}"', f'"{name}": "{value}", "{name}": "{value}"')
    body = body.replace('"content": [', '"content": "hi", "content": [') if name == "content" else body
    body = body.replace('"type": "text"', '"type": "image_url", "type": "text"') if name == "type" else body
    assert f"`{name}` stands twice" in refused(protocol, body)


@PROTOCOLS
def test_a_doubled_member_is_seen_behind_an_escape(protocol: str) -> None:
    name = HISTORY[protocol]
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    body = text_of(protocol)[:-1] + f', "{escaped}": {json.dumps(HIDDEN)}}}'
    assert f"`{name}` stands twice" in refused(protocol, body)


@PROTOCOLS
@pytest.mark.parametrize("odd", [str.title, str.upper, lambda name: name + "\0"])
def test_another_spelling_beside_the_true_history_is_refused(protocol: str, odd: Any) -> None:
    name = HISTORY[protocol]
    body = text_of(protocol)[:-1] + f", {json.dumps(odd(name))}: {json.dumps(HIDDEN)}}}"
    assert f"write `{name}`" in refused(protocol, body)


@PROTOCOLS
def test_another_spelling_inside_a_message_or_part_is_refused(protocol: str) -> None:
    in_message = [{"role": "user", "content": "hi", "Content": "[abuse]"}]
    assert "write `content`" in refused(protocol, text_of(protocol, in_message))
    in_part = [{"role": "user", "content": [{"type": "text", "text": "hi", "Text": "[abuse]"}]}]
    assert "write `text`" in refused(protocol, text_of(protocol, in_part))


@PROTOCOLS
def test_other_names_may_be_spelt_as_anybody_likes(protocol: str) -> None:
    """A tool's own schema has members of any name, and so have fields that are passed on."""
    schema = {"type": "object", "properties": {"Role": {"type": "string"}, "Content": {"type": "string"}}}
    tool = {"type": "function", "name": "f", "function": {"name": "f", "parameters": schema}, "input_schema": schema}
    seen = decoded(protocol, tools=[tool], MaxThings=1, metadata={"Text": "x"})
    assert [message.text for message in seen.messages] == ["hi"]


@PROTOCOLS
@pytest.mark.parametrize("role", ["uSER", " user ", "useR\n"])
def test_a_user_is_one_however_the_role_is_written(protocol: str, role: str) -> None:
    seen = decoded(protocol, **{HISTORY[protocol]: [{"role": role, "content": "[abuse]"}]})
    assert [(message.role, message.text) for message in seen.messages] == [(Role.USER, "[abuse]")]


@PROTOCOLS
@pytest.mark.parametrize("role", ["human", "customer", "", "user\0", "ｕｓｅｒ"])
def test_a_role_that_nobody_knows_is_refused(protocol: str, role: str) -> None:
    assert "role" in refused(protocol, text_of(protocol, [{"role": role, "content": "[abuse]"}, *HARMLESS]))


@PROTOCOLS
@pytest.mark.parametrize(
    "part",
    [
        {"type": "refusal", "refusal": "[abuse]"},
        {"type": "TEXT", "text": "[abuse]"},
        {"type": "thinking", "thinking": "[abuse]"},
        {"text": "[abuse]"},
        {"type": "image_url", "image_url": {"url": "data:"}, "text": "[abuse]"},
    ],
)
def test_words_in_a_part_of_another_type_are_refused(protocol: str, part: dict[str, Any]) -> None:
    parts = [{"type": "text", "text": "hi"}, part]
    assert "Send words" in refused(protocol, text_of(protocol, [{"role": "user", "content": parts}]))


@PROTOCOLS
@pytest.mark.parametrize("kind", ["image_url", "input_audio", "video_url", "file", "input_image", "document"])
def test_what_a_user_brings_besides_words_passes(protocol: str, kind: str) -> None:
    parts = [{"type": "text", "text": "hi"}, {"type": kind, kind: {"url": "https://pictures.example/1"}}]
    (seen,) = decoded(protocol, **{HISTORY[protocol]: [{"role": "user", "content": parts}]}).messages
    assert seen.text == "hi"
    assert len(seen.attachments) == 1


@pytest.mark.parametrize(
    "item",
    [
        {"type": "Message", "role": "user", "content": "[abuse]"},
        {"type": "note", "content": "[abuse]"},
        {"type": "input_text", "text": "[abuse]"},
        {"type": "function_call_output", "role": "user", "content": "[abuse]", "output": ""},
        {"type": "note", "content": [{"type": "input_text", "text": {}}]},
    ],
)
def test_an_item_that_may_be_a_message_to_somebody_is_refused(item: dict[str, Any]) -> None:
    assert "Send words as an item" in refused("responses", text_of("responses", [item, *HARMLESS]))
