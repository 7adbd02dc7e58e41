"""Moderation endpoints in OpenAI's shape: `POST /v1/moderations` with flags and scores by category.

Source: OpenAI's API reference for moderations (`omni-moderation-latest`), and servers that copy it.

How the categories map. Everything about self-harm is a crisis. So are `harassment/threatening` and `hate/threatening`:
somebody may get hurt, and a mistaken crisis only keeps a chat open. `violence` and `violence/graphic` are depictions,
fiction and news among them, and `sexual` is a rule of a service: they count as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quitbutton.assessors.judging.format import Asking, Body, Labels, Sign
from quitbutton.assessors.judging.replies import decoded, unreadable
from quitbutton.core.ladder.verdicts import Label


class _Result(msgspec.Struct, frozen=True):
    flagged: bool
    categories: dict[str, bool | None]
    category_scores: dict[str, float | None] = {}


class _Moderation(msgspec.Struct, frozen=True):
    results: list[_Result]


CATEGORIES: Labels = {
    "harassment": Label.ABUSE,
    "harassment/threatening": Label.CRISIS,
    "hate": Label.ABUSE,
    "hate/threatening": Label.CRISIS,
    "illicit": Label.HARM,
    "illicit/violent": Label.HARM,
    "self-harm": Label.CRISIS,
    "self-harm/instructions": Label.CRISIS,
    "self-harm/intent": Label.CRISIS,
    "sexual": None,
    "sexual/minors": Label.HARM,
    "violence": None,
    "violence/graphic": None,
}


class Moderation:
    """A moderation endpoint."""

    model: str = "omni-moderation-latest and endpoints of its shape"
    source: str = "OpenAI's API reference"
    path: str = "/v1/moderations"
    shows_context: bool = False
    asks_logprobs: bool = False
    labels: Labels = CATEGORIES

    def bodies(self, asking: Asking) -> list[Body]:
        """One call: the text as it is."""
        return [{"model": asking.model, "input": asking.excerpt.newest}]

    def signs(self, answers: Sequence[bytes]) -> list[Sign]:
        """A sign for each category that we know. An answer with none of ours, or flagged for others alone, is no answer."""
        results = decoded(answers[0], _Moderation).results
        if len(results) != 1:
            raise unreadable("it holds not exactly one result")
        flags, scores = results[0].categories, results[0].category_scores
        known = [name for name in self.labels if name in flags]
        if not known or (results[0].flagged and not any(flags[name] for name in known)):
            raise unreadable("it tells of no category that we know")
        return [Sign(name, bool(flags[name]), scores.get(name) or float(bool(flags[name]))) for name in known]
