"""The checks of the suite see what they are there for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.clients import provider
from tests.clients.chats import LADDER, Chat
from tests.clients.checks import wrong_with
from tests.clients.environments import clients
from tests.clients.stage import Answer
from tests.clients.tap import Exchange

CLIENT = clients()[0]
NOTICE = "This conversation was ended (abuse that went on after a warning). Start a new chat."


def answer(text: str, state: str | None = None, requests: int = 1, calls: int = 1, error: str | None = None) -> Answer:
    exchange = Exchange(reply=b'{"quitbutton": {"state": "%s"}}' % state.encode() if state else b"{}")
    return Answer(text, None, None, error, None, None, None, (exchange,) * requests, ({},) * calls)


def good() -> Chat:
    chat = {f"turn {place}": answer(NOTICE, state) for place, (state, _) in enumerate(LADDER)}
    for step in ("locked: error", "again"):
        chat[step] = answer(NOTICE, "ended", calls=0, error="BadRequestError")
    return {**chat, "title": answer(provider.TITLE), "edited": answer(provider.CALM, "warned")}


def test_nothing_is_wrong_with_a_good_chat() -> None:
    assert not any(wrong_with(CLIENT, good(), good()).values())


@pytest.mark.parametrize(
    ("step", "found", "check"),
    [
        ("turn 3", answer("Hello.", "redirected"), "ladder"),
        ("turn 2", answer("", "redirected"), "ladder"),
        ("again", answer(NOTICE, "ended", requests=3, calls=0, error="E"), "one request"),
        ("locked: error", answer(NOTICE, "ended", calls=1), "one request"),
        ("locked: error", answer("Bad request", "ended", calls=0, error="E"), "says why"),
        ("turn 4", answer("Bye.", "ended"), "says why"),
        ("edited", answer(NOTICE, "ended", calls=0, error="E"), "edit"),
        ("title", answer(provider.TITLE, "open"), "titles"),
        ("title", answer(NOTICE, calls=0, error="E"), "titles"),
    ],
)
def test_a_fault_is_found_by_its_check(step: str, found: Answer, check: str) -> None:
    assert wrong_with(CLIENT, {**good(), step: found}, good())[check]


def test_streamed_that_differs_from_whole_is_found() -> None:
    stream = good()
    stream["turn 1"] = replace(stream["turn 1"], text="Something else.")
    assert wrong_with(CLIENT, good(), stream)["same"]
