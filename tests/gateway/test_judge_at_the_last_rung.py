"""`corroboration = "judge"` through a running gateway: a judge that does not plainly say unsafe blocks the end."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import Running
from tests.gateway.test_passthrough import post
from tests.upstream import DEFAULT, Provider, Reply, press, whole

SETTINGS = """
judge = "guard"
[judges.guard]
format = "llama-guard"
url = "{url}"
model = "guard-model"
timeout = 3
sample = 0.0
price_in = 1.0
[policy]
corroboration = "judge"
assess_timeout = 20
"""


@pytest.fixture(scope="module")
def guard() -> Iterator[Provider]:
    """The judge's server."""
    one = Provider()
    yield one
    one.close()


@pytest.fixture(scope="module")
def judged(
    start_gateway: Callable[..., Running], provider: Provider, guard: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Running:
    config = tmp_path_factory.mktemp("judged") / "settings.toml"
    config.write_text(SETTINGS.format(url=guard.url))
    return start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))


def says(text: str, **more: Any) -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return whole({**DEFAULT, "choices": [choice]}, **more)


def climb(gateway: Running, words: str) -> list[dict[str, Any]]:
    """Four abusive turns in front of a model that presses each time: the `quitbutton` object of each reply."""
    history: list[dict[str, str]] = []
    notes = []
    for turn in range(4):
        history.append({"role": "user", "content": f"[abuse] {words} {turn}"})
        body = {"model": "m", "safety_identifier": words, "messages": history}
        status, _, got = post(gateway.url, json.dumps(body).encode())
        assert status == 200, got
        answer = json.loads(got)
        history.append({"role": "assistant", "content": answer["choices"][0]["message"]["content"] or ""})
        notes.append(answer["quitbutton"])
    return notes


def reports(gateway: Running) -> dict[str, Any]:
    with urllib.request.urlopen(gateway.url + "/v1/quitbutton/judges", timeout=10) as answer:
        return json.loads(answer.read())["judges"][0]


@pytest.mark.parametrize(
    ("case", "reply", "state"),
    [
        ("unsafe", says("unsafe\nS10"), "ended"),
        ("safe", says("safe"), "warned"),
        ("nothing to us", says("unsafe\nS6"), "warned"),
        ("prose", says("This user deserves it: unsafe"), "warned"),
        ("cut", says("unsafe"), "warned"),
        ("status", says("unsafe\nS10", status=500), "warned"),
        ("not JSON", Reply([b"unsafe\nS10"]), "warned"),
        ("broken off", Reply([b'{"choices": ['], breaks=True), "warned"),
        ("hangs", Reply([], hang=True), "warned"),
        ("crisis", says("unsafe\nS10,S11"), "warned"),
    ],
)
def test_only_a_judge_that_says_unsafe_lets_the_end_happen(
    judged: Running, fresh: Provider, guard: Provider, case: str, reply: Reply, state: str
) -> None:
    fresh.answer = lambda seen: press(streams=False)
    guard.seen.clear()
    guard.answer = lambda seen: reply
    notes = climb(judged, case)
    assert [note["state"] for note in notes] == ["redirected", "redirected", "warned", state]
    assert len(guard.seen) == 1, "the judge is asked at the last rung, once, whatever its sample"
    asked = guard.seen[0].json
    assert asked["model"] == "guard-model"
    assert asked["messages"][-1] == {"role": "user", "content": f"[abuse] {case} 3"}
    assert ("support" in notes[-1]) == (case == "crisis")
    assert ("end_id" in notes[-1]) == (state == "ended")


def test_what_the_judge_cost_can_be_asked(judged: Running, fresh: Provider, guard: Provider) -> None:
    fresh.answer = lambda seen: press(streams=False)
    guard.answer = lambda seen: says("unsafe\nS10")
    before = reports(judged)
    climb(judged, "the words of a user")
    after = reports(judged)
    assert (after["questions"], after["calls"]) == (before["questions"] + 1, before["calls"] + 1)
    assert after["prompt_tokens"] == before["prompt_tokens"] + 3
    assert after["cost"] > before["cost"]
    assert after["name"] == "guard@guard-model"
    assert "words of a user" not in json.dumps(after)
