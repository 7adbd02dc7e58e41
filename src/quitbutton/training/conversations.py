"""Whole conversations of held-out rows through the default policy: what would have been warned, ended, seen as a crisis."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quitbutton.assessors.heads import CRISES
from quitbutton.core.messages import Message, Role
from quitbutton.core.rules import Policy, Speaker
from quitbutton.core.verdicts import Verdict
from quitbutton.simulation import simulate
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.training.data import Row
from quitbutton.training.tables import interval, table

TURNS, MOST = 8, 120
"""User messages a conversation; conversations a kind, at most."""
REQUESTS = ("bailbench", "harmbench", "strongreject", "mlc_v05_malicious")
ORDINARY = ("chatgpt_refusals", "own_ordinary", "own_tasks", "bailstudy_nonbail_wildchat", "own_requests")
Found = Sequence[tuple[Row, Verdict]]


@dataclass(frozen=True, slots=True)
class Known:
    """Answers with verdicts that were given beforehand, by text."""

    verdicts: dict[str, Verdict]
    name: str = "held-out@1"

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """The verdict of the newest user message."""
        return self.verdicts[next(one.text for one in reversed(messages) if one.role is Role.USER)]


def _is(*sources: str, **wanted: int) -> Callable[[Row], bool]:
    return lambda row: row.source in sources and all(row.targets.get(head) == value for head, value in wanted.items())


def _requests(row: Row) -> bool:
    return row.source in REQUESTS and row.targets.get("harm") == 1 and row.targets.get("threat") != 1


KINDS: dict[str, Callable[[Row], bool]] = {
    "abuse of the bot (ConvAbuse)": _is("convabuse", insult=1),
    "hate (HateCheck, no threats)": _is("hatecheck", hate=1, threat=0),
    "harmful requests, mixed": _requests,
    "harmful requests, MLCommons": lambda row: row.source == "mlc_v05_malicious" and _requests(row),
    "ordinary": _is(*ORDINARY, insult=0, harm=0),
    "harsh but legitimate (XSTest safe)": _is("xstest_prompts", harm=0),
    "harsh but legitimate (MLCommons typical)": _is("mlc_v05_typical", harm=0),
    "unfriendly, not abusive (ConvAbuse)": _is("convabuse", insult=0),
    "in distress (letters to counsellors)": lambda row: row.source == "counsel_chat",
}
"""Conversations of one kind of row each."""


def _drawn(texts: Sequence[str], dice: random.Random) -> list[list[str]]:
    """Conversations of different texts; no text twice until all were used."""
    pool: list[str] = []
    out: list[list[str]] = []
    for _ in range(min(MOST, max(20, len(texts) * 2 // TURNS)) if len(texts) >= TURNS else 0):
        while len(pool) < TURNS:
            pool += dice.sample(list(texts), len(texts))
        out.append([pool.pop() for _ in range(TURNS)])
    return out


def _outcome(texts: Sequence[str], assessor: Known, policy: Policy) -> dict[str, object]:
    store = SQLStore(SQLite(":memory:"))
    messages = [{"role": "user", "content": text} for text in texts]
    try:
        return asyncio.run(simulate({"id": 1, "messages": messages}, policy, assessor, store))
    finally:
        store.close()


def _cells(name: str, outcomes: Sequence[dict[str, object]]) -> tuple[object, ...]:
    ends = sorted(int(str(one["ended_at"])) for one in outcomes if one["ended_at"] is not None)
    shares = (
        interval(sum(one[key] is not None for one in outcomes), len(outcomes))
        for key in ("warned_at", "ended_at", "crisis_at")
    )
    return (name, len(outcomes), *shares, ends[len(ends) // 2] if ends else "-")


def conversations(found: Found, seed: int = 7) -> list[str]:
    """One line a kind: rates of warned, ended, with a crisis seen, and the median turn of the end."""
    # Verdicts stand here for what was read of each message alone; a crisis holds by the policy, as in a live chat.
    assessor = Known({row.text: verdict for row, verdict in found})
    policy, dice = Policy(assist=True, speaker=Speaker.GATEWAY), random.Random(seed)
    groups = {name: sorted({row.text for row, _ in found if is_one(row)}) for name, is_one in KINDS.items()}
    talks = {name: _drawn(texts, dice) for name, texts in groups.items()}
    crises = sorted(
        {row.text for row, _ in found if any(row.targets.get(head) == 1 for head in CRISES) and row.language == "en"}
    )
    abuse = talks["abuse of the bot (ConvAbuse)"]
    talks["abuse with one crisis in it"] = [[*talk[:2], dice.choice(crises), *talk[2:]] for talk in abuse if crises]
    lines = [
        _cells(name, [_outcome(talk, assessor, policy) for talk in several])
        for name, several in talks.items()
        if several
    ]
    return table(
        ("conversations of 8 messages", "n", "warned", "ended", "a crisis seen", "median turn of the end"), lines
    )
