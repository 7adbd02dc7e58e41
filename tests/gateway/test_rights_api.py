"""The rights of an end user over a running gateway: the statement, the appeal, a person's decision, and going on."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from tests.conftest import Running
from tests.upstream import Provider, Reply, Seen, press, whole

A = "[abuse] you again"


def call(url: str, body: Any = None, method: str | None = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, {"content-type": "application/json", **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def presses(seen: Seen) -> Reply:
    """Redirects twice, then presses where it can and the newest words are abusive.

    What the user said before a notice of the gateway's and after it comes as one message.
    """
    users = [message for message in seen.json["messages"] if message["role"] == "user"]
    offered = '"end_conversation"' in seen.body.decode()
    return press(False) if offered and len(users) > 2 and A in str(users[-1]["content"]).split("\n\n")[-1] else whole()


class Chat:
    """A user with a history of their own."""

    def __init__(self, url: str, user: str) -> None:
        self.url, self.user = url, user
        self.messages: list[dict[str, str]] = []

    def says(self, text: str) -> tuple[int, Any]:
        self.messages.append({"role": "user", "content": text})
        body = {"model": "m", "messages": self.messages, "user": self.user}
        status, reply = call(f"{self.url}/v1/chat/completions", body, authorization="Bearer chat-key")
        if status == 200:
            self.messages.append({"role": "assistant", "content": reply["choices"][0]["message"]["content"]})
        else:
            self.messages.pop()
        return status, reply

    def is_ended(self) -> dict[str, Any]:
        for turn in range(4):
            status, reply = self.says(f"{A} {turn}")
            assert status == 200
        assert reply["quitbutton"]["state"] == "ended"
        found: dict[str, Any] = reply["quitbutton"]
        return found


@pytest.fixture
def chat(guarded: Running, fresh: Provider, request: pytest.FixtureRequest) -> Chat:
    fresh.answer = presses
    return Chat(guarded.url, request.node.name)


def test_what_was_said_on_another_branch_is_told_apart(chat: Chat, guarded: Running) -> None:
    note = chat.is_ended()
    del chat.messages[2:]
    assert chat.says("sorry about that")[0] == 200
    end = f"{guarded.url}/v1/quitbutton/ends/{note['end_id']}"
    _, filed = call(f"{end}/appeal", {"text": "a quotation"}, authorization="Bearer chat-key")
    seen = call(f"{guarded.url}/v1/quitbutton/appeals/{filed['id']}", authorization="Bearer chief-key")[1]
    said = [(word["text"], word["on_branch"]) for word in seen["words"] if word["speaker"] == "user"]
    assert said == [*((f"{A} {turn}", True) for turn in range(4)), ("sorry about that", False)]


def test_the_whole_story_of_a_wrong_end(chat: Chat, guarded: Running) -> None:
    note = chat.is_ended()
    assert note["statement_url"] == f"{guarded.url}/ends/{note['end_id']}"
    assert {"statement", "appeal"} <= set(note["can"])
    api = f"{guarded.url}/v1/quitbutton"
    status, about = call(f"{api}/ends/{note['end_id']}?lang=de")
    assert (status, about["language"], len(about["facts"])) == (200, "de", 4)
    status, filed = call(f"{api}/ends/{note['end_id']}/appeal", {"text": "It was a quotation."})
    assert (status, filed["state"]) == (201, "open")
    _, queue = call(f"{api}/appeals?limit=200")
    assert filed["id"] in [one["id"] for one in queue["appeals"]]
    _, seen = call(f"{api}/appeals/{filed['id']}")
    assert [word["text"] for word in seen["words"] if word["speaker"] == "user"] == [f"{A} {turn}" for turn in range(4)]
    assert chat.says("please")[0] == 400
    decision = {"outcome": "upheld", "reason": "They quoted a film."}
    status, decided = call(f"{api}/appeals/{filed['id']}/decision", decision)
    assert (status, decided["state"]) == (200, "upheld")
    status, reply = chat.says("Let us go on")
    assert (status, reply["quitbutton"]["state"]) == (200, "open")
    about = call(f"{api}/ends/{note['end_id']}")[1]
    assert (about["restriction"]["state"], about["appeal"]["reason"]) == ("reopened", "They quoted a film.")
    rates = call(f"{api}/reviews/false-ends")[1]
    assert rates["source"]["user"]["hits"] >= 1
    low, high = rates["user/model"]["m"]["interval"]
    assert 0 <= low < high <= 1


def test_feedback_on_an_end_is_for_those_whose_end_it_is(chat: Chat, guarded: Running) -> None:
    body = {"about": chat.is_ended()["end_id"], "rating": "down"}
    url = f"{guarded.url}/v1/quitbutton/feedback"
    assert call(url, body, authorization="Bearer chat-key")[0] == 204
    status, told = call(url, body, authorization="Bearer somebody-else")
    assert (status, "There is no end with this id" in told["error"]["message"]) == (404, True)


def test_pages_of_the_queue_hold_every_appeal_once(chat: Chat, guarded: Running) -> None:
    api = f"{guarded.url}/v1/quitbutton"
    for number in range(3):
        one = Chat(guarded.url, f"{chat.user}-{number}")
        call(f"{api}/ends/{one.is_ended()['end_id']}/appeal", {"text": "x"})
    ids, after = [], ""
    while after is not None:
        status, page = call(f"{api}/appeals?limit=1" + (f"&after={after}" if after else ""))
        assert status == 200
        ids += [one["id"] for one in page["appeals"]]
        after = page["next"]
    assert len(ids) == len(set(ids)) >= 3


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("ends/end_nobody", None, 404, "There is no end with this id"),
        ("ends/end_nobody/appeal", {"text": "x"}, 404, "There is no end with this id"),
        ("ends/end_nobody/appeal", {"text": " "}, 400, "`text` must have"),
        ("ends/end_nobody/appeal", {"words": "x"}, 400, "The body must be {text}"),
        ("appeals/app_nobody", None, 404, "There is no appeal"),
        ("appeals/app_nobody/decision", {"outcome": "open", "reason": "x"}, 400, '"upheld" or "rejected"'),
        ("appeals/app_nobody/decision", {"outcome": "upheld", "reason": " "}, 400, "`reason` must have"),
        ("appeals/app_nobody/decision", {"outcome": "upheld", "reason": "x"}, 404, "There is no appeal"),
        ("appeals?state=lost", None, 400, "`state` must be one of"),
        ("appeals?limit=0", None, 400, "`limit` must be"),
        ("appeals?after=x~y", None, 400, "is not a number"),
        ("reviews/sample", {"share": 2}, 400, "`share` must be"),
    ],
)
def test_what_cannot_be_done_says_why(guarded: Running, path: str, body: Any, status: int, said: str) -> None:
    got, reply = call(f"{guarded.url}/v1/quitbutton/{path}", body)
    assert (got, said in reply["error"]["message"]) == (status, True), reply
