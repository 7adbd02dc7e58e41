"""An export is refused that is not, line for line, what was exported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from quitbutton.audit.signer import is_signed_by
from quitbutton.core.audit.exports import verified
from tests.audit.test_trail import Trail

Tamper = Callable[[list[str]], list[str]]


def other(line: str, **members: Any) -> str:
    return json.dumps({**json.loads(line), **members}, ensure_ascii=False, separators=(",", ":")) + "\n"


def doubled_leaf(lines: list[str]) -> list[str]:
    forged = json.dumps(json.loads(lines[2])["leaf"].replace("abuse", "harm"))
    return [*lines[:2], lines[2].replace('{"n":1,', f'{{"n":1,"leaf":{forged},'), *lines[3:]]


def one_more_member(lines: list[str]) -> list[str]:
    return [*lines[:3], other(lines[3], note="decided by nobody"), *lines[4:]]


def one_more_member_of_a_checkpoint(lines: list[str]) -> list[str]:
    return [*lines[:-1], other(lines[-1], size=99)]


def one_more_member_of_the_header(lines: list[str]) -> list[str]:
    return [other(lines[0], fields_were=["seq"]), *lines[1:]]


def swapped_fields(lines: list[str]) -> list[str]:
    fields = json.loads(lines[0])["fields"]
    return [other(lines[0], fields=[fields[1], fields[0], *fields[2:]]), *lines[1:]]


def swapped_members(lines: list[str]) -> list[str]:
    one = json.loads(lines[1])
    return [lines[0], json.dumps(dict(reversed(one.items())), separators=(",", ":")) + "\n", *lines[2:]]


def spaced(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace('"n":0', '"n": 0'), *lines[2:]]


def two_headers(lines: list[str]) -> list[str]:
    return [*lines, lines[0]]


def header_last(lines: list[str]) -> list[str]:
    return [*lines[1:], lines[0]]


def checkpoint_first(lines: list[str]) -> list[str]:
    return [lines[0], lines[-1], *lines[1:-1]]


def without_a_checkpoint_between(lines: list[str]) -> list[str]:
    return [*lines[:-2], lines[-1]]


TAMPERED: list[tuple[Tamper, str]] = [
    (doubled_leaf, "line 3 is neither the header, an event nor a checkpoint|line 3 is not as it was exported"),
    (one_more_member, "line 4 is neither the header, an event nor a checkpoint"),
    (one_more_member_of_a_checkpoint, "is neither the header, an event nor a checkpoint"),
    (one_more_member_of_the_header, "line 1 is neither the header, an event nor a checkpoint"),
    (swapped_fields, "another order of them"),
    (swapped_members, "line 2 is neither the header, an event nor a checkpoint"),
    (spaced, "line 2 is not as it was exported"),
    (two_headers, "an export has one header"),
    (header_last, "an export has one header"),
    (checkpoint_first, "stands after a checkpoint"),
    (without_a_checkpoint_between, "which was removed"),
]


@pytest.mark.parametrize(("tamper", "said"), TAMPERED, ids=[tamper.__name__ for tamper, _ in TAMPERED])
def test_an_export_of_another_spelling_is_refused(tamper: Tamper, said: str) -> None:
    async def scene() -> None:
        trail = Trail()
        lines = await trail.grows()
        assert verified(lines, is_signed_by, trail.signer.key).problems == []
        problems = verified(tamper(lines), is_signed_by, trail.signer.key).problems
        assert any(part in problem for part in said.split("|") for problem in problems), problems

    asyncio.run(scene())
