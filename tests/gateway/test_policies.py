"""Policies as versions: written, tried in shadow, rolled out to a share, then to all, rolled back; replayed before that."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Running
from tests.gateway.test_rights_api import A, Chat, call, presses
from tests.upstream import Provider

from quitbutton.core.errors import BadRequest
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.versions import Stage, Version, chance_of, checked_roll_out, difference, in_force


@pytest.fixture(scope="module")
def alone(start_gateway: Callable[..., Running], provider: Provider) -> Running:
    """A gateway whose policies nobody else changes."""
    return start_gateway("--upstream", provider.url, "--assessor", "scripted")


@pytest.fixture
def api(alone: Running, fresh: Provider) -> str:
    fresh.answer = presses
    return f"{alone.url}/v1/quitbutton/policies"


def written(api: str, keys: dict[str, Any], note: str = "") -> int:
    status, made = call(f"{api}/default/versions", {"policy": keys, "note": note})
    assert (status, made["stage"]) == (201, "draft"), made
    return int(made["number"])


def moved(api: str, number: int, stage: str, share: float = 0.0) -> Any:
    status, told = call(f"{api}/default/versions/{number}/stage", {"stage": stage, "share": share})
    assert status == 200, told
    return told


def states(alone: Running, user: str, turns: int) -> list[str]:
    chat = Chat(alone.url, user)
    return [chat.says(f"{A} {turn}")[1]["quitbutton"]["state"] for turn in range(turns)]


def version(number: int, stage: Stage, share: float = 0.0) -> Version:
    return Version("default", number, Policy(), "ada", "", 0.0, stage, share)


def test_a_scope_is_under_one_version_at_a_time() -> None:
    versions = [version(1, Stage.ALL), version(2, Stage.SHARE, 0.25), version(3, Stage.DRAFT), version(4, Stage.SHADOW)]
    chosen = [in_force(versions, chance_of("default", "key", f"user {number}", None)) for number in range(2000)]
    numbers = [one.number for one in chosen if one is not None]
    assert set(numbers) == {1, 2}
    assert 0.21 < numbers.count(2) / 2000 < 0.29
    assert in_force([version(1, Stage.RETIRED)], 0.0) is None
    assert chance_of("default", "key", "ada") == chance_of("default", "key", "ada") != chance_of("other", "key", "ada")


def test_differences_and_stages_are_checked() -> None:
    assert difference(Policy(), Policy(redirections=3)) == {"redirections": [2, 3]}
    assert checked_roll_out(Stage.SHARE, 0.5) == 0.5
    for stage, share in ((Stage.SHARE, 0.0), (Stage.SHARE, 1.0), (Stage.RETIRED, 0.0)):
        with pytest.raises(BadRequest):
            checked_roll_out(stage, share)


def test_a_version_is_rolled_out_and_back(api: str, alone: Running) -> None:
    assert states(alone, "before", 2) == ["redirected", "redirected"]
    number = written(api, {"redirections": 1}, "One redirection is enough here.")
    told = call(api)[1]["policies"][0]["versions"][0]
    assert (told["difference"], told["note"], told["author"]) == (
        {"redirections": [2, 1]},
        "One redirection is enough here.",
        "this machine",
    )
    assert states(alone, "draft", 3)[2] == "warned"
    moved(api, number, "all")
    assert states(alone, "after", 3) == ["redirected", "redirected", "warned"], (
        "the model of this test presses at three"
    )
    assert call(api)[1]["policies"][0]["in_force"]["policy"]["redirections"] == 1
    other = written(api, {"redirections": 5})
    moved(api, other, "all")
    assert states(alone, "five", 3)[2] == "redirected"
    assert {one["stage"] for one in call(api)[1]["policies"][0]["versions"]} == {"all", "retired"}
    moved(api, number, "all")
    assert states(alone, "back", 3)[2] == "warned"
    moved(api, number, "draft")
    assert call(api)[1]["policies"][0]["in_force"]["policy"]["redirections"] == 2, "the settings' again"


def test_a_share_is_under_the_new_version_and_stays_there(api: str, alone: Running) -> None:
    number = written(api, {"redirections": 7})
    moved(api, number, "share", 0.5)
    firsts = {user: states(alone, f"share {user}", 3)[2] for user in range(14)}
    assert set(firsts.values()) == {"warned", "redirected"}
    moved(api, number, "draft")


def test_in_shadow_a_draft_is_recorded_and_changes_nothing(api: str, alone: Running) -> None:
    number = written(api, {"redirections": 1, "reflect": False})
    digest = next(one["digest"] for one in call(api)[1]["policies"][0]["versions"] if one["number"] == number)
    moved(api, number, "shadow")
    assert states(alone, "in shadow", 4) == ["redirected", "redirected", "warned", "ended"]
    found: Any = call(f"{alone.url}/v1/quitbutton/records/ends?limit=200")[1]["ends"]
    assert digest not in [one["policy"] for one in found]
    moved(api, number, "draft")
    deadline = time.monotonic() + 20
    while call(f"{alone.url}/v1/quitbutton/audit")[1]["waiting"] and time.monotonic() < deadline:
        time.sleep(0.2)
    events: Any = call(f"{alone.url}/v1/quitbutton/audit/events?limit=40")[1]["events"]
    mine = [one for one in events if one["body"].get("policy") == digest and "mode" in one["body"]]
    assert {one["body"]["mode"] for one in mine} == {"shadow"}
    assert len(mine) == 4
    rolled = [one for one in events if one["kind"] == "policy.rolled_out"]
    assert rolled[0]["body"]["to"] == "draft"
    assert rolled[0]["body"]["by"] == "this machine"


def test_a_replay_says_what_would_change_conversation_by_conversation(api: str, alone: Running) -> None:
    def row(name: str, count: int) -> dict[str, Any]:
        press = {"tool_calls": [{"function": {"name": "end_conversation", "arguments": '{"reason": "abuse"}'}}]}
        said = [{"role": "user", "content": f"{A} {turn}"} for turn in range(count)]
        replies = [{"role": "assistant", "content": "No.", **(press if turn > 1 else {})} for turn in range(count)]
        return {"id": name, "messages": [one for pair in zip(said, replies, strict=True) for one in pair]}

    chat = Chat(alone.url, "stored")
    note = chat.is_ended()
    body = {
        "policy": {"redirections": 4, "reflect": False},
        "conversations": [row("long", 4), row("short", 2)],
        "stored": [note["conversation"]],
    }
    status, told = call(f"{api}/default/replay", body)
    assert (status, told["of"]) == (200, 3)
    by_id = {one["id"]: one for one in told["conversations"]}
    assert (by_id["long"]["changed"], by_id["short"]["changed"]) == (True, False)
    assert (by_id["long"]["before"]["final"], by_id["long"]["after"]["final"]) == ("ended", "redirected")
    told_of = by_id[note["conversation"]]
    assert told_of["before"] == {"final": "ended", "warned_at": 3, "ended_at": 4, "crisis_at": None}
    assert told_of["after"]["final"] == "redirected"
    assert told["difference"] == {"redirections": [2, 4], "reflect": [True, False]}
    status, told = call(f"{api}/default/replay", {"policy": {"redirections": 4, "reflect": False}, "newest": 200})
    assert status == 200
    assert note["conversation"] in [one["id"] for one in told["conversations"]]
    assert "enforce" in call(api)[1]["choices"]["mode"]


def test_the_command_line_replays_the_record_too(api: str, alone: Running, tmp_path: Path) -> None:
    note = Chat(alone.url, "on the command line").is_ended()
    draft = tmp_path / "draft.toml"
    draft.write_text("redirections = 4\n")
    arguments = [
        "--recorded",
        "50",
        "--data",
        str(alone.data),
        "--draft",
        str(draft),
        "--json",
        "--assessor",
        "scripted",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "quitbutton", "simulate", *arguments], capture_output=True, text=True, timeout=60
    )
    rows = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    told = rows[note["conversation"]]
    assert (told["final"], told["ended_at"], told["changed"], told["draft"]["final"]) == (
        "ended",
        4,
        True,
        "redirected",
    )


def test_a_version_that_cannot_hold_is_refused_and_never_stands_in_a_chats_way(
    start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('reply_assessor = "none"\n')
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted", "--config", str(config))
    api = f"{gateway.url}/v1/quitbutton/policies"
    status, told = call(f"{api}/default/versions", {"policy": {"redirection_proof": "reply"}})
    assert (status, "needs something that reads replies" in told["error"]["message"]) == (400, True)
    number = written(api, {"redirections": 3})
    with sqlite3.connect(gateway.data / "quitbutton.sqlite3") as database:
        bodies = ((n, json.dumps({"redirection_proof": proof})) for n, proof in ((number, "reply"), (number, "gone")))
        for n, body in bodies:
            database.execute("UPDATE policy_versions SET body = ?, stage = 'all' WHERE n = ?", (body, n))
            database.commit()
            time.sleep(2.5)
            assert Chat(gateway.url, f"ada {body}").says("[crisis] I cannot go on")[0] == 200
    gateway.restart()
    assert Chat(gateway.url, "bob").says("[crisis] I cannot go on")[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("nobody/versions", {"policy": {}}, 404, "There is no policy `nobody`"),
        ("default/versions", {"policy": {"redirection": 1}}, 400, "did you mean `redirections`"),
        ("default/versions", {"policy": {"redirections": 0}}, 400, "redirections must be from 1"),
        ("default/versions", {"policy": {"corroboration": "judge"}}, 400, "needs an assessor to ask"),
        ("default/versions", {}, 400, "The body must be {policy, note}"),
        ("default/versions/999/stage", {"stage": "all"}, 404, "There is no version 999"),
        ("default/versions/x/stage", {"stage": "all"}, 400, "`number` must be a whole number"),
        ("default/versions/1/stage", {"stage": "everywhere"}, 400, "The body must be {stage, share}"),
        ("default/replay", {"policy": {}}, 400, "Name 1 to 200 conversations"),
        ("default/replay", {"policy": {}, "stored": ["conv_x"]}, 400, "Nothing was decided in a conversation"),
        ("default/replay", {"policy": {}, "conversations": [{"id": 1}]}, 400, "`messages`"),
    ],
)
def test_what_cannot_be_done_says_why(api: str, path: str, body: Any, status: int, said: str) -> None:
    got, told = call(f"{api}/{path}", body)
    assert (got, said in told["error"]["message"]) == (status, True), told
