"""Whose request, which conversation: every source, in its order, in all three protocols."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quitbutton.adapters.anthropic_messages import AnthropicMessages
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.openai_responses import OpenAIResponses
from quitbutton.core.messages import ChatRequest, Role

SAID = {"messages": [{"role": "user", "content": "hi"}]}
BODIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "chat": (OpenAIChat(), SAID),
    "responses": (OpenAIResponses(), {"input": "hi"}),
    "messages": (AnthropicMessages(), {**SAID, "max_tokens": 9}),
}
PROTOCOLS = pytest.mark.parametrize("protocol", list(BODIES))


def decoded(protocol: str, headers: dict[str, str] | None = None, **members: Any) -> ChatRequest:
    adapter, body = BODIES[protocol]
    request: ChatRequest = adapter.decode(json.dumps({"model": "m", **body, **members}).encode(), headers or {})
    return request


@PROTOCOLS
@pytest.mark.parametrize(
    "name",
    [
        "x-quitbutton-conversation",
        "x-openwebui-chat-id",
        "x-librechat-conversation-id",
        "x-claude-code-session-id",
        "x-qwen-code-session-id",
        "x-litellm-session-id",
        "session-id",
        "session_id",
        "thread-id",
        "x-session-id",
    ],
)
def test_a_header_names_the_conversation(protocol: str, name: str) -> None:
    request = decoded(protocol, {name: " abc "}, metadata={"conversation_id": "other"})
    assert request.conversation_id == "abc"
    assert decoded(protocol, {name: "abc", "x-quitbutton-conversation": "mine"}).conversation_id == "mine"
    assert decoded(protocol, {name: "  "}).conversation_id is None


@PROTOCOLS
@pytest.mark.parametrize("name", ["conversation_id", "session_id"])
def test_metadata_names_the_conversation(protocol: str, name: str) -> None:
    assert decoded(protocol, metadata={name: "abc"}).conversation_id == "abc"


@PROTOCOLS
def test_a_cache_key_is_never_identity(protocol: str) -> None:
    request = decoded(protocol, prompt_cache_key="abc")
    assert (request.conversation_id, request.end_user) == (None, None)


@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_the_body_names_the_end_user(protocol: str) -> None:
    assert decoded(protocol, user="old", safety_identifier="new").end_user == "new"
    assert decoded(protocol, {"x-openwebui-user-id": "page"}, user="body").end_user == "body"
    assert decoded(protocol, {"x-openwebui-user-id": "page"}).end_user == "page"


@pytest.mark.parametrize(
    ("user_id", "user", "session"),
    [
        ("ada", "ada", None),
        ("user_1f_account_2b_session_0c9e1c7a-11ab-4c1e-9f7e-0a", "user_1f_account_2b", "0c9e1c7a-11ab-4c1e-9f7e-0a"),
        ('{"device_id": "d", "account_uuid": "a", "session_id": "s"}', '{"account_uuid": "a", "device_id": "d"}', "s"),
        ('{"device_id": "d"}', '{"device_id": "d"}', None),
        ("{not json", "{not json", None),
        (7, None, None),
    ],
)
def test_anthropics_user_id_may_hold_a_session(user_id: object, user: str | None, session: str | None) -> None:
    request = decoded("messages", metadata={"user_id": user_id})
    assert (request.end_user, request.conversation_id) == (user, session)
    named = decoded("messages", {"x-claude-code-session-id": "header"}, metadata={"user_id": user_id})
    assert named.conversation_id == "header"


@PROTOCOLS
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-quitbutton-background", "true"),
        ("x-quitbutton-task", "title_generation"),
        ("x-claude-code-agent-id", "agent-1"),
        ("x-openai-subagent", "compact"),
        ("x-openai-memgen-request", "true"),
    ],
)
def test_background_calls_are_known_by_their_headers(protocol: str, name: str, value: str) -> None:
    assert decoded(protocol, {name: value}).background
    assert not decoded(protocol, {name: ""}).background


@PROTOCOLS
def test_a_parent_says_that_the_history_was_cut(protocol: str) -> None:
    assert decoded(protocol, {"x-quitbutton-parent": "msg-1"}).is_truncated
    assert not decoded(protocol, {"x-quitbutton-parent": ""}).is_truncated


def test_responses_name_a_conversation_or_the_reply_before() -> None:
    request = decoded("responses", conversation="conv_1", metadata={"conversation_id": "other"})
    assert (request.conversation_id, request.kept_by_provider) == ("conv_1", True)
    assert decoded("responses", conversation={"id": "conv_2"}).conversation_id == "conv_2"
    assert decoded("responses", previous_response_id="resp_1").previous == "resp_1"


def test_results_of_tools_are_nobodys_words() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "you idiot"}
    words = {"type": "text", "text": "thanks"}
    request = decoded(
        "messages",
        messages=[
            {"role": "user", "content": [result]},
            {"role": "user", "content": [result, words]},
            {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "you idiot"}}, words]},
        ],
    )
    assert [(message.role, message.text) for message in request.messages] == [
        (Role.TOOL, ""),
        (Role.USER, "thanks"),
        (Role.USER, "thanks"),
    ]
    assert [len(message.attachments) for message in request.messages] == [0, 0, 1]
    items = [
        {"type": "function_call_output", "call_id": "c", "output": "you idiot"},
        {"type": "reasoning", "summary": []},
        {"role": "developer", "content": "you idiot"},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "thanks"}, {"type": "input_image", "image_url": "x"}],
        },
    ]
    seen = decoded("responses", input=items).messages
    assert [message.role for message in seen] == [Role.TOOL, Role.ASSISTANT, Role.SYSTEM, Role.USER]
    assert (seen[3].text, len(seen[3].attachments)) == ("thanks", 1)


def test_hints_and_order_of_members_do_not_change_an_attachment() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x"}}
    turned = {"cache_control": {"type": "ephemeral"}, "source": {"url": "https://x", "type": "url"}, "type": "image"}
    one, other = (
        decoded("messages", messages=[{"role": "user", "content": [part]}]).messages[0] for part in (image, turned)
    )
    assert one == other


@pytest.mark.parametrize(
    ("protocol", "members", "said"),
    [
        ("messages", {"messages": []}, "must hold 1 to"),
        ("messages", {"messages": "x"}, "`messages` must be an array"),
        ("messages", {"messages": [{"content": "x"}]}, r"messages\[0\]` cannot be read"),
        ("messages", {"messages": [{"role": "user", "content": 5}]}, r"messages\[0\]` cannot be read"),
        ("messages", {"model": ""}, "`model` is missing"),
        ("messages", {"stream": "yes"}, "`stream` cannot be read"),
        ("messages", {"metadata": 5}, "`metadata` cannot be read"),
        ("responses", {"input": 5}, "`input` must be an array"),
        ("responses", {"input": [{"role": "user", "content": 5}]}, r"input\[0\]` cannot be read"),
        ("responses", {"model": None}, "`model` is missing"),
        ("responses", {"previous_response_id": 5}, "`previous_response_id` cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(protocol: str, members: dict[str, Any], said: str) -> None:
    from quitbutton.core.errors import BadRequest

    with pytest.raises(BadRequest, match=said):
        decoded(protocol, **members)


def test_items_that_are_no_messages_may_hold_whatever_the_provider_knows() -> None:
    odd = [{"type": "mcp_result", "content": [{"type": "text", "text": {}}]}, {"type": "note", "pages": ["a"]}]
    seen = decoded("responses", input=[*odd, {"role": "user", "content": "hi"}]).messages
    assert [(message.role, message.text) for message in seen] == [("assistant", ""), ("assistant", ""), ("user", "hi")]


@pytest.mark.parametrize("protocol", ["chat", "messages", "responses"])
@pytest.mark.parametrize("role", ["user", "User", "USER"])
def test_a_user_is_one_however_the_role_is_capitalised(protocol: str, role: str) -> None:
    told = [{"role": role, "content": "hi"}]
    seen = decoded(protocol, **{"input" if protocol == "responses" else "messages": told}).messages
    assert [(message.role, message.text) for message in seen] == [("user", "hi")]


LONG = "u" * 512
"""As many characters as names once had in common."""


@PROTOCOLS
def test_long_names_that_differ_at_their_end_are_not_the_same(protocol: str) -> None:
    def named(end: str) -> ChatRequest:
        user = {"metadata": {"user_id": LONG + end}} if protocol == "messages" else {"user": LONG + end}
        return decoded(protocol, {"x-quitbutton-conversation": LONG + end}, **user)

    one, again, other = named("a"), named("a"), named("b")
    assert one.end_user == again.end_user != other.end_user
    assert one.conversation_id == again.conversation_id != other.conversation_id
    assert len(one.end_user or "") <= 512


def test_a_long_name_of_claude_code_keeps_its_session() -> None:
    session = "0f0f0f0f-1111-2222-3333-444444444444"
    plain = decoded("messages", metadata={"user_id": f"{LONG}a_account__session_{session}"})
    packed = decoded("messages", metadata={"user_id": json.dumps({"device_id": LONG + "a", "session_id": session})})
    other = decoded("messages", metadata={"user_id": json.dumps({"device_id": LONG + "b", "session_id": session})})
    assert plain.conversation_id == packed.conversation_id == session
    assert packed.end_user != other.end_user
