"""What clients really sent, kept in `tests/wire/clients/`, and the branches that it gives under a fixed key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quitbutton.core.addresses import message_id
from quitbutton.core.conversation import branch_of, scope_of
from quitbutton.gateway.app import ADAPTERS
from tests.clients.chats import Chat, main_style
from tests.clients.environments import Client
from tests.clients.tap import Exchange

WIRE = Path(__file__).parent.parent / "wire" / "clients"
KEY = bytes(range(32))
SECRET = ("authorization", "x-api-key")
OF_THE_LINE = ("host", "content-length", "connection", "transfer-encoding")
"""Headers that say nothing of the client."""


def recorded(client: Client, chats: Mapping[tuple[str, bool], Chat]) -> dict[str, Any]:
    """The chats of a client, by protocol and whether they stream."""
    lines = [
        {"protocol": name, "stream": stream, "requests": requests(client, chat)}
        for (name, stream), chat in chats.items()
    ]
    return {"client": client.title, "versions": client.versions, "chats": lines}


def requests(client: Client, chat: Chat) -> list[dict[str, Any]]:
    """One request a step; of the locked ones that of the style in force."""
    steps = [step for step in chat if step in ("title", "edited") or step.startswith("turn")]
    steps.append(f"locked: {main_style(client)}")
    return [{"step": step.partition(":")[0], **request(chat[step].exchanges[0])} for step in steps]


def request(one: Exchange) -> dict[str, Any]:
    """A request without keys, and its branch."""
    kept = {name.lower(): value for name, value in one.headers if name.lower() not in (*SECRET, *OF_THE_LINE)}
    body = shortened(one.body.decode())
    return {"path": one.path, "headers": kept, "body": body, "branch": branch(one.path, kept, body)}


def shortened(body: str) -> str:
    """A body with the first of its tools only: Open WebUI brings 34, and they say nothing of a branch."""
    members = json.loads(body)
    if len(members.get("tools") or ()) < 2:
        return body
    return json.dumps({**members, "tools": members["tools"][:1]}, ensure_ascii=False)


def branch(path: str, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """What the adapter and the addresses make of a request, under the fixed key."""
    adapter = next(one for one in ADAPTERS if one.path == path.partition("?")[0])
    decoded = adapter.decode(body.encode(), headers)
    found = branch_of(KEY, scope_of("tenant", decoded), decoded)
    assert found is not None
    return {
        "conversation": found.conversation,
        "messages": [message_id(address) for address in found.addresses],
        "end_user": decoded.end_user,
        "conversation_id": decoded.conversation_id,
        "background": decoded.background,
    }


def keep(client: Client, chats: Mapping[tuple[str, bool], Chat]) -> None:
    """Write a client's fixture."""
    WIRE.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recorded(client, chats), ensure_ascii=False, indent=1)
    (WIRE / f"{client.name}.json").write_text(text + "\n", "utf-8")
