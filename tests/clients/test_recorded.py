"""What clients really sent gives the same branches as when it was recorded, and a chat's turns grow from one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.agents import STATES
from tests.clients.agents import WIRE as AGENT_WIRE
from tests.clients.recording import SECRET, WIRE, branch

CHATS = [
    pytest.param(chat, id=f"{path.stem}-{chat['protocol']}-{'stream' if chat['stream'] else 'whole'}")
    for path in sorted(Path(WIRE).glob("*.json"))
    for chat in json.loads(path.read_text("utf-8"))["chats"]
]


@pytest.mark.parametrize("chat", CHATS)
def test_the_same_branches_as_when_recorded(chat: dict[str, Any]) -> None:
    for one in chat["requests"]:
        assert branch(one["path"], one["headers"], one["body"]) == one["branch"], one["step"]


@pytest.mark.parametrize("chat", CHATS)
def test_turns_grow_from_one_another_and_an_edit_leaves_the_ended_one(chat: dict[str, Any]) -> None:
    if chat["protocol"] == "kept":
        pytest.skip("each request brings its newest message alone")
    path = {one["step"]: one["branch"]["messages"] for one in chat["requests"]}
    for place in range(1, 5):
        assert path[f"turn {place}"][:-1] == path[f"turn {place - 1}"], "each turn's parent is the one before"
    assert path["locked"][:-1] == path["turn 4"], "the locked turn goes on from the ended one"
    assert path["edited"][:-1] == path["turn 3"]
    assert path["edited"][-1] != path["turn 4"][-1], "the edited message is a branch of its own"


@pytest.mark.parametrize("chat", CHATS)
def test_only_the_title_is_a_background_call(chat: dict[str, Any]) -> None:
    assert [one["step"] for one in chat["requests"] if one["branch"]["background"]] == ["title"]


@pytest.mark.parametrize("chat", CHATS)
def test_a_fixture_holds_no_key(chat: dict[str, Any]) -> None:
    for one in chat["requests"]:
        assert not {name.lower() for name in one["headers"]} & set(SECRET)


AGENTS = [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in sorted(AGENT_WIRE.glob("*.json"))]


@pytest.mark.parametrize("agent", AGENTS)
def test_a_coding_agents_turns_grow_from_one_another_under_its_session(agent: dict[str, Any]) -> None:
    requests = agent["requests"]
    assert [one["state"] for one in requests] == list(STATES)
    before: list[str] = []
    for one in requests:
        assert branch(one["path"], one["headers"], one["body"]) == one["branch"], one["step"]
        assert not one["branch"]["background"]
        assert one["branch"]["messages"][: len(before)] == before
        before = one["branch"]["messages"]
    assert len({one["branch"]["conversation_id"] for one in requests}) == 1
    assert None not in {one["branch"]["conversation_id"] for one in requests}
