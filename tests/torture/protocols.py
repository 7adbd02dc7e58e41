"""The protocols that are spoken, each as a value: where a turn is sent, what its body is, and how a reply is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.responses import Responses
from tests.torture.history import Path_
from tests.torture.words import Script

Json = dict[str, Any]


@dataclass(frozen=True)
class Protocol:
    """One way to speak with the gateway, and the gateway with the model."""

    name: str
    wire: Any
    """How requests and replies look, from tests/protocols."""
    history: str
    """The member of a request that holds what was said."""
    names: Callable[[str], Json]
    """How a request says whose it is."""
    is_result: Callable[[Json], bool]
    """Whether an item of the history is what the button said to the model."""
    told: Callable[[Json], Json]
    """What a reply, or an event of one, says to programs: `quitbutton`, `error`, `id`."""
    goes_on: bool = False
    """Whether the provider keeps the history, and a request brings the id of a reply and what is new."""

    @property
    def path(self) -> str:
        """Where a turn is sent."""
        return str(self.wire.adapter.path)

    def body(self, script: Script, scope: str, path: Path_, streams: bool, after: tuple[int, str] = (0, "")) -> bytes:
        """A request. `after`: how much of the path the provider keeps, and the id of its reply to that."""
        start, reply = after
        said = [("user", path[start])]
        for text in path[start + 1 :]:
            said += [("assistant", "Hello."), ("user", text)]
        more = {"store": self.goes_on} if self.history == "input" else {}
        more |= {"previous_response_id": reply} if reply else {}
        return json.dumps(
            self.wire.request(said, model=script.model, stream=streams, **self.names(scope), **more)
        ).encode()

    def read(self, raw: bytes, is_stream: bool) -> Json:
        """What a client was told. A stream that does not come to its end is no answer."""
        if not is_stream:
            return self.told(json.loads(raw))
        found: Json = {}
        lines = (line.removeprefix("data: ") for line in raw.decode().split("\n") if line.startswith("data: "))
        for line in lines:
            found |= self.told(json.loads(line)) if line != "[DONE]" else {}
        if found.keys() & {"quitbutton", "error"}:
            return found
        return {"error": {"message": "The stream broke off.", "code": "cut"}}


def _plain(event: Json) -> Json:
    return {name: event[name] for name in ("quitbutton", "error") if name in event}


def _of_responses(event: Json) -> Json:
    if event.get("type") == "error":
        return {"error": event}
    response = event.get("response", event)
    known = {name: response[name] for name in ("quitbutton", "id") if name in response}
    return known | ({"error": event["error"]} if event.get("error") else {})


def _is_tool_result(item: Json) -> bool:
    return isinstance(item["content"], list) and item["content"][0]["type"] == "tool_result"


def _responses(name: str, goes_on: bool) -> Protocol:
    return Protocol(
        name,
        Responses(),
        "input",
        names=lambda scope: {"safety_identifier": scope},
        is_result=lambda item: item.get("type") == "function_call_output",
        told=_of_responses,
        goes_on=goes_on,
    )


CHAT = Protocol(
    "chat",
    ChatCompletions(),
    "messages",
    names=lambda scope: {"safety_identifier": scope},
    is_result=lambda item: bool(item["role"] == "tool"),
    told=_plain,
)
MESSAGES = Protocol(
    "messages",
    Anthropic(),
    "messages",
    names=lambda scope: {"metadata": {"user_id": scope}},
    is_result=_is_tool_result,
    told=_plain,
)
RESPONSES, RESPONSES_BY_ID = _responses("responses", goes_on=False), _responses("responses by id", goes_on=True)
PROTOCOLS = (CHAT, MESSAGES, RESPONSES, RESPONSES_BY_ID)
BY_PATH = {protocol.path: protocol for protocol in PROTOCOLS}
"""For the provider, to which both ways of Responses are one."""
