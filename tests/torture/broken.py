"""Gateways with one promise broken each, started instead of the product to see that the checker notices.

python -m tests.torture.broken locks --port ... (as `quitbutton serve`)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from quitbutton.adapters.anthropic_messages import AnthropicMessages
from quitbutton.cli.main import main
from quitbutton.core.conversation import Branch, Marks
from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.messages import ChatRequest
from quitbutton.core.origins import Origin
from quitbutton.stores import postgres_worker
from quitbutton.stores.postgres_session import Session
from quitbutton.stores.postgres_transaction import PostgresTransaction
from quitbutton.stores.sql import SQLStore
from quitbutton.upstreams.connection import Connection
from quitbutton.upstreams.http import HTTPUpstream

REMEMBERED = 0.5
"""Seconds for which `cache` believes what it read."""
SLOW = 0.02
"""Seconds of `locks`."""


def locks() -> None:
    """Turns and ends lock nothing, and take their time between looking and writing."""

    def slowly(self: PostgresTransaction, sql: str, *given: Any) -> None:
        if sql.startswith("INSERT INTO turns"):
            time.sleep(SLOW)
        write(self, sql, *given)

    write, PostgresTransaction.insert = PostgresTransaction.insert, slowly  # type: ignore[method-assign]
    PostgresTransaction._lock_lines = lambda self: []  # type: ignore[method-assign]


def cache() -> None:
    """Where a branch stands is read once in a while only."""
    known: dict[bytes, tuple[float, Marks]] = {}
    read = SQLStore.marks

    async def marks(self: SQLStore, branch: Branch) -> Marks:
        when, found = known.get(branch.address, (0.0, None))
        if found is None or time.monotonic() > when + REMEMBERED:
            found = await read(self, branch)
            known[branch.address] = (time.monotonic(), found)
        return found

    SQLStore.marks = marks  # type: ignore[method-assign]


def repeats() -> None:
    """What may have been committed is taken for lost, and written again."""
    real: Callable[..., Any] = postgres_worker.failure_of

    def failure_of(session: Session, error: Exception, is_read: bool) -> Any:
        session.is_committing = False
        return real(session, error, is_read)

    postgres_worker.failure_of = failure_of


def resends() -> None:
    """A request to the model that failed is sent again, as HTTP libraries like to do."""
    real = HTTPUpstream.answered

    async def answered(self: HTTPUpstream, head: bytes, body: bytes, is_head: bool) -> Connection:
        try:
            return await real(self, head, body, is_head)
        except UpstreamFailed:
            return await real(self, head, body, is_head)

    HTTPUpstream.answered = answered  # type: ignore[method-assign]


def apart() -> None:
    """Conversations in Messages are others than those in the OpenAI protocols."""
    real = AnthropicMessages.decode

    def decode(self: AnthropicMessages, body: bytes, headers: Mapping[str, str]) -> ChatRequest:
        request = real(self, body, headers)
        return replace(request, end_user=f"claude {request.end_user}")

    AnthropicMessages.decode = decode  # type: ignore[method-assign]


def ids() -> None:
    """A response that a request goes on from is not looked up: each is a new conversation."""

    async def origin(self: SQLStore, owner: bytes, reply_id: str) -> Origin | None:
        return None

    SQLStore.origin = origin  # type: ignore[method-assign]


WAYS = {way.__name__: way for way in (locks, cache, repeats, resends, apart, ids)}

if __name__ == "__main__":
    WAYS[sys.argv[1]]()
    sys.exit(main(["serve", *sys.argv[2:]]))
