"""What is written down: a turn with its decision, an end with its evidence, the receipt of a stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from quitbutton.core.conversation import Branch, Footing
from quitbutton.core.errors import NotReviewed
from quitbutton.core.kept_words import KeptWords
from quitbutton.core.ladder.decisions import Decision, is_reviewed
from quitbutton.core.ladder.standing import Evidence, Standing
from quitbutton.core.origins import KeptReply
from quitbutton.core.traces import Trace
from quitbutton.core.value import value


@dataclass(frozen=True, slots=True)
class End:
    """An end of a branch: final until an appeal is upheld, and the same on every repeat."""

    id: str
    reason: str
    decided_by: str
    ended_at: float
    """Seconds since 1970, UTC."""
    conversation: str
    message: str
    """Id of the user message on whose turn the branch ended."""
    policy: str
    explanation: str = ""
    """What the model gave as its explanation, if anything."""
    evidence: tuple[Evidence, ...] = ()
    model: str = ""
    """The model whose turn it was."""
    reopened_at: float | None = None
    """When an upheld appeal reopened the branch."""


@value
class TurnRecord:
    """One turn as it goes into the store, with the decision that becomes its audit event.

    Raises `NotReviewed` for a warning or an end that the readers of the whole branch did not let happen.
    """

    tenant: str
    branch: Branch
    footing: Footing
    decision: Decision
    request_id: str
    at: float
    mode: str
    end: End | None = None
    """The end this turn brings about, if it does."""
    press: str | None = None
    """How the model pressed, if it did: tool, string or question."""
    press_reason: str = ""
    """The reason it gave, if it pressed."""
    reply: KeptReply | None = None
    """The reply, where its protocol can go on from its id."""
    owner: bytes = b""
    """Whose reply that is."""
    words: tuple[KeptWords, ...] = ()
    """What was said, as far as it is kept."""
    model: str = ""
    """The model that was asked."""
    began: float = 0.0
    """When the turn began: an erasure since then takes its words too."""
    is_draft: bool = False
    """True for what a policy in shadow would have decided beside what was done: it does nothing, and needs no yes."""
    trace: Trace | None = None
    """What the turn may be known again by."""
    second_reader: str = ""
    """The second reader that must say yes here before a warning or an end, by its name; empty where there is none."""

    def __post_init__(self) -> None:
        if not self.is_draft and not is_reviewed(self.decision, self.second_reader):
            raise NotReviewed("A warning or an end without the yes that it needs; nothing was recorded.")


@value
class Outcome:
    """What became of a record: the standing that now holds, and the end of another request that came first, if any.

    A refusal's outcome without an end was not written: the branch was reopened meanwhile.
    """

    standing: Standing
    end: End | None = None


class Receipt(NamedTuple):
    """What a stop saved, or what a finished turn delivered."""

    request_id: str
    stopped: bool
    stopped_by: str | None
    """`user` (the stop endpoint), `client` (it hung up), `end` (another request ended the branch), `shutdown` (the
    gateway stopped), or None."""
    tokens_delivered: int
    """Pieces of text that left for the client; a token each with most providers."""
    tokens_billed: int | None
    """As the provider says, else None; those of its own model as the second reader are among them."""
    upstream_closed: bool
    tokens_saved_estimate: int | None
    """`max_tokens` less what was delivered; None when the request set no limit."""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """What may be told of a conversation to whom it belongs."""

    id: str
    state: str
    turns: int
    created_at: float
    updated_at: float
    ends: tuple[End, ...] = ()
