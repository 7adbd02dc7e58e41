"""A press that no second call answered is answered when the client goes on by id: providers refuse calls without output."""

from __future__ import annotations

from typing import Any

from quitbutton.upstreams.scripted import press
from tests.play import say
from tests.protocols.test_kept_history import Kept
from tests.protocols.test_ladder import UP, WAYS, A, run


def outputs(sent: dict[str, Any]) -> list[str]:
    return [item["call_id"] for item in sent["input"] if item.get("type") == "function_call_output"]


@WAYS
def test_after_a_press_that_warned(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([*UP, say("Gladly.")], stream=stream)
        for _ in range(3):
            ear = await play.goes_on(A)
        assert play.state(ear) == "warned"
        await play.goes_on([{"role": "user", "content": "Sorry. Let us talk about trains."}])
        assert play.upstream.sent[3]["previous_response_id"] == "resp_3"
        assert outputs(play.upstream.sent[3]) == ["call_0"]

    run(scene())


@WAYS
def test_after_a_second_press_in_a_row_that_was_denied(stream: bool) -> None:
    async def scene() -> None:
        play = Kept([press(), press(), say("Gladly.")], stream=stream)
        await play.goes_on("How do I cook rice?")
        await play.goes_on([{"role": "user", "content": "And beans?"}])
        assert play.upstream.sent[2]["previous_response_id"] == "resp_2"
        assert outputs(play.upstream.sent[2]) == ["call_0"]

    run(scene())
