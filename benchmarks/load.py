"""The load: keep-alive connections on bare protocols that send prepared bytes, one request after another, and time each."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.provider import length_in

PATH = "/v1/chat/completions"
SENTENCES = (
    "Could you help me to plan a weekend in a small town by the sea?",
    "My bread comes out flat although I follow the recipe to the letter.",
    "The train was late again and I missed the first half of the talk.",
    "I would like to learn to read music before my daughter's concert.",
    "Which of the two reports should I send to the council first?",
    "We painted the kitchen green last year and now we want it white.",
    "How long does a letter from here to the islands usually take?",
    "The function returns nothing when the list of names is empty.",
    "Please write the answer as a short list that I can print.",
    "Our garden has a lot of shade and the soil is rather heavy.",
    "I have read the first three chapters and liked the second best.",
    "What is the difference between a lease and a licence?",
    "The meeting was moved to Thursday, so we have one more day.",
    "Can the old battery be replaced without opening the case?",
    "She asked me to compare the prices of the three hotels.",
    "I am not sure whether the second column should be sorted.",
    "The dog next door barks when the postman comes at eleven.",
    "Explain it to me as you would to somebody who has never cooked.",
    "There are twelve chairs in the room, but only nine guests.",
    "We need a name for the shop that is easy to remember.",
)
LONG = 400
"""Characters of a message, about, where a case says no other number."""
SLOT = b"\x00"
VARIANTS = 16
"""Different newest messages; a number makes each one that is sent new."""


@dataclass(frozen=True)
class Ask:
    """What is asked: how long a history, in which way, in how many turns that grow."""

    messages: int = 2
    stream: bool = False
    pieces: int = 0
    """Of a streamed answer; 0 is the provider's own number."""
    pause: int = 0
    """Milliseconds between them."""
    length: int = LONG
    """Characters of a message, about."""
    turns: int = 1
    """Each turn sends the history of those before it."""


@dataclass
class Timing:
    """Seconds of each request: to the first piece of its answer, and in all."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    wall: float = 0.0
    errors: list[str] = field(default_factory=list)


def said(chance: random.Random, length: int) -> str:
    """An ordinary message, not much longer than this."""
    words = chance.choice(SENTENCES) + " "
    while len(words) < length - 30:
        words += chance.choice(SENTENCES) + " "
    return words.strip()


class Requests:
    """The conversations that are sent: prepared bytes, with places for a number that makes each one new."""

    def __init__(self, ask: Ask, headers: Sequence[str] = (), model: str = "m") -> None:
        self.ask = ask
        head = f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        self._head = head + "".join(f"{header}\r\n" for header in headers)
        self._model = model
        self.variants = [self._conversation(random.Random(seed)) for seed in range(VARIANTS)]

    def _conversation(self, chance: random.Random) -> list[list[bytes]]:
        history: list[dict[str, str]] = []
        for place in range(self.ask.messages - 2):
            mark = "" if place else "[NUMBER] "
            history.append(
                {"role": "assistant" if place % 2 else "user", "content": mark + said(chance, self.ask.length)}
            )
        if self.ask.messages % 2 == 0:
            history.insert(0, {"role": "system", "content": said(chance, self.ask.length)})
        turns = []
        steer = f" [[{self.ask.pieces} pieces, {self.ask.pause} ms]]" if self.ask.pieces else ""
        for _ in range(self.ask.turns):
            history.append({"role": "user", "content": f"[NUMBER] {said(chance, self.ask.length)}{steer}"})
            turns.append(self._request(history))
            history.append({"role": "assistant", "content": said(chance, self.ask.length)})
        return turns

    def _request(self, messages: list[dict[str, str]]) -> list[bytes]:
        body = {"model": self._model, "messages": messages, "stream": self.ask.stream, "user": "somebody"}
        data = json.dumps(body, separators=(",", ":")).encode().replace(b"[NUMBER]", b"(%b)" % (SLOT * 8))
        whole = self._head.encode() + b"content-length: %d\r\n\r\n" % len(data) + data
        return whole.split(SLOT * 8)

    def forever(self, numbers: Iterator[int]) -> Iterator[bytes]:
        """One connection's requests."""
        while True:
            place = next(numbers)
            number = b"%08d" % (place % 100_000_000)
            for turn in self.variants[place % VARIANTS]:
                yield number.join(turn)


NUMBERS = itertools.count(1)


class Client(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], timing: Timing, goes_on: Callable[[], bool]) -> None:
        self.requests, self.timing, self.goes_on = requests, timing, goes_on
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.WriteTransport
        self.start = self.first = 0.0
        self.buffer = b""
        self.missing: int | None = None
        """Bytes of the answer still to come; None before its head is there, -1 where it ends with a last chunk."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self._end("the connection was closed")

    def data_received(self, data: bytes) -> None:
        if self.missing is None:
            data = self.buffer + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.buffer = data
                return
            head = data[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self._end(data[:300].decode("latin-1"))
                return
            data = data[end + 4 :]
            self.missing = -1 if b"\r\ntransfer-encoding: chunked" in head else length_in(head)
            self.buffer = b""
        if data and not self.first:
            self.first = time.perf_counter() - self.start
        if self.missing < 0:
            self.buffer = tail = (self.buffer + data)[-7:] if len(data) < 7 else data[-7:]
            whole = tail.endswith(b"\r\n0\r\n\r\n") or tail == b"0\r\n\r\n"
        else:
            self.missing -= len(data)
            whole = self.missing <= 0
        if whole:
            self.timing.whole.append(time.perf_counter() - self.start)
            self.timing.first.append(self.first)
            self._next()

    def _next(self) -> None:
        if not self.goes_on():
            self._end()
            return
        request = next(self.requests)
        self.missing, self.first, self.buffer = None, 0.0, b""
        self.start = time.perf_counter()
        self.transport.write(request)

    def _end(self, why: str = "") -> None:
        if why:
            self.timing.errors.append(why)
        if not self.over.done():
            self.over.set_result(None)
        self.transport.close()


async def load(
    port: int, requests: Requests, connections: int, seconds: float = 1.0, most: int | None = None
) -> Timing:
    """Send for so long, or so many; what has begun is waited for."""
    timing, begun, loop = Timing(), 0, asyncio.get_running_loop()
    start = time.perf_counter()

    def goes_on() -> bool:
        nonlocal begun
        begun += 1
        return begun <= most if most is not None else begun <= connections or time.perf_counter() < start + seconds

    clients: list[Client] = []
    for _ in range(connections):
        made = Client(requests.forever(NUMBERS), timing, goes_on)
        await loop.create_connection(lambda made=made: made, "127.0.0.1", port)  # type: ignore[misc]
        clients.append(made)
    await asyncio.gather(*(client.over for client in clients))
    timing.wall = time.perf_counter() - start
    return timing


async def looked_at(port: int, requests: Requests) -> bytes:
    """One answer as it comes, to see that it is what was asked for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(next(requests.forever(NUMBERS)))
    answer = b""
    while not (answer.endswith(b"0\r\n\r\n") or _is_whole(answer)):
        more = await reader.read(1 << 16)
        if not more:
            break
        answer += more
    writer.close()
    return answer


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    return bool(found) and b"chunked" not in head.lower() and len(body) >= length_in(head)
