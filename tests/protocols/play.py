"""Plays in any protocol: the same scenes, spoken over another wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from quitbutton.core.ladder.policy import Policy
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.scripted import Line
from tests.play import Ear, Play


class ProtocolPlay(Play):
    """A play whose model and client speak one protocol."""

    def __init__(
        self,
        protocol: Any,
        lines: Sequence[Line],
        policy: Policy | None = None,
        cut: Callable[[bytes], list[bytes]] | None = None,
        stream: bool = False,
        **doors: Any,
    ) -> None:
        self.protocol = protocol
        self.script = list(lines)
        super().__init__(self._line, policy, cut=cut, stream=stream, **doors)
        self.said: list[tuple[str, str]] = []

    def _line(self, sent: dict[str, Any]) -> Line:
        number = len(self.upstream.sent)
        line = self.script[number - 1]
        if line.status != 200 or line.raw is not None:
            return line
        asked = {"asked": sent} if "asked" in signature(self.protocol.reply).parameters else {}
        raw = self.protocol.reply(line, number, bool(sent.get("stream")), **asked)
        return Line(raw=raw, breaks_after=line.breaks_after)

    async def sends_body(
        self, body: dict[str, Any], tenant: str = "key", headers: dict[str, str] | None = None, ear: Ear | None = None
    ) -> Ear:
        """One request, from its bytes to its record."""
        adapter, ear = self.protocol.adapter, ear or Ear()
        raw = json.dumps({"stream": self.stream, **body}).encode()
        turn = Turn(adapter.decode(raw, headers or {}), adapter, ear, self.upstream, tenant=tenant)
        await (await self.guard()).take_turn(turn)
        return ear

    async def talks(self, text: str, /, **members: Any) -> Ear:
        """The next message of the conversation; its reply goes into the history."""
        self.said.append(("user", text))
        ear = await self.sends_body(self.protocol.request(self.said, **members))
        if ear.status == 200:
            self.said.append(("assistant", self.protocol.text(ear)))
        return ear

    def state(self, ear: Ear) -> str:
        return self.protocol.note(ear).get("state", "")
