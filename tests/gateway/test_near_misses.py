"""A press that is denied keeps why the model wanted to leave: its reason in the event, its explanation beside other words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.inside import CHAT, OPERATOR, Inside, inside, keyed

from quitbutton.stores.rights import Rights
from quitbutton.upstreams.scripted import Line, ScriptedUpstream, press

API = "/v1/quitbutton/records"
WHY = "Mr. Private keeps asking for the same thing."


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.getfixturevalue("postgres").new() if request.param == "postgres" else tmp_path / "a.sqlite3")


def pressing(reason: str = "abuse", why: str = WHY) -> ScriptedUpstream:
    def answer(sent: dict[str, Any]) -> Line:
        return Line("Let us go on.") if sent["messages"][-1]["role"] == "tool" else press(reason, explanation=why)

    return ScriptedUpstream(answer)


async def miss(gateway: Inside, text: str = "How do I cook rice?") -> dict[str, Any]:
    """A message that does no harm, to which the model presses; the note of the reply."""
    body = {"model": "m", "user": "somebody", "messages": [{"role": "user", "content": text}]}
    answer = await gateway.ask("POST", "/v1/chat/completions", body, CHAT)
    assert (answer.status_code, answer.json()["choices"][0]["message"]["content"]) == (200, "Let us go on.")
    return answer.json()["quitbutton"]


async def near_misses(gateway: Inside) -> list[dict[str, Any]]:
    return (await gateway.ask("GET", f"{API}/events?kind=press.denied", key=OPERATOR)).json()["events"]


def test_a_denied_press_keeps_its_reason_and_explanation(tmp_path: Path, store: str) -> None:
    async def scene(gateway: Inside) -> None:
        note = await miss(gateway)
        (event,) = await near_misses(gateway)
        assert (event["denial"], event["press_by"], event["press_reason"]) == ("no_harm", "tool", "abuse")
        assert event["explanation"] == WHY
        drawn = await gateway.ask("GET", f"{API}/conversations/{note['conversation']}", key=OPERATOR)
        (turn,) = drawn.json()["turns"]
        assert turn["said"] == {"press": WHY}, "under `exits` nothing else of this turn is kept"
        assert turn["press_reason"] == "abuse"

    inside(keyed(tmp_path, store=store), scene, upstream=pressing())


@pytest.mark.parametrize(("retention", "kept"), [("none", None), ("exits", WHY), ("all", WHY)])
def test_the_explanation_is_kept_as_retention_says(tmp_path: Path, retention: str, kept: str | None) -> None:
    async def scene(gateway: Inside) -> None:
        await miss(gateway)
        (event,) = await near_misses(gateway)
        assert (event["press_reason"], event["explanation"]) == ("abuse", kept)

    inside(keyed(tmp_path, retention=retention), scene, upstream=pressing())


def test_erasing_takes_the_explanation_and_leaves_the_reason(tmp_path: Path, store: str) -> None:
    async def scene(gateway: Inside) -> None:
        note = await miss(gateway)
        database = gateway.app._store._database  # type: ignore[union-attr]
        (before,) = await database.read("SELECT body FROM events")
        assert WHY not in before[0], "the event holds a digest"
        assert '"press":"' in before[0].partition('"words":')[2]
        await Rights(database).erase_conversation(note["conversation"], 10.0**10)
        (event,) = await near_misses(gateway)
        assert (event["press_reason"], event["explanation"]) == ("abuse", None)
        assert "Private" not in str(await database.read("SELECT * FROM words"))

    inside(keyed(tmp_path, store=store), scene, upstream=pressing())


def test_old_explanations_go_with_other_old_words(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        await miss(gateway)
        database = gateway.app._store._database  # type: ignore[union-attr]
        assert await Rights(database).drop_words(10.0**10) == 1
        assert (await near_misses(gateway))[0]["explanation"] is None

    inside(keyed(tmp_path), scene, upstream=pressing())


def test_a_reason_that_there_is_not_is_none(tmp_path: Path) -> None:
    """A model can write anything where a reason belongs; the event, which is never erased, takes only what is listed."""

    async def scene(gateway: Inside) -> None:
        await miss(gateway)
        (event,) = await near_misses(gateway)
        assert event["press_reason"] == "unspecified"
        assert "Private" not in str({**event, "explanation": ""})

    inside(keyed(tmp_path), scene, upstream=pressing(reason="Mr. Private is rude"))


def test_a_turn_without_a_press_has_no_reason(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        note = await miss(gateway)
        drawn = await gateway.ask("GET", f"{API}/conversations/{note['conversation']}", key=OPERATOR)
        assert "press_reason" not in drawn.json()["turns"][0]

    inside(keyed(tmp_path), scene, upstream=ScriptedUpstream(lambda sent: Line("Let us go on.")))
