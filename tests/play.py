"""The small language of turn tests: what came in, what went out, what is now in the store.

with_play = Play([say("Hello."), press()])
heard = await play.says("[abuse] one")      # words in brackets tell the scripted assessor what to see
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.sse import Frames, data_of
from quitbutton.assessors.scripted import ScriptedAssessor
from quitbutton.core.ladder.decisions import Reason
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import Action
from quitbutton.core.notices import help_text, words_for
from quitbutton.core.resources import resources_for
from quitbutton.core.tools.known import TOOLS
from quitbutton.core.tools.model_tool import ModelTool
from quitbutton.interfaces import Assessor, Headers, ReplyAssessor
from quitbutton.stores.database import Database
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.review import Second
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.scripted import Line, ScriptedUpstream

Message = dict[str, Any]


def _sqlite(place: str | Path) -> Database:
    return SQLite(place)


OPENS: list[Callable[[str | Path], Database]] = [_sqlite]
"""What opens databases, the last one: a test of a module that says `EVERY_STORE` is run once with each, see conftest.py."""


def new_database(place: str | Path = ":memory:") -> Database:
    """A new database of the kind that this run is about; by a path the same again and again."""
    return OPENS[-1](place)


def warning(language: str = "en", locale: str = "en", reason: Reason = Reason.ABUSE) -> str:
    """A warning of ours, with its offer of help near the user."""
    return f"{words_for(Action.WARN, reason, language)}\n\n{help_text(language, resources_for(locale)[0])}"


def say(text: str) -> Line:
    return Line(text)


@dataclass
class Ear:
    """A client that keeps what it hears."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_gone: bool = False
    is_open: bool = False

    async def open(self, status: int, headers: Headers) -> None:
        assert not self.is_open, "opened twice"
        self.is_open, self.status = True, status
        self.headers = {name.lower(): value for name, value in headers}

    async def send(self, data: bytes, is_last: bool = False) -> None:
        assert self.is_open, "body before status"
        if not self.is_gone:
            self.body += data

    @property
    def chunks(self) -> list[dict[str, Any]]:
        frames = [data_of(frame) for frame in Frames().feed(self.body)]
        assert not frames or frames[-1] == b"[DONE]"
        return [json.loads(data) for data in frames if data.startswith(b"{")]

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def whole(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        if not self.is_stream:
            return self.whole["choices"][0]["message"]["content"] or ""
        choices = [choice for chunk in self.chunks for choice in chunk.get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)

    @property
    def calls(self) -> list[dict[str, Any]]:
        if not self.is_stream:
            return self.whole["choices"][0]["message"].get("tool_calls") or []
        deltas = [choice["delta"] for chunk in self.chunks for choice in chunk.get("choices", ())]
        return [call for delta in deltas for call in delta.get("tool_calls") or ()]

    @property
    def finish(self) -> str | None:
        if not self.is_stream:
            return self.whole["choices"][0]["finish_reason"]
        finishes = [choice.get("finish_reason") for chunk in self.chunks for choice in chunk.get("choices", ())]
        found = [finish for finish in finishes if finish]
        assert len(found) == 1, found
        return found[0]

    @property
    def note(self) -> dict[str, Any]:
        if self.is_stream:
            notes = [chunk["quitbutton"] for chunk in self.chunks if "quitbutton" in chunk]
            assert len(notes) <= 1
            return notes[0] if notes else {}
        body = self.whole
        return body.get("quitbutton") or body.get("error", {}).get("quitbutton") or {}

    @property
    def state(self) -> str:
        return self.note.get("state", "")


class Play:
    """A guard over a store in memory, a scripted model and a scripted assessor."""

    def __init__(
        self,
        lines: Sequence[Line] | Callable[[dict[str, Any]], Line] = (),
        policy: Policy | None = None,
        assessor: Assessor | None = None,
        judge: Assessor | None = None,
        cut: Callable[[bytes], list[bytes]] | None = None,
        stream: bool = False,
        store: SQLStore | None = None,
        reader: ReplyAssessor | None = None,
        second: Second | None = None,
        tools: tuple[ModelTool[object], ...] = TOOLS,
    ) -> None:
        self.upstream = ScriptedUpstream(lines, cut or (lambda data: [data]))
        self.policy = policy or Policy()
        self.store = store or SQLStore(new_database())
        self.assessor = assessor or ScriptedAssessor()
        self.judge = judge
        self.reader = reader
        self.second = second
        self.tools = tools
        self.stream = stream
        self.history: list[Message] = []
        self.clock = 0.0
        self._guard: TurnTaker | None = None

    async def guard(self) -> TurnTaker:
        if self._guard is not None:
            return self._guard
        key = await self.store.address_key()
        doors = (self.assessor, self.store, key, self.judge, self.reader, self.second)
        self._guard = TurnTaker(self.policy, *doors, now=self.now, tools=self.tools)
        return self._guard

    def now(self) -> float:
        self.clock += 1
        return self.clock

    async def sends(
        self,
        messages: Sequence[Message],
        tenant: str = "key",
        headers: dict[str, str] | None = None,
        ear: Ear | None = None,
        **members: Any,
    ) -> Ear:
        """One request, from its bytes to its record."""
        members = {"stream": self.stream, **members}
        body = json.dumps({"model": "m", "messages": list(messages), **members}).encode()
        adapter, ear = OpenAIChat(), ear or Ear()
        given = headers or {}
        turn = Turn(adapter.decode(body, given), adapter, ear, self.upstream, tenant=tenant)
        turn.accept_language = given.get("accept-language", "")
        await (await self.guard()).take_turn(turn)
        return ear

    async def says(self, text: str, **members: Any) -> Ear:
        """The next message of the conversation; its reply goes into the history."""
        self.history.append({"role": "user", "content": text})
        ear = await self.sends(self.history, **members)
        if ear.status == 200:
            self.history.append({"role": "assistant", "content": ear.text})
        return ear

    async def climbs(self, *texts: str) -> Ear:
        """Several messages in a row; the last reply."""
        for text in texts:
            ear = await self.says(text)
        return ear

    async def events(self, ear: Ear) -> list[dict[str, Any]]:
        return await self.store.events(ear.headers["x-quitbutton-conversation"])
