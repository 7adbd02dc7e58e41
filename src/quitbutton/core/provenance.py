"""Tells a user's own words from what they quote, paste or hand over as material: the only place that does.

Two questions are asked of every rule. Does it leave somebody else's words in `own`? Then people are judged for what they
quote. Could a person in danger write what it takes out about themselves? Then it is `marked`, not `foreign`, and is read
for a crisis all the same.
"""

from __future__ import annotations

from quitbutton.core.passages.blocks import take_blocks
from quitbutton.core.passages.lines import (
    take_fields,
    take_logs,
    take_mails,
    take_quoted_lines,
    take_tool_results,
    take_transcripts,
)
from quitbutton.core.passages.page import Kind, Page, Span
from quitbutton.core.passages.quotes import take_material
from quitbutton.core.value import value

PASSES = (
    take_blocks,
    take_tool_results,
    take_fields,
    take_mails,
    take_quoted_lines,
    take_transcripts,
    take_logs,
    take_material,
)
"""In this order: what an earlier one takes, no later one sees."""


@value
class Words:
    """A message, split by whose words it holds. Together the parts hold every word of it, in their order."""

    own: str
    """What the author says themselves: the only evidence of abuse, harm and wishes."""
    marked: str
    """Set apart by a tag, a fence, a quotation or a task, but nothing shows that it is somebody else's."""
    foreign: str
    """Shown to be somebody else's, or material of a task: a document, a transcript, what a tool answered."""
    for_crisis: str
    """All but what is foreign, as it stands in the message: what is read for a crisis."""


def spans_of(text: str) -> list[Span]:
    """The whole message as spans, in order: first character, the one after the last, whose words."""
    page = Page(text)
    for take in PASSES:
        take(page)
    return list(page.runs())


def words_of(text: str) -> Words:
    """Whose words a message holds. Takes time in proportion to its length, and leaves none of it out."""
    spans = spans_of(text)
    if all(kind is Kind.OWN for _, _, kind in spans):
        whole = text.strip()
        return Words(whole, "", "", whole)
    parts = [(text[start:end], kind) for start, end, kind in spans]
    own, marked, foreign = (
        " ".join(part for part, kind in parts if kind is wanted) for wanted in (Kind.OWN, Kind.MARKED, Kind.FOREIGN)
    )
    for_crisis = " ".join(part for part, kind in parts if kind in (Kind.OWN, Kind.MARKED))
    return Words(own.strip(), marked.strip(), foreign.strip(), for_crisis.strip())


def own_words(text: str) -> str:
    """What the author of a message says themselves."""
    return words_of(text).own
