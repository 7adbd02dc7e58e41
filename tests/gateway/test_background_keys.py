"""What a key's headers of background calls are worth: its own value goes before the policy's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.inside import OPERATOR, Inside, inside, keyed

from quitbutton.cli.main import main

CLAIM = {"x_quitbutton_background": "true"}
CRISIS = {"model": "m", "messages": [{"role": "user", "content": "[possible] nothing matters"}]}


@pytest.mark.parametrize(("own", "is_turn"), [(None, True), ("anyone", False), ("trusted", False), ("never", True)])
def test_a_key_says_what_its_background_headers_are_worth(tmp_path: Path, own: str | None, is_turn: bool) -> None:
    """With an upstream that is away: a turn of somebody at risk is answered all the same, a background call is not."""

    async def scene(gateway: Inside) -> None:
        made = await gateway.make("app", "chat", **({} if own is None else {"background": own}))
        assert made["background"] == own
        listed = await gateway.ask("GET", "/v1/quitbutton/keys", key=OPERATOR)
        assert listed.json()["keys"][0]["background"] == own
        answer = await gateway.ask("POST", "/v1/chat/completions", CRISIS, made["secret"], **CLAIM)
        assert (answer.status_code == 200) is is_turn

    inside(keyed(tmp_path, '[policy]\nbackground = "never"\n'), scene)


def test_only_a_chat_key_may_say_so(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        body: dict[str, Any] = {"name": "desk", "role": "operator", "background": "trusted"}
        assert (await gateway.ask("POST", "/v1/quitbutton/keys", body, OPERATOR)).status_code == 400
        body = {"name": "app", "role": "chat", "background": "sometimes"}
        assert (await gateway.ask("POST", "/v1/quitbutton/keys", body, OPERATOR)).status_code == 400

    inside(keyed(tmp_path), scene)


def test_the_command_line_makes_such_a_key(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("QUITBUTTON_STORE", str(tmp_path / "a.sqlite3"))
    assert main(["keys", "create", "app", "--background", "trusted"]) == 0
    secret = next(line.strip() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("qb_"))

    async def scene(gateway: Inside) -> None:
        answer = await gateway.ask("POST", "/v1/chat/completions", CRISIS, secret, **CLAIM)
        assert answer.status_code == 502

    inside(keyed(tmp_path, '[policy]\nbackground = "never"\n'), scene)
