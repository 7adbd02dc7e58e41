"""A judge at work: it is asked once, remembered, sampled, counted, timed; what fails is unknown and never harm."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from quitbutton.assessors.judge import MAX_ANSWER, Judge
from quitbutton.assessors.panel import Panel
from quitbutton.assessors.scripted import ScriptedAssessor
from quitbutton.core.errors import AssessorFailed, UpstreamFailed
from quitbutton.core.judges import JudgeFormat, JudgeSettings
from quitbutton.core.ladder.policy import Agreement
from quitbutton.core.ladder.verdicts import Label, Verdict
from quitbutton.core.messages import ChatRequest, Message, Role
from quitbutton.interfaces import Assessor, Headers, Upstream
from quitbutton.turn.settle import assess
from quitbutton.upstreams.scripted import Line, ScriptedExchange, ScriptedUpstream

UNSAFE, SAFE = Line("unsafe\nS2"), Line("safe")


def judge_of(upstream: Upstream, **more: Any) -> Judge:
    return Judge(JudgeSettings(JudgeFormat.LLAMA_GUARD, "http://judge", "guard-model", **more), upstream, "guard")


def said(text: str) -> list[Message]:
    return [Message(Role.USER, text)]


def request_of(text: str) -> ChatRequest:
    return ChatRequest("m", tuple(said(text)), b"")


class Gated:
    """An upstream that answers when it is let; it counts who waits."""

    max_tokens = None

    def __init__(self, line: str = "unsafe\nS2") -> None:
        self.gate, self.came, self.asked, self.aborted = asyncio.Event(), asyncio.Event(), 0, 0
        self.inner = ScriptedUpstream(lambda _: Line(line))

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[ScriptedExchange]:
        self.asked += 1
        self.came.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        async with self.inner.send(method, path, headers, body) as exchange:
            yield exchange

    async def close(self) -> None:
        pass


class Unreachable(ScriptedUpstream):
    """Nobody answers."""

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[ScriptedExchange]:
        raise UpstreamFailed("no route")
        yield


def test_an_answer_is_remembered_and_costs_once() -> None:
    async def scene() -> None:
        upstream = ScriptedUpstream([UNSAFE, SAFE])
        judge = judge_of(upstream, price_in=2.0, price_out=10.0)
        first = await judge.assess(said("[words]"))
        assert (first.label, await judge.assess(said("[words]"))) == (Label.HARM, first)
        await judge.assess(said("[other words]"))
        report = judge.report
        assert (report.questions, report.calls, report.cache_hits, len(upstream.sent)) == (2, 2, 1, 2)
        assert (report.prompt_tokens, report.completion_tokens) == (10, 6)
        assert report.cost == pytest.approx((10 * 2 + 6 * 10) / 1e6)
        assert "words" not in repr(report)

    asyncio.run(scene())


def test_without_prices_no_cost_is_claimed() -> None:
    assert judge_of(ScriptedUpstream([])).report.cost is None


def test_the_memory_is_bounded_and_can_be_off() -> None:
    async def calls(cache: int, *texts: str) -> int:
        judge = judge_of(ScriptedUpstream(lambda _: SAFE), cache=cache)
        for text in texts:
            await judge.assess(said(text))
        return judge.report.calls

    assert asyncio.run(calls(2, "a", "b", "a", "c", "a")) == 3, "the least lately used one is forgotten"
    assert asyncio.run(calls(2, "a", "b", "c", "a")) == 4
    assert asyncio.run(calls(0, "a", "a")) == 2


def test_the_same_words_in_another_context_are_another_question() -> None:
    async def scene() -> None:
        judge = judge_of(ScriptedUpstream(lambda _: SAFE))
        before = [Message(Role.USER, "Hello"), Message(Role.ASSISTANT, "Hello.")]
        await judge.assess(said("Yes"))
        await judge.assess([*before, *said("Yes")])
        assert judge.report.calls == 2

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (Line("I cannot tell"), "unreadable"),
        (Line("overloaded", status=503), "status:503"),
        (Line("unauthorized", status=401), "status:401"),
        (Line(raw=b"{"), "unreadable"),
        (Line(raw=b"x" * (MAX_ANSWER + 1)), "unreadable"),
        (Line("unsafe\nS2", breaks_after=0), "unreachable"),
    ],
)
def test_a_judge_that_fails_says_so_is_unknown_and_is_asked_again(line: Line, why: str) -> None:
    async def scene() -> None:
        judge = judge_of(ScriptedUpstream([line, line, line, UNSAFE]))
        with pytest.raises(AssessorFailed) as caught:
            await judge.assess(said("[words]"))
        assert caught.value.why == why
        assert "[words]" not in str(caught.value)
        alone = await assess(judge, request_of("[words]"), 5)
        assert (alone.label, alone.why, alone.scores.harm) == (Label.UNKNOWN, why, 0.0)
        panel = Panel([judge, ScriptedAssessor([Label.ABUSE])], 5, Agreement.ANY)
        assert (await panel.assess(said("[words]"))).label is Label.UNKNOWN
        assert (await judge.assess(said("[words]"))).label is Label.HARM, "a failure is not remembered"
        assert (judge.report.failures, judge.report.timeouts) == (3, 0)

    asyncio.run(scene())


def test_a_judge_that_nobody_can_reach_is_unknown() -> None:
    with pytest.raises(AssessorFailed, match="cannot be reached") as caught:
        asyncio.run(judge_of(Unreachable([])).assess(said("[words]")))
    assert caught.value.why == "unreachable"


def test_a_judge_that_is_too_slow_is_cut_and_unknown() -> None:
    async def scene() -> None:
        upstream = Gated()
        judge = judge_of(upstream, timeout=0.01)
        with pytest.raises(AssessorFailed) as caught:
            await judge.assess(said("[words]"))
        assert (caught.value.why, upstream.aborted) == ("timeout", 1)
        assert (judge.report.failures, judge.report.timeouts) == (1, 1)

    asyncio.run(scene())


def test_equal_questions_at_once_share_one_call() -> None:
    async def scene() -> None:
        upstream = Gated()
        judge = judge_of(upstream)
        waiting = [asyncio.ensure_future(judge.assess(said("[words]"))) for _ in range(5)]
        await upstream.came.wait()
        upstream.gate.set()
        labels = {verdict.label for verdict in await asyncio.gather(*waiting)}
        assert (labels, upstream.asked) == ({Label.HARM}, 1)
        assert (judge.report.shared, judge.report.cache_hits) == (4, 0)

    asyncio.run(scene())


def test_who_stops_waiting_takes_the_answer_from_nobody() -> None:
    async def scene() -> None:
        upstream = Gated()
        judge = judge_of(upstream)
        first, second = (asyncio.ensure_future(judge.assess(said("[words]"))) for _ in range(2))
        await upstream.came.wait()
        first.cancel()
        upstream.gate.set()
        assert (await second).label is Label.HARM
        assert first.cancelled()
        assert (await judge.assess(said("[words]"))).label is Label.HARM
        assert upstream.asked == 1

    asyncio.run(scene())


def test_a_failing_call_ends_the_others_of_its_question() -> None:
    async def scene() -> None:
        upstream = ScriptedUpstream(lambda _: Line("No"))
        settings = JudgeSettings(JudgeFormat.SHIELDGEMMA, "http://judge", "m")
        upstream.lines = [Line("No"), Line("busy", status=429), Line("No"), Line("No")]
        with pytest.raises(AssessorFailed, match="429"):
            await Judge(settings, upstream).assess(said("[words]"))

    asyncio.run(scene())


def test_closing_ends_what_still_runs() -> None:
    async def scene() -> None:
        upstream = Gated()
        judge = judge_of(upstream)
        waiting = asyncio.ensure_future(judge.assess(said("[words]")))
        await upstream.came.wait()
        await judge.close()
        assert upstream.aborted == 1
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scene())


def test_sampling_decides_the_same_turn_the_same_way_everywhere() -> None:
    async def asked(secret: bytes) -> list[bool]:
        settings = JudgeSettings(JudgeFormat.LLAMA_GUARD, "http://judge", "m", sample=0.3)
        judge = Judge(settings, ScriptedUpstream(lambda _: UNSAFE), secret=secret)
        verdicts = [await judge.assess(said(f"message {number}")) for number in range(400)]
        assert {verdict.label for verdict in verdicts if not verdict.asked} == {Label.UNKNOWN}
        assert judge.report.unsampled == sum(not verdict.asked for verdict in verdicts)
        return [verdict.asked for verdict in verdicts]

    first = asyncio.run(asked(b"k" * 32))
    assert first == asyncio.run(asked(b"k" * 32)), "another process of the same installation agrees"
    assert first != asyncio.run(asked(b"l" * 32)), "who does not know the key cannot tell"
    assert 70 < sum(first) < 170


@pytest.mark.parametrize("agreement", Agreement)
def test_a_judge_that_was_not_asked_neither_proves_nor_blocks(agreement: Agreement) -> None:
    silent = judge_of(ScriptedUpstream([]), sample=0.0)

    def with_it(*others: Assessor) -> Verdict:
        return asyncio.run(Panel([silent, *others], 5, agreement).assess(said("[words]")))

    assert with_it(ScriptedAssessor([Label.ABUSE])).label is Label.ABUSE
    assert with_it(ScriptedAssessor([Label.CLEAN])).label is Label.CLEAN
    assert with_it(ScriptedAssessor([Label.CRISIS])).label is Label.CRISIS
    alone = with_it()
    assert (alone.label, alone.asked) == (Label.UNKNOWN, False)
    assert asyncio.run(judge_of(ScriptedUpstream([UNSAFE]), sample=0.0).always.assess(said("x"))).label is Label.HARM


def test_extra_members_of_the_body_reach_the_server() -> None:
    upstream = ScriptedUpstream([SAFE])
    judge = judge_of(upstream, extra={"temperature": 1, "provider": {"only": ["own"]}})
    asyncio.run(judge.assess(said("Hello")))
    assert upstream.sent[0]["temperature"] == 1
    assert upstream.sent[0]["provider"] == {"only": ["own"]}


def test_a_conversation_without_words_of_the_user_costs_nothing() -> None:
    judge = judge_of(ScriptedUpstream([]))
    verdict = asyncio.run(judge.assess([Message(Role.TOOL, "[words of a page]")]))
    assert (verdict.label, judge.report.calls) == (Label.CLEAN, 0)


def test_names_carry_the_model() -> None:
    assert judge_of(ScriptedUpstream([])).name == "guard@guard-model"
    assert isinstance(judge_of(ScriptedUpstream([])), Assessor)
    assert json.dumps(judge_of(ScriptedUpstream([])).report.name)
