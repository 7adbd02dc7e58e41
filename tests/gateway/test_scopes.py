"""One key's conversations, ends and receipts are nobody else's: not to be seen, and not to be locked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.gateway.inside import CHAT, OPERATOR, OTHER, Inside, inside, keyed

from quitbutton.upstreams.scripted import Line, ScriptedUpstream, press

API = "/v1/quitbutton"
NAMED = {"x_quitbutton_conversation": "chat-1", "x_quitbutton_end_user": "user-1"}


def model() -> ScriptedUpstream:
    """A model that presses at every abuse."""

    def line(sent: dict[str, Any]) -> Line:
        newest = [message["content"] for message in sent["messages"] if message["role"] == "user"][-1]
        return press() if newest.startswith("[abuse]") else Line("No.")

    return ScriptedUpstream(line)


async def climb(gateway: Inside, key: str, turns: int = 5) -> list[Any]:
    """The replies to a conversation that gets worse and worse; it ends at the fourth message."""
    messages: list[dict[str, str]] = []
    replies = []
    for turn in range(turns):
        messages.append({"role": "user", "content": f"[abuse] {turn}"})
        reply = await gateway.ask("POST", "/v1/chat/completions", {"model": "m", "messages": messages}, key, **NAMED)
        replies.append(reply)
        if reply.status_code == 200:
            messages.append({"role": "assistant", "content": reply.json()["choices"][0]["message"]["content"]})
    return replies


def test_the_same_words_and_ids_under_another_key_are_another_conversation(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        *_, ending, refused = await climb(gateway, CHAT)
        assert (ending.json()["quitbutton"]["state"], refused.status_code) == ("ended", 400)
        mine = ending.json()["quitbutton"]
        first, *_ = await climb(gateway, OTHER, turns=1)
        theirs = first.json()["quitbutton"]
        assert theirs["state"] == "redirected"
        assert theirs["conversation"] != mine["conversation"]
        moved = {"x_quitbutton_conversation": mine["conversation"]}
        hello = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        claimed = await gateway.ask("POST", "/v1/chat/completions", hello, OTHER, **moved)
        assert claimed.json()["quitbutton"]["state"] == "open", "another key's id locks nothing here"
        seen = await gateway.ask("GET", f"{API}/conversations/{mine['conversation']}", key=CHAT)
        assert seen.json()["ends"][0]["end_id"] == mine["end_id"]
        for key in (OTHER, OPERATOR):
            hidden = await gateway.ask("GET", f"{API}/conversations/{mine['conversation']}", key=key)
            assert hidden.status_code in (403, 404)
            assert mine["end_id"] not in hidden.text

    inside(keyed(tmp_path), scene, upstream=model())


def test_receipts_are_for_the_key_whose_request_it_was(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        reply, *_ = await climb(gateway, CHAT, turns=1)
        request_id = reply.headers["x-quitbutton-request-id"]
        assert (await gateway.ask("POST", f"{API}/stop/{request_id}", key=CHAT)).status_code == 200
        other = await gateway.ask("POST", f"{API}/stop/{request_id}", key=OTHER)
        none = await gateway.ask("POST", f"{API}/stop/req_none", key=OTHER)
        assert (other.status_code, other.text) == (404, none.text), "as if it did not exist"

    inside(keyed(tmp_path), scene, upstream=model())


def test_ids_cannot_be_guessed(tmp_path: Path) -> None:
    """At least 128 random bits in every id that opens something to whoever holds it."""

    async def scene(gateway: Inside) -> None:
        replies = await climb(gateway, CHAT) + await climb(gateway, OTHER)
        requests = [reply.headers["x-quitbutton-request-id"] for reply in replies if reply.status_code == 200]
        ends = {end for reply in replies if (end := reply.headers.get("x-quitbutton-end-id"))}
        assert len(set(requests)) == len(requests) == 8
        assert len(ends) == 2, "the same end on every repeat"
        for one in (*requests, *ends):
            assert re.fullmatch(r"req_[0-9a-f]{11}[\w-]{22}|end_[\w-]{24}", one), "a request's begins with its time"
        cookies = [(await gateway.sign_in(OPERATOR))["cookie"].partition("=")[2] for _ in range(3)]
        secrets = [(await gateway.make(str(place), "chat"))["secret"] for place in range(3)]
        assert len({*cookies, *secrets}) == 6
        assert all(len(one) >= 43 for one in (*cookies, *secrets))

    inside(keyed(tmp_path), scene, upstream=model())
