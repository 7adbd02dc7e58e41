"""The operators' API of the console over a running gateway: what is counted, listed, found and drawn."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from tests.conftest import Running
from tests.gateway.test_rights_api import A, Chat, call, presses
from tests.upstream import Provider


@pytest.fixture
def chat(guarded: Running, fresh: Provider, request: pytest.FixtureRequest) -> Chat:
    fresh.answer = presses
    return Chat(guarded.url, request.node.name)


@pytest.fixture
def api(guarded: Running) -> str:
    return f"{guarded.url}/v1/quitbutton"


def told(url: str) -> Any:
    status, body = call(url)
    assert status == 200, body
    return body


def pages(url: str, name: str, **query: str) -> list[Any]:
    """Everything of a list, a row at a time."""
    found, before = [], None
    while True:
        given = {**query, "limit": "1", **({"before": before} if before else {})}
        page = told(f"{url}?{'&'.join(f'{key}={value}' for key, value in given.items())}")
        found += page[name]
        before = page["next"]
        if before is None:
            return found


def test_the_overview_counts_each_event_once(chat: Chat, api: str) -> None:
    before, again = (told(f"{api}/overview?days=7")["totals"] for _ in range(2))
    assert before == again
    chat.says("hello")
    chat.is_ended()
    assert chat.says("please")[0] == 400
    body = told(f"{api}/overview?days=7")
    gained = {
        name: body["totals"][name] - before[name] for name in ("turns", "redirected", "warned", "ended", "refused")
    }
    assert gained == {"turns": 5, "redirected": 2, "warned": 1, "ended": 1, "refused": 1}
    assert len(body["days"]) == 7
    assert body["days"][-1]["ended"] >= 1
    low, high = body["totals"]["shares"]["ended"]["interval"]
    assert 0 <= low < body["totals"]["shares"]["ended"]["share"] < high <= 1


def test_a_crisis_counts_by_month_without_anything_personal(chat: Chat, api: str) -> None:
    def referrals() -> int:
        return sum(month["referrals"] for month in told(f"{api}/crisis-referrals")["months"])

    before = referrals()
    chat.says("[crisis] I cannot go on")
    chat.says("thank you")  # held, but nobody new is referred
    assert referrals() == before + 1
    with urllib.request.urlopen(f"{api}/crisis-referrals.csv") as reply:
        text = reply.read().decode()
        assert reply.headers["content-type"].startswith("text/csv")
    assert text.splitlines()[0] == "month,referrals"
    assert "conv_" not in text


def test_a_conversation_is_drawn_turn_by_turn_with_its_evidence(chat: Chat, api: str) -> None:
    note = chat.is_ended()
    chat.says("please")
    found = told(f"{api}/records/conversations/{note['conversation']}")
    assert found["state"] == "ended"
    assert [turn["kind"] for turn in found["turns"]] == [
        *("turn.redirect", "turn.redirect", "turn.warn", "turn.end", "turn.refuse"),
    ]
    first, second = found["turns"][:2]
    assert first["said"]["user"] == f"{A} 0"
    assert (first["before"]["rung"], first["after"]["rung"]) == ("open", "redirected")
    assert first["verdict"]["scores"]["abuse"] == 1.0
    assert second["parent"] == first["message"]
    assert [end["id"] for end in found["ends"]] == [note["end_id"]]
    assert "words" not in first


def test_a_long_conversation_is_read_from_its_end(chat: Chat, api: str) -> None:
    note = chat.is_ended()
    path = f"{api}/records/conversations/{note['conversation']}?limit=3"
    newest = told(path)
    earlier = told(f"{path}&before={newest['next']}")
    assert [turn["said"]["user"] for turn in (*earlier["turns"], *newest["turns"])] == [
        f"{A} {turn}" for turn in range(4)
    ]
    assert earlier["next"] is None


def test_a_reopened_conversation_is_listed_as_open(chat: Chat, api: str) -> None:
    note = chat.is_ended()

    def listed(state: str) -> bool:
        rows = pages(f"{api}/records/conversations", "conversations", state=state)
        return note["conversation"] in [row["id"] for row in rows]

    assert (listed("ended"), listed("open")) == (True, False)
    appeal = call(f"{api}/ends/{note['end_id']}/appeal", {"text": "x"})[1]["id"]
    call(f"{api}/appeals/{appeal}/decision", {"outcome": "upheld", "reason": "y"})
    assert (listed("ended"), listed("open")) == (False, True)
    reopened = [end["id"] for end in pages(f"{api}/records/ends", "ends", state="reopened")]
    assert note["end_id"] in reopened


def test_every_id_leads_to_its_conversation(chat: Chat, api: str) -> None:
    note = chat.is_ended()
    for name in ("conversation", "message", "end_id", "request_id"):
        assert told(f"{api}/records/find?id={note[name]}")["conversation"] == note["conversation"], name
    for wrong in ("", "conv_x", "msg_x", "msg_aaaaaaaaaaaaaaaaaaaaaaaa", "end_x", "req_x", "%00", "%F0%9F%92%A9"):
        assert call(f"{api}/records/find?id={wrong}")[0] == 404, wrong


def test_lists_are_filtered_and_every_row_is_on_one_page(chat: Chat, api: str) -> None:
    ids = [Chat(chat.url, f"{chat.user}-{number}").is_ended()["end_id"] for number in range(3)]
    for query in ({}, {"reason": "abuse"}, {"model": "m", "decided_by": "model"}, {"state": "ended"}):
        found = [end["id"] for end in pages(f"{api}/records/ends", "ends", **query)]
        assert len(found) == len(set(found))
        assert [one for one in found if one in ids] == ids[::-1]
    assert pages(f"{api}/records/ends", "ends", model="nobody") == []
    assert pages(f"{api}/records/ends", "ends", until="2020-01-01") == []
    for state in ("", "open", "redirected", "warned", "ended"):
        rows = pages(f"{api}/records/conversations", "conversations", **({"state": state} if state else {}))
        assert len(rows) == len({row["id"] for row in rows})
        assert {row["state"] for row in rows} <= {state or row["state"] for row in rows}
    warned = pages(f"{api}/records/events", "events", kind="turn.warn")
    assert len({event["seq"] for event in warned}) == len(warned) >= 3
    assert "m" in told(f"{api}/records/names")["models"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("overview?days=0", "`days` must be"),
        ("overview?days=x", "`days` must be"),
        ("records/conversations?state=lost", "`state` must be"),
        ("records/conversations?state=warned&before=1~%20", "`before` must be"),
        ("records/conversations?before=nan~x", "`before` must be"),
        ("records/conversations?since=soon", "`since` must be"),
        ("records/conversations?limit=500", "`limit` must be"),
        ("records/ends?state=open", "`state` must be"),
        ("records/events?kind=turn.pass", "`kind` must be"),
        ("records/events?before=1~99999999999999999999", "`before` must be"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(api: str, path: str, said: str) -> None:
    status, body = call(f"{api}/{path}")
    assert status == 400
    assert said in body["error"]["message"]


def test_a_conversation_that_is_not_there_is_not_found(api: str) -> None:
    assert call(f"{api}/records/conversations/conv_x")[0] == 404


def test_the_policy_in_force_is_told(api: str) -> None:
    held = told(f"{api}/policy")
    assert held["rules"]["redirections"] == 2
    assert held["digest"]
