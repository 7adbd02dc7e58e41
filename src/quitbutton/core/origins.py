"""Where a request goes on from when the provider keeps the history and the request brings only what is new."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptReply:
    """A reply that a later request may go on from by its id."""

    id: str
    """The id that the client was given."""
    upstream_id: str | None
    """The id under which the provider keeps it; None where the gateway spoke and the provider keeps nothing before it."""
    upstream: str = ""
    """Name of the upstream that keeps it."""
    owed: str | None = None
    """Call id of a press beside calls of the client's, which the provider still waits to be answered."""


@dataclass(frozen=True, slots=True)
class KeptId:
    """Whose a response or a conversation is that a provider keeps."""

    owner: bytes
    """The API key through which it was made, as `owner_of` names it."""
    upstream: str
    """Name of the upstream that keeps it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request goes on from when the provider keeps the history: a turn, and the reply to it."""

    address: bytes
    conversation: str
    reply: KeptReply | None = None
