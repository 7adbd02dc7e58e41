"""The load: as fast as it goes, to measure, or at a fixed rate whatever becomes of it; every call is noted in a journal."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from tests.soak.client import Call, Clients
from tests.soak.words import Conversation, begun, patience

AT_ONCE = 200
"""Conversations that wait for their user at most; while there are fewer, new ones begin."""


@dataclass(slots=True)
class Note:
    """A line of the journal."""

    number: int
    streams: bool
    call: Call


class Load:
    """Users in conversations with one gateway."""

    def __init__(self, port: int, seed: int, journal: Path) -> None:
        self._dice, self._clients = random.Random(seed), Clients(port)
        self._path = journal
        self._journal = journal.open("wb")
        self._waiting: deque[Conversation] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._users = self.calls = 0
        self.most_at_once = 0

    async def flat_out(self, seconds: float, clients: int) -> float:
        """Calls a second where every client sends its next as soon as it has its answer."""
        end = time.monotonic() + seconds
        warm = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(seconds / 4, lambda: warm.set_result((self.calls, time.monotonic())))

        async def go() -> None:
            while time.monotonic() < end:
                await self._turn(self._next(), time.monotonic())

        await asyncio.gather(*(go() for _ in range(clients)))
        calls, begun_at = await warm
        return float((self.calls - calls) / (time.monotonic() - begun_at))

    async def steady(self, rate: float, seconds: float) -> None:
        """So many calls a second; those that are late are counted from when they were due."""
        begin = due = time.monotonic()
        while due < begin + seconds:
            due += self._dice.expovariate(rate)
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.get_running_loop().create_task(self._turn(self._next(), due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self.most_at_once = max(self.most_at_once, len(self._tasks))

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._tasks:
            await asyncio.gather(*self._tasks)
        self._clients.close()
        self._journal.close()

    @property
    def connections(self) -> int:
        """How many were opened."""
        return self._clients.opened

    def notes(self) -> Iterator[Note]:
        """The journal, read again."""
        decode = msgspec.json.Decoder(Note).decode
        with self._path.open("rb") as lines:
            for line in lines:
                yield decode(line)

    def _next(self) -> Conversation:
        if len(self._waiting) < AT_ONCE:
            self._users += 1
            return begun(self._dice, self._users)
        place = self._dice.randrange(len(self._waiting))
        self._waiting.rotate(-place)
        return self._waiting.popleft()

    async def _turn(self, conversation: Conversation, due: float) -> None:
        self.calls += 1
        number = self.calls
        body, streams = conversation.next(self._dice, number)
        call = await self._clients.call(number, body, due, patience(self._dice, streams))
        self._journal.write(msgspec.json.encode({"number": number, "streams": streams, "call": asdict(call)}) + b"\n")
        conversation.hear(self._dice, call.result, call.state)
        if conversation.left > 0:
            self._waiting.append(conversation)
