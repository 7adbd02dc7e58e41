"""Policy versions in the store; each change of one is an event of the record."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from quitbutton.core.errors import NotFound, QuitbuttonError
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.versions import Stage, Version
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES

log = logging.getLogger("quitbutton.policies")


class Versions:
    """Over the same database as the turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, list[Version]]:
        """Every version by the name of its policy, oldest first; one that this release cannot read is logged and left out."""
        found: dict[str, list[Version]] = {}
        for row in await self._database.read(QUERIES["versions"]):
            try:
                one = _version_of(row)
            except (ValueError, msgspec.ValidationError, QuitbuttonError) as error:
                log.error("version %s of the policy %s cannot be read by this release: %s", row[1], row[0], error)
                continue
            found.setdefault(one.name, []).append(one)
        return found

    async def put(self, name: str, policy: Policy, author: str, note: str, now: float) -> Version:
        """A new version, as a draft."""
        body = json.dumps(asdict(policy))

        def work(transaction: Transaction) -> Version:
            given = {"name": name, "digest": policy.digest, "body": body, "author": author, "note": note, "at": now}
            transaction.execute(QUERIES["put_version"], given)
            transaction.execute(QUERIES["put_policy"], {"digest": policy.digest, "body": body, "at": now})
            made = _version_of(transaction.execute(QUERIES["versions_of"], {"name": name})[-1])
            told = {"policy_name": name, "version": made.number, "policy": policy.digest, "by": author}
            _put_event(transaction, "policy.written", now, told)
            return made

        return await self._database.write(work, durable=True)

    async def roll_out(self, name: str, number: int, stage: Stage, share: float, by: str, now: float) -> Version:
        """Move a version to a stage; what was rolled out to all before is retired by another. Raises `NotFound`."""

        def work(transaction: Transaction) -> Version:
            before = {
                one.number: one for one in map(_version_of, transaction.execute(QUERIES["versions_of"], {"name": name}))
            }
            if number not in before:
                raise NotFound(f"There is no version {number} of the policy `{name}`.")
            given = {"name": name, "n": number, "at": now, "by": by}
            if stage is Stage.ALL:
                transaction.execute(QUERIES["retire_others"], given)
            transaction.execute(QUERIES["set_stage"], {**given, "stage": stage.value, "share": share})
            told = {"policy_name": name, "version": number, "policy": before[number].policy.digest, "by": by}
            moved = {"from": before[number].stage.value, "to": stage.value, "share": share}
            _put_event(transaction, "policy.rolled_out", now, {**told, **moved})
            rows = transaction.execute(QUERIES["versions_of"], {"name": name})
            return next(one for one in map(_version_of, rows) if one.number == number)

        return await self._database.write(work, durable=True)


def policy_of(body: Mapping[str, Any]) -> Policy:
    """A policy from its stored keys; keys of an older version of the product that are missing have their defaults."""
    known = {name: value for name, value in body.items() if name in Policy.__slots__}
    return msgspec.convert(known, Policy, strict=False)


def _version_of(row: Row) -> Version:
    name, number, body, author, note, created_at, stage, share, changed_at, changed_by = row
    policy = policy_of(json.loads(body))
    return Version(name, number, policy, author, note, created_at, Stage(stage), share, changed_at, changed_by)


def _put_event(transaction: Transaction, kind: str, at: float, body: dict[str, Any]) -> None:
    place = {"conversation": "", "message": "", "tenant": ""}
    transaction.execute(QUERIES["put_event"], {"at": at, "kind": kind, "body": json.dumps(body), **place})
