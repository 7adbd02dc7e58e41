"""Policies as versions: written, tried in shadow, rolled out to a share of scopes, then to all, and rolled back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from quitbutton.core.errors import BadRequest
from quitbutton.core.ladder.policy import Policy

DEFAULT = "default"
"""The name of the policy that holds where no key and no route names another."""
MAX_NOTE = 500


class Stage(StrEnum):
    """How far a version reaches."""

    DRAFT = "draft"
    SHADOW = "shadow"
    """Its decisions are recorded beside those in force, and change nothing."""
    SHARE = "share"
    """In force for a share of scopes: a user is under one version at a time."""
    ALL = "all"
    RETIRED = "retired"
    """It was in force once; it can be again."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a named policy."""

    name: str
    number: int
    policy: Policy
    author: str
    note: str
    created_at: float
    stage: Stage = Stage.DRAFT
    share: float = 0.0
    changed_at: float = 0.0
    changed_by: str = ""


def in_force(versions: Sequence[Version], chance: float) -> Version | None:
    """The version that holds for a scope with this chance (0 to 1); None leaves it to the settings.

    The newest that is rolled out to a share holds for the scopes below that share, else the one that is rolled out to all.
    """
    for one in sorted(versions, key=lambda version: -version.number):
        if one.stage is Stage.SHARE and chance < one.share:
            return one
    return next((one for one in versions if one.stage is Stage.ALL), None)


def in_shadow(versions: Sequence[Version]) -> list[Version]:
    """The versions whose decisions are recorded and not acted on."""
    return [one for one in versions if one.stage is Stage.SHADOW]


def chance_of(name: str, *scope: str | None) -> float:
    """Where a scope stands between 0 and 1 for a policy's roll-out: the same at every turn and on every replica."""
    text = "\0".join([name, *(part or "" for part in scope)])
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big") / 2**48


def difference(before: Policy, after: Policy) -> dict[str, list[Any]]:
    """The keys that differ, each with its value before and after."""
    old, new = _plain(before), _plain(after)
    return {name: [old[name], new[name]] for name in new if old[name] != new[name]}


def _plain(policy: Policy) -> Mapping[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(policy).items()}


def checked_roll_out(stage: Stage, share: float) -> float:
    """The share that a stage has. Raises `BadRequest`."""
    if stage is Stage.RETIRED:
        raise BadRequest("A version is retired by rolling out another; to leave a stage, go to draft.")
    if stage is Stage.SHARE and not 0 < share < 1:
        raise BadRequest("`share` must be over 0 and under 1; for everybody the stage is `all`.")
    return share if stage is Stage.SHARE else 0.0
