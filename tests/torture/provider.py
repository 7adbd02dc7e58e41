"""The model's side of a run: it does as each call's script says, and keeps an account of what it was sent."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from dataclasses import dataclass, field

from quitbutton.upstreams.scripted import Line, press
from tests.torture.history import Post
from tests.torture.protocols import BY_PATH, Json, Protocol
from tests.torture.words import Script, script_of
from tests.upstream import Reply, Seen

BUTTON = "end_conversation"


@dataclass
class Model:
    """Presses where its script says so and the button is offered; asked again, it means it or not."""

    posts: list[Post] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    """Replies that it broke off."""
    complaints: list[str] = field(default_factory=list)
    """What a real provider would have refused."""
    _owed: dict[str, set[str]] = field(default_factory=dict)
    """The replies that it keeps, by id, with the calls in them that must be answered."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def answer(self, seen: Seen) -> Reply:
        """The reply to one request."""
        protocol, asked = BY_PATH[seen.path], seen.json
        script = script_of(asked["model"])
        self.posts.append(Post(script.op, seen.path, hashlib.sha256(seen.body).hexdigest()[:16]))
        self._check(script, asked)
        line, number = _line(protocol, script, asked), f"{next(self._numbers)}"
        streams = bool(asked.get("stream"))
        given = {"asked": asked} if protocol.history == "input" else {}
        raw = protocol.wire.reply(line, number, streams, **given)
        if asked.get("store"):
            self._owed[f"resp_{number}"] = {f"call_{place}" for place in range(len(line.calls))}
        return self._broken(script, _reply(raw, streams, script.delay / 1000))

    def _broken(self, script: Script, reply: Reply) -> Reply:
        if script.breaks == "mute":
            reply.is_silent = True
        elif script.breaks == "cut":
            half = len(reply.parts) // 2
            reply.parts = reply.parts[:half] or [reply.parts[0][:20]]
            reply.breaks = True
        else:
            return reply
        self.faults[f"model's reply: {script.breaks}"] += 1
        return reply

    def _check(self, script: Script, asked: Json) -> None:
        """A reply that is gone on from was given, and each call in it is answered."""
        previous = asked.get("previous_response_id")
        if previous is None:
            return
        answered = {item["call_id"] for item in asked["input"] if item.get("type") == "function_call_output"}
        if previous not in self._owed:
            self.complaints.append(f"{script.op}: the provider was asked to go on from {previous}, which it never gave")
        elif self._owed[previous] != answered:
            owed = sorted(self._owed[previous])
            self.complaints.append(f"{script.op}: the provider waits for {owed}, and was sent {sorted(answered)}")


def _line(protocol: Protocol, script: Script, asked: Json) -> Line:
    is_again = protocol.is_result(asked[protocol.history][-1])
    if BUTTON in protocol.wire.tool_names(asked) and script.presses and (script.means_it or not is_again):
        return press(explanation="x")
    # No two replies are alike, and none is what histories bring: turns are told apart by their addresses alone.
    return Line(f"Something else: {script.op}.")


def _reply(raw: bytes, streams: bool, delay: float) -> Reply:
    if not streams:
        return Reply([raw], delay=delay)
    parts = [part + b"\n\n" for part in raw.split(b"\n\n") if part]
    return Reply(parts, content_type="text/event-stream", delay=delay)
