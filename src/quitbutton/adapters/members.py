"""Reads single members of a request body, with an error that names the one that is wrong."""

from __future__ import annotations

from typing import Any

import msgspec

from quitbutton.adapters.splice import Fields
from quitbutton.core.errors import BadRequest

MAX_MESSAGES = 20_000
"""Most messages in a request."""
ANSWER_TOKENS, REASONED_TOKENS = 200, 1000
"""Most tokens of an answer to a question of ours, and of one by a model that does not answer before it has reasoned."""


def member(fields: Fields, name: str, kind: Any, default: Any) -> Any:
    """A member as a value of `kind`; the default where it is missing or null. Raises `BadRequest`."""
    raw = fields.get(name)
    if raw is None or bytes(raw) == b"null":
        return default
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"`{name}` cannot be read: {error}.") from error
