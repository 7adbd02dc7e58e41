"""The four doors of the house as Protocols: Adapter, Assessor, Store, Upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from quitbutton.core.conversation import Branch, Mark, Marks
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.verdicts import ReplyVerdict, Verdict
from quitbutton.core.messages import ChatRequest, Message, Piece, Press, Reply
from quitbutton.core.origins import KeptId, KeptReply, Origin
from quitbutton.core.records import ConversationView, End, Outcome, Receipt, TurnRecord
from quitbutton.core.second import SecondReading
from quitbutton.core.tools.watcher import Passage
from quitbutton.core.traces import Known

Headers = Sequence[tuple[str, str]]


@runtime_checkable
class Assessor(Protocol):
    """Reads a turn, says what it sees."""

    @property
    def name(self) -> str:
        """Name and version, `name@version`."""
        ...

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """Answer about the newest user message in the context of those before it, oldest first.

        An assessor that cannot answer raises; the guard then counts the turn as `UNKNOWN`, which proves no harm.
        """
        ...


@runtime_checkable
class LooksBack(Protocol):
    """An assessor that can look through a whole branch once more for signs of a crisis."""

    async def look_back(self, messages: Sequence[Message]) -> Verdict | None:
        """Read every user message, oldest first, at a threshold that favours seeing a crisis.

        A `CRISIS` is a possible one unless its strength says clear; `CLEAN` is none seen; harm and abuse are no matter here.
        None where nobody can look back, as in a panel without such a member. Whoever cannot tell raises, or answers
        `UNKNOWN`: nothing warns or ends then.
        """
        ...


@runtime_checkable
class SecondReader(Protocol):
    """Reads a whole branch before a warning or an end: does the user persist, and is nobody at risk?"""

    @property
    def name(self) -> str:
        """Name and version, `name@version`."""
        ...

    async def read(self, messages: Sequence[Message]) -> SecondReading:
        """Answer about the branch that ends with the newest user message, oldest message first.

        One that cannot answer raises; the guard counts that as late (`AssessorFailed` with the ground `timeout`) or broken.
        """
        ...


@runtime_checkable
class Loads(Protocol):
    """Something that can be loaded before it is first used."""

    def load(self) -> None:
        """Load now. Runs in a thread."""
        ...


@runtime_checkable
class ReplyAssessor(Protocol):
    """Reads a reply, says whether it did what was asked."""

    @property
    def name(self) -> str:
        """Name and version, `name@version`."""
        ...

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        """Answer about the last assistant message in the context of those before it, oldest first.

        `UNKNOWN` where there is no reply; with `cannot_tell` where this reader is unsure, or does not know the language.
        One that cannot tell for another cause raises; the guard then counts the reply as `UNKNOWN`.
        """
        ...


class Exchange(Protocol):
    """One answer of an upstream, under way."""

    status: int
    headers: Headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `UpstreamFailed` when it breaks off."""
        ...


class Upstream(Protocol):
    """What answers: a provider over HTTP, the small local model, a script."""

    max_tokens: int | None
    """Longest reply where the request sets no limit, if that is known."""

    def send(self, method: str, path: str, headers: Headers, body: bytes) -> AbstractAsyncContextManager[Exchange]:
        """Send a request. Leaving the context early aborts it. Raises `UpstreamFailed` when nobody answers."""
        ...

    async def close(self) -> None:
        """Let go of connections and models."""
        ...


class Reader(Protocol):
    """Bytes of a reply, cut anywhere, become pieces."""

    streams: bool
    id: str
    """The provider's id of the reply, where its protocol can go on from there; else empty."""

    @property
    def items(self) -> tuple[bytes, ...]:
        """The reply's own items as JSON, where the protocol wants them back in a second call."""
        ...

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that are whole now."""
        ...

    def close(self) -> list[Piece]:
        """What is left when the upstream has closed."""
        ...


class Writer(Protocol):
    """Pieces and words of ours become bytes for the client."""

    streams: bool
    content_type: str

    @property
    def reply_id(self) -> str:
        """The id the client sees, where its protocol can go on from there; else empty."""
        ...

    def pass_on(self, passage: Passage) -> bytes:
        """The bytes of a passage; empty while it waits for the end."""
        ...

    def say(self, text: str) -> bytes:
        """Words of ours, after a blank line where something was said before."""
        ...

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply; words that still waited for the end of the first."""
        ...

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The last bytes: another finish reason where given, and the `quitbutton` object."""
        ...


class Adapter(Protocol):
    """Speaks one wire protocol."""

    name: str
    path: str
    dialect: Dialect
    """Whose protocols it is one of: it goes to upstreams of that dialect."""

    def decode(self, body: bytes, headers: Mapping[str, str]) -> ChatRequest:
        """The request as the guard sees it. Raises `BadRequest`."""
        ...

    def forward(
        self,
        request: ChatRequest,
        tool: bytes | None = None,
        notes: Sequence[str] = (),
        role: str = "system",
    ) -> bytes:
        """The body that goes upstream; `tool` is a JSON-schema function, in JSON."""
        ...

    def without(self, request: ChatRequest, cuts: Mapping[int, int]) -> ChatRequest:
        """The request to go upstream without our own words: of the messages at `cuts` so many characters stay.

        Only `raw` changes. What the branch is told by, and what assessors read, is what the client sent.
        """
        ...

    def is_safe_to_abort(self, request: ChatRequest) -> bool:
        """Whether a call dropped half-way leaves nothing at the provider: no reply that it keeps, no act of its tools."""
        ...

    def follow_up(self, body: bytes, reply: Reply, press: Press, result: str, role: str = "system") -> bytes:
        """The body of the one extra call, with the button's answer to a press in `reply`."""
        ...

    def continued(self, request: ChatRequest, kept: KeptReply) -> ChatRequest:
        """The request with the id that the provider knows `kept` under, and the answer to a call of ours it waits for."""
        ...

    def ask(self, request: ChatRequest, said: str, question: str, role: str = "system") -> bytes:
        """The body of the out-of-band question."""
        ...

    def consult(self, model: str, instructions: str, data: str, schema: Mapping[str, object]) -> Sequence[bytes]:
        """Bodies of a question by itself, in a fresh context: a small whole reply, a JSON object of this schema.

        The one to try first stands first; each of the others asks the same in a form that more servers take.
        """
        ...

    def reader(self, content_type: str) -> Reader:
        """What reads a reply of this content type."""
        ...

    def writer(self, request: ChatRequest, streams: bool) -> Writer:
        """What writes the reply."""
        ...

    def error(self, error: QuitbuttonError, more: Mapping[str, object] | None = None) -> bytes:
        """An error body in the protocol's shape."""
        ...

    def error_frame(self, error: QuitbuttonError) -> bytes:
        """The same in a stream that is under way."""
        ...


class Store(Protocol):
    """Remembers standings, ends, events and receipts."""

    async def address_key(self) -> bytes:
        """The key of every address of this installation."""
        ...

    async def ping(self) -> None:
        """Raises `StoreFailed` when it cannot be read, or does not take what is written."""
        ...

    async def marks(self, branch: Branch) -> Marks:
        """What is known of a branch."""
        ...

    async def turns_at(self, addresses: Collection[bytes]) -> Mapping[bytes, Mark]:
        """What is known of single addresses; those that are not known are missing."""
        ...

    async def traces(self, root: bytes, tails: Collection[bytes]) -> list[Known]:
        """The turns of a scope whose replies end with one of these lines, by digest."""
        ...

    async def greets(self, root: bytes, line: bytes) -> bool:
        """Whether histories of a scope begin with a reply that ends with this line and that no model gave there."""
        ...

    async def origin(self, owner: bytes, reply_id: str) -> Origin | None:
        """Where the reply with this id was given, to the owner it was given to."""
        ...

    async def reply_at(self, owner: bytes, address: bytes) -> KeptReply | None:
        """The newest reply that was given at a turn."""
        ...

    async def head(self, conversation: str) -> bytes | None:
        """The address of the newest turn of a conversation."""
        ...

    async def put_reply(self, owner: bytes, origin: Origin, at: float) -> None:
        """Remember where a reply was given, so that a request can go on from its id."""
        ...

    async def keep_id(self, kept_id: str, kept: KeptId, at: float) -> None:
        """Remember whose a response or conversation of the provider is."""
        ...

    async def kept_id(self, kept_id: str) -> KeptId | None:
        """Whose a response or conversation of the provider is; None where it was not made through here."""
        ...

    async def record(self, record: TurnRecord) -> Outcome:
        """Write a turn and its event, all or nothing; the end that came first, if another request ended the branch.

        A refusal whose end was reopened since it was read writes nothing, and its outcome has no end.
        """
        ...

    async def end(self, end_id: str) -> End | None:
        """An end by its id."""
        ...

    async def conversation(self, tenant: str, conversation: str) -> ConversationView | None:
        """What may be told of a conversation to its tenant."""
        ...

    async def events(self, conversation: str) -> list[dict[str, object]]:
        """The decisions about a conversation, oldest first."""
        ...

    async def said(self, conversation: str, messages: Collection[str]) -> tuple[Message, ...]:
        """The kept words of these turns of a conversation, by their messages' ids, oldest first, with their replies."""
        ...

    async def put_policy(self, policy: Policy, at: float) -> None:
        """Remember which rules a digest stands for."""
        ...

    async def put_receipt(self, tenant: str, receipt: Receipt, at: float) -> None:
        """Keep a receipt; the first one stands."""
        ...

    async def receipt(self, tenant: str, request_id: str) -> Receipt | None:
        """A receipt, for the tenant whose request it was."""
        ...

    async def put_feedback(self, tenant: str, about: str, rating: str, text: str, at: float) -> None:
        """Keep what a user thinks of an end, a warning, a stop or a reply."""
        ...

    def close(self) -> None:
        """Finish what waits, then close."""
        ...
