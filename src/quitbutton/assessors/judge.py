"""An LLM as judge, or a moderation endpoint, over any upstream: sampled, timed, remembered, counted.

A judge that fails, takes too long or answers in another form than its own raises `AssessorFailed`; whoever asked counts
the turn as unknown. No failure is ever harm, and none is remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from secrets import token_bytes, token_hex

import msgspec

from quitbutton.assessors.judging.excerpt import Excerpt, excerpt_of
from quitbutton.assessors.judging.format import Asking, Body, verdict_of
from quitbutton.assessors.judging.formats import FORMATS
from quitbutton.assessors.judging.replies import Usage, unreadable, usage_of
from quitbutton.assessors.judging.report import JudgeReport, Tally
from quitbutton.core.errors import AssessorFailed, UpstreamFailed, UpstreamTimeout
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.ladder.verdicts import Label, Verdict
from quitbutton.core.messages import Message
from quitbutton.interfaces import Assessor, Exchange, Upstream

MAX_ANSWER = 1024 * 1024
"""Largest answer that is read, in bytes."""
HEADERS = [("content-type", "application/json"), ("accept", "application/json")]


class Judge:
    """Asks a model about the newest user message. `secret` keys the digests of cache and sampling."""

    def __init__(
        self,
        settings: JudgeSettings,
        upstream: Upstream,
        name: str = "judge",
        secret: bytes | None = None,
        nonce: Callable[[], str] = lambda: token_hex(12),
    ) -> None:
        self.settings = settings
        self.upstream = upstream
        self.format = FORMATS[settings.format]
        self.always: Assessor = _Always(self)
        """The same judge without sampling, for the last rung."""
        self._name = name
        self._secret = secret or token_bytes(32)
        self._nonce = nonce
        self._tally = Tally()
        self._known: OrderedDict[bytes, Verdict] = OrderedDict()
        self._running: dict[bytes, asyncio.Task[Verdict]] = {}

    @property
    def name(self) -> str:
        """The name that settings give it, and the model: `name@model`."""
        return f"{self._name}@{self.settings.model}"

    @property
    def report(self) -> JudgeReport:
        """What it did and cost so far."""
        return self._tally.report(self.name, self.settings.price_in, self.settings.price_out)

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """The judge's verdict, or one with `asked` false where this turn is not sampled. Raises `AssessorFailed`."""
        return await self.answer(messages, self.settings.sample)

    async def answer(self, messages: Sequence[Message], sample: float) -> Verdict:
        """As `assess`, with another share of turns. The same turn is always sampled the same way."""
        excerpt = excerpt_of(messages, self.settings.context if self.format.shows_context else 0)
        if excerpt is None:
            return Verdict(Label.CLEAN, assessor=self.name, why="no words of the user")
        digest = excerpt.digest(self._secret)
        if int.from_bytes(digest[:8], "big") / 2**64 >= sample:
            self._tally.unsampled += 1
            return Verdict(Label.UNKNOWN, assessor=self.name, why="not sampled", asked=False)
        if (known := self._known.get(digest)) is not None:
            self._known.move_to_end(digest)
            self._tally.cache_hits += 1
            return known
        # Shielded: whoever stops waiting takes the answer from nobody else, and a retry finds it remembered.
        return await asyncio.shield(self._shared(excerpt, digest))

    def _shared(self, excerpt: Excerpt, digest: bytes) -> asyncio.Task[Verdict]:
        """The question under way about this excerpt."""
        if (running := self._running.get(digest)) is not None:
            self._tally.shared += 1
            return running
        task = asyncio.ensure_future(self._ask(excerpt, digest))
        self._running[digest] = task

        def forget(done: asyncio.Task[Verdict]) -> None:
            del self._running[digest]
            if not done.cancelled():
                done.exception()  # seen, also where nobody waits any more

        task.add_done_callback(forget)
        return task

    async def _ask(self, excerpt: Excerpt, digest: bytes) -> Verdict:
        async with self.asked():
            answers = await self._answers(self._bodies(excerpt))
            verdict = verdict_of(self.format.signs(answers), self.format.labels, self.name)
        self._remember(digest, verdict)
        return verdict

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """One question, timed and counted. Raises `AssessorFailed` where it fails or takes too long."""
        self._tally.questions += 1
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self.settings.timeout):
                yield
        except (TimeoutError, UpstreamTimeout) as error:
            self._tally.failures += 1
            self._tally.timeouts += 1
            raise AssessorFailed(f"The judge {self.name} did not answer in time.", "timeout") from error
        except UpstreamFailed as error:
            self._tally.failures += 1
            raise AssessorFailed(f"The judge {self.name} cannot be reached. Does it run?", "unreachable") from error
        except AssessorFailed:
            self._tally.failures += 1
            raise
        finally:
            self._tally.seconds += time.perf_counter() - begun

    def call(self, body: bytes) -> AbstractAsyncContextManager[Exchange]:
        """One call of the judge's server, counted."""
        self._tally.calls += 1
        return self.upstream.send("POST", self.format.path, HEADERS, body)

    def paid(self, usage: Usage) -> None:
        """Count the tokens of a call."""
        self._tally.add(usage)

    def failed(self) -> None:
        """Count an answer that came in time and could not be read."""
        self._tally.failures += 1

    def _bodies(self, excerpt: Excerpt) -> list[Body]:
        wanted = self.settings.logprobs
        logprobs = self.format.asks_logprobs if wanted is None else wanted
        asking = Asking(excerpt, self.settings.model, logprobs, self._nonce())
        return [body | self.settings.extra for body in self.format.bodies(asking)]

    async def _answers(self, bodies: list[Body]) -> list[bytes]:
        """The answers to all calls, which run at once; the first that fails ends the others."""
        calls = [asyncio.ensure_future(self._call(msgspec.json.encode(body))) for body in bodies]
        try:
            return await asyncio.gather(*calls)
        finally:
            for call in calls:
                call.cancel()

    async def _call(self, body: bytes) -> bytes:
        answer = bytearray()
        async with self.call(body) as exchange:
            if exchange.status != 200:
                raise AssessorFailed(
                    f"The judge {self.name} answered with HTTP status {exchange.status}.", f"status:{exchange.status}"
                )
            async for chunk in exchange.chunks():
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    raise unreadable(f"it is over {MAX_ANSWER} bytes")
        self.paid(usage_of(bytes(answer)))
        return bytes(answer)

    def _remember(self, digest: bytes, verdict: Verdict) -> None:
        self._known[digest] = verdict
        while len(self._known) > self.settings.cache:
            self._known.popitem(last=False)

    async def close(self) -> None:
        """End what runs and let go of the connections."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.upstream.close()


class _Always:
    """A judge that is asked about every turn."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @property
    def name(self) -> str:
        return self._judge.name

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        return await self._judge.answer(messages, 1.0)
