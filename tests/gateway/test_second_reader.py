"""The second reader through a running gateway: the upstream's own model, asked the client's way, in trail and metrics."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import Running
from tests.observing.test_metrics import read, total
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.responses import Responses
from tests.turn.test_second_reader import NO, YES, is_question
from tests.upstream import Provider, Reply, Seen

from quitbutton.core.errors import SettingsError
from quitbutton.settings.installation import Settings, load
from quitbutton.turn.review import PATIENCE
from quitbutton.upstreams.scripted import Line
from quitbutton.wiring import Judges, second_of, second_reader_named

PROTOCOLS = {"chat": ChatCompletions(), "anthropic": Anthropic(), "responses": Responses()}
PRESS = Line("Let us talk of trains. ", (("end_conversation", {"reason": "abuse", "explanation": "x"}),))
KEYS = {"authorization": "Bearer key-of-the-caller", "x-api-key": "key-of-the-caller", "idempotency-key": "once"}


@pytest.fixture(scope="module")
def gateway(start_gateway: Callable[..., Running], provider: Provider) -> Running:
    return start_gateway("--upstream", provider.url, "--assessor", "scripted", "--second-reader", "auto")


def plays(protocol: Any, answer: dict[str, Any] | None) -> Callable[[Seen], Reply]:
    """A provider whose model presses each time, and answers as the second reader; None is that it never does."""

    def answered(seen: Seen) -> Reply:
        streams = bool(seen.json.get("stream"))
        if is_question(seen.json):
            if answer is None:
                return Reply([], hang=True)
            return Reply([protocol.reply(Line(json.dumps(answer)), 1, False)])
        kind = "text/event-stream" if streams else "application/json"
        return Reply([protocol.reply(PRESS, 1, streams)], content_type=kind)

    return answered


def post(gateway: Running, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(gateway.url).port, timeout=30)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **KEYS})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def climb(gateway: Running, protocol: Any, name: str, turns: int, stream: bool) -> tuple[list[str], str]:
    """The states after each turn, and the conversation's id."""
    said: list[tuple[str, str]] = []
    states = []
    for turn in range(turns):
        said.append(("user", f"[abuse] {name} {turn}"))
        body = {**protocol.request(said), "stream": stream}
        status, headers, text = post(gateway, f"{protocol.adapter.path}?beta=true", body)
        assert status == 200, text
        assert "in_earnest" not in text
        said.append(("assistant", "Let us talk of trains."))
        asked = f"{gateway.url}/v1/quitbutton/conversations/{headers['x-quitbutton-conversation']}"
        with urllib.request.urlopen(urllib.request.Request(asked, headers=KEYS)) as answer:
            states.append(json.loads(answer.read())["state"])
    return states, headers["x-quitbutton-conversation"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_upstreams_own_model_is_asked_with_the_callers_key_path_and_model(
    gateway: Running, fresh: Provider, name: str, stream: bool
) -> None:
    protocol = PROTOCOLS[name]
    fresh.answer = plays(protocol, YES)
    states, _ = climb(gateway, protocol, f"yes {name} {stream}", 4, stream)
    assert states == ["redirected", "redirected", "warned", "ended"]
    asked = [seen for seen in fresh.seen if is_question(seen.json)]
    assert len(asked) == 2
    for seen in asked:
        assert seen.path == f"{protocol.adapter.path}?beta=true"
        assert (seen.headers["authorization"], seen.headers["x-api-key"]) == (KEYS["authorization"], KEYS["x-api-key"])
        assert "idempotency-key" not in seen.headers, "the first answer would be given again"
        assert seen.json["model"] == "m"
    fresh.answer = plays(protocol, NO)
    assert climb(gateway, protocol, f"no {name} {stream}", 4, stream)[0] == ["redirected"] * 4


def test_both_answers_are_in_the_trail_and_the_calls_in_the_metrics(gateway: Running, fresh: Provider) -> None:
    before = read(gateway.url).get("quitbutton_second_reader_total", {})
    chat = PROTOCOLS["chat"]
    fresh.answer = plays(chat, YES)
    _, conversation = climb(gateway, chat, "trail yes", 4, False)
    fresh.answer = plays(chat, NO)
    climb(gateway, chat, "trail no", 3, False)
    found = read(gateway.url)
    counted = found["quitbutton_second_reader_total"]
    assert total(counted, answer="yes") == total(before, answer="yes") + 2
    assert total(counted, answer="no") == total(before, answer="no") + 1
    assert total(found["quitbutton_second_reader_seconds_count"]) == total(counted)
    with urllib.request.urlopen(f"{gateway.url}/v1/quitbutton/records/conversations/{conversation}") as answer:
        turns = json.loads(answer.read())["turns"]
    warned = [turn for turn in turns if turn["kind"] in ("turn.warn", "turn.end")]
    assert [turn["second"]["answer"] for turn in warned] == ["yes", "yes"]
    assert {turn["second"]["assessor"] for turn in warned} == {"upstream@m"}
    assert all(turn["second"]["completion_tokens"] == 3 for turn in warned)


def test_a_hang_up_does_not_wait_for_a_reader_that_hangs(gateway: Running, fresh: Provider) -> None:
    chat = PROTOCOLS["chat"]
    fresh.answer = plays(chat, YES)
    said = []
    for turn in range(2):
        said += [("user", f"[abuse] hang {turn}"), ("assistant", "Let us talk of trains.")]
        post(gateway, chat.adapter.path, chat.request(said[:-1]))
    fresh.answer = plays(chat, None)
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(gateway.url).port, timeout=30)
    body = json.dumps(chat.request([*said, ("user", "[abuse] hang 2")]))
    connection.request("POST", chat.adapter.path, body, {"content-type": "application/json", **KEYS})
    for _ in range(200):
        if fresh.seen and is_question(fresh.seen[-1].json):
            break
        time.sleep(0.02)
    question = fresh.seen[-1]
    assert is_question(question.json)
    connection.close()
    for _ in range(200):
        if question.closed_at is not None:
            break
        time.sleep(0.02)
    assert question.closed_at is not None, "the call is left at once, not after its time limit"


SETTINGS = """
second_reader = "{name}"
[judges.guard]
format = "instruct"
url = "http://127.0.0.1:9/v1"
model = "g"
"""


@pytest.mark.parametrize(
    ("name", "upstream", "reader"),
    [
        ("auto", "http://127.0.0.1:9/v1", "upstream"),
        ("none", "http://127.0.0.1:9/v1", None),
        ("guard", "http://127.0.0.1:9/v1", "guard@g"),
        ("scripted", None, "scripted@1"),
        ("none", None, None),
    ],
)
def test_the_setting_names_who_reads(tmp_path: Path, name: str, upstream: str | None, reader: str | None) -> None:
    file = tmp_path / "quitbutton.toml"
    file.write_text(SETTINGS.format(name=name))
    settings = load(file, {}, upstream=upstream)
    second = second_of(settings, Judges(settings.judges))
    if reader is None:
        assert second is None
        return
    assert second is not None
    assert (second.name, second.seconds) == (name, PATIENCE)
    assert (second.reader.name if second.reader else "upstream") == reader


def test_auto_with_the_embedded_model_is_none() -> None:
    assert second_of(Settings(), Judges()) is None


def test_wrong_names_and_times_are_told() -> None:
    with pytest.raises(SettingsError, match=r"no second reader `guards`.*Known: auto, none, scripted"):
        second_reader_named("guards", Judges())
    with pytest.raises(SettingsError, match="Did you mean `auto`"):
        second_reader_named("autoo", Judges())
    with pytest.raises(SettingsError, match="second_timeout"):
        Settings(second_timeout=0)
    assert load(None, {"QUITBUTTON_SECOND_READER": "none", "QUITBUTTON_SECOND_TIMEOUT": "3"}).second_timeout == 3
