"""What a model or its server cannot take of what the gateway adds to a request, told by its refusal and remembered.

A refusal proves nothing by itself: it may speak of tools for another cause. So nothing is remembered before the same request
was answered without what was refused.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

Key = tuple[str, ...]
"""Whose request it was, which upstream, protocol and model."""


class Lack(StrEnum):
    """Something that is not to be had from a model."""

    TOOLS = "tools"
    """It takes no tools: the button is offered as a call written as text."""
    LATE_NOTES = "late_notes"
    """Its template wants system text at the head alone: our notes stand at the end of the user's newest message."""


NO_LACKS: frozenset[Lack] = frozenset()
ELSEWHERE = frozenset({401, 403, 408, 409, 413, 429, 502, 503, 504})
"""Statuses that have another cause than the form of the request: keys, size, load, an unreachable server."""
MOST_READ = 4096
"""Bytes of a refusal that are read: it may repeat the whole request after its cause."""
ORDER = re.compile(r"\broles?\b|\bsystem\b|\bdeveloper\b|\balternat")
TOOLING = re.compile(r"\b(?:tool|function)")
TEMPLATE = re.compile(r"template|jinja")
LENGTH = re.compile(r"context[ _](?:length|window|size)|maximum context|too long|too many tokens|token limit|exceed")
"""A request that is too long with the button speaks of it too; the model takes tools all the same."""


def lack_in(status: int, body: bytes, has_tool: bool, has_notes: bool) -> Lack | None:
    """What a refusal says is lacking; None where it has another cause.

    `has_tool` and `has_notes` say what of ours was sent. Providers word this freely (`does not support tools`, `tool choice
    requires --enable-auto-tool-choice`, `roles must alternate`), so the subject is looked for, not a sentence.
    """
    said = body[:MOST_READ].decode("utf-8", "replace").lower()
    if not 400 <= status < 600 or status in ELSEWHERE or LENGTH.search(said):
        return None
    if has_notes and ORDER.search(said):  # first: "roles must alternate, except for tool calls"
        return Lack.LATE_NOTES
    if has_tool and TOOLING.search(said):
        return Lack.TOOLS
    return Lack.LATE_NOTES if has_notes and TEMPLATE.search(said) else None


@dataclass(slots=True)
class Lacks:
    """What is known to be lacking, by key: the newest `most` keys, each for `lasts` seconds, then it is tried again."""

    most: int = 4096
    lasts: float = 3600.0
    _known: OrderedDict[Key, tuple[frozenset[Lack], float]] = field(default_factory=OrderedDict)

    def of(self, key: Key, now: float) -> frozenset[Lack]:
        """What is lacking there."""
        lacks, until = self._known.get(key, (NO_LACKS, 0.0))
        if lacks and now >= until:
            del self._known[key]
            return NO_LACKS
        return lacks

    def learn(self, key: Key, lacks: frozenset[Lack], now: float) -> None:
        """Remember what was proven to be lacking there."""
        self._known[key] = (self.of(key, now) | lacks, now + self.lasts)
        self._known.move_to_end(key)
        while len(self._known) > self.most:
            self._known.popitem(last=False)
