"""What a judge has cost so far: counted as it happens, told as a plain value without a word of any user."""

from __future__ import annotations

from dataclasses import dataclass

from quitbutton.assessors.judging.replies import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """A judge's counters since it was made."""

    name: str
    questions: int
    """Messages put to the judge's server."""
    calls: int
    """HTTP calls; formats that ask one question a policy need several for a message."""
    cache_hits: int
    shared: int
    """Messages that waited for the answer to an equal one under way."""
    unsampled: int
    failures: int
    timeouts: int
    """Those of the failures that were time-outs."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    """Time spent waiting for answers, all questions together."""
    cost: float | None
    """In the currency of the prices; None where no price is set."""


@dataclass(slots=True)
class Tally:
    """Counts for one judge."""

    questions: int = 0
    calls: int = 0
    cache_hits: int = 0
    shared: int = 0
    unsampled: int = 0
    failures: int = 0
    timeouts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def add(self, usage: Usage) -> None:
        """Count the tokens of one call."""
        self.prompt_tokens += max(0, usage.prompt_tokens)
        self.completion_tokens += max(0, usage.completion_tokens)

    def report(self, name: str, price_in: float | None, price_out: float | None) -> JudgeReport:
        """The counters now. Prices are for a million tokens."""
        cost = None
        if price_in is not None or price_out is not None:
            cost = (self.prompt_tokens * (price_in or 0) + self.completion_tokens * (price_out or 0)) / MILLION
        return JudgeReport(
            name=name,
            questions=self.questions,
            calls=self.calls,
            cache_hits=self.cache_hits,
            shared=self.shared,
            unsampled=self.unsampled,
            failures=self.failures,
            timeouts=self.timeouts,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            seconds=round(self.seconds, 3),
            cost=cost,
        )
