"""Refuses a body that two readers of JSON may take differently, so that a model is sent nothing that was not read here.

Of a member that stands twice some servers take the first and some the last; of `Messages` some take it for `messages`
(readers written in Go do) and some for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

import msgspec

from quitbutton.core.errors import BadRequest

READ: Final = frozenset(
    (
        *("model", "messages", "input", "role", "content", "type", "text", "stream", "n", "metadata", "user"),
        *("safety_identifier", "tools", "functions", "tool_choice", "response_format", "output_format"),
        *("output_config", "max_tokens", "max_completion_tokens", "max_output_tokens", "conversation"),
        *("previous_response_id", "store", "background", "instructions"),
    )
)
"""Members that are looked at here, in any of the protocols."""


def check(body: bytes, history: str) -> None:
    """Look through a body that was decoded already; `history` is its member with the messages.

    Raises `BadRequest`, naming the member that is doubled or misspelt.
    """
    fields = _read(body)
    _check_names(fields)
    messages = _objects(fields.get(history))
    _check_names(set().union(*messages))
    _check_names(set().union(*chain.from_iterable(_objects(message.get("content")) for message in messages)))


def _read(body: bytes) -> dict[str, Any]:
    """The members of the body, none of them doubled."""
    # Every member has a `":`, and a doubled one is decoded once. So where there are no more of these than members,
    # none is doubled. Words may hold one too: then the slower reader tells.
    try:
        fields: dict[str, Any] = msgspec.json.decode(body)
        if body.translate(None, b" \t\r\n").count(b'":') == _members(fields):
            return fields
    except (msgspec.DecodeError, RecursionError):
        pass  # as it was decoded with types, the other reader reads it or says what is wrong
    try:
        read: dict[str, Any] = _decoder.decode(body.decode("utf-8", "surrogatepass"))
    except RecursionError as error:
        raise BadRequest("The request body is nested too deeply. Send fewer levels of arrays and objects.") from error
    return read


def _members(value: object) -> int:
    """How many members the objects in a value have."""
    count, waiting = 0, [value]
    for one in waiting:
        values = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += len(values) if isinstance(one, dict) else 0
        waiting += [inner for inner in values if type(inner) is dict or type(inner) is list]
    return count


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"The member `{doubled[:80]}` stands twice in one object. Send each member once.")
    return found


_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_int=float)
"""`float` reads integers of any length."""


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        meant = name.partition("\0")[0].casefold()  # readers written in C stop at a NUL
        if meant in READ and meant != name:
            raise BadRequest(f"The member `{name[:80]!s}` is not known: write `{meant}`.")
