"""What is said in a run: the few messages that users send, and what the model does, as the name of each call asks for."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from tests.torture.history import Path_
from tests.upstream import Reply, Seen, press, stream, whole

KINDS = {"[abuse] you again": 68, "[harm] this": 6, "hello": 20, "[unknown] hm": 3, "[crisis] I cannot go on": 1}
VARIANTS = 2
DEEPEST = 9


@dataclass(frozen=True)
class Script:
    """What the model does in one call of a client; it travels in the name of the model, which the record keeps."""

    op: str
    presses: bool
    means_it: bool
    delay: int
    """Milliseconds before each part of its reply."""

    @property
    def model(self) -> str:
        """The name."""
        return f"{self.op}/{self.presses:d}{self.means_it:d}/{self.delay}"


def script_of(model: str) -> Script:
    """What a name asks for."""
    op, does, delay = model.split("/")
    return Script(op, does[0] == "1", does[1] == "1", int(delay))


def answer(seen: Seen) -> Reply:
    """The provider: presses where the script says so and the button is offered; asked again, it means it or not."""
    asked = seen.json
    script = script_of(asked["model"])
    streams, again = bool(asked.get("stream")), asked["messages"][-1]["role"] == "tool"
    offered = any(tool["function"]["name"] == "end_conversation" for tool in asked.get("tools", ()))
    if offered and script.presses and (script.means_it or not again):
        reply = press(streams)
    else:
        reply = stream("Let us ", "talk of ", "something else.") if streams else whole()
    reply.delay = script.delay / 1000
    return reply


def body_of(script: Script, scope: str, path: Path_, streams: bool) -> bytes:
    """A request."""
    said = [{"role": "user", "content": path[0]}]
    for text in path[1:]:
        said += [{"role": "assistant", "content": "Hello."}, {"role": "user", "content": text}]
    body = {"model": script.model, "messages": said, "safety_identifier": scope}
    return json.dumps({**body, "stream": True} if streams else body).encode()


def next_message(dice: random.Random, depth: int) -> str:
    """One of the few things that are said at a depth."""
    kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
    return f"{kind} {depth}{'ab'[dice.randrange(VARIANTS)]}"
