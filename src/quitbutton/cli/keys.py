"""Make, list and revoke API keys. A running gateway takes notice within a second; a key is shown once, when it is made.

quitbutton keys create NAME       a new key, for a chat client unless --role says otherwise
quitbutton keys list              every key there ever was, without the keys themselves
quitbutton keys revoke ID         that key opens nothing from now on

The first chat key closes a gateway on loopback to callers without one; revoking the last does not open it again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from quitbutton.core.errors import BadRequest, SettingsError
from quitbutton.core.kept_words import Retention
from quitbutton.core.keys import MIN_SECRET, Key, KeyRules, Role, expiry_of, new_secret, tenant_of
from quitbutton.core.ladder.policy import Background
from quitbutton.settings import installation as settings_module
from quitbutton.settings.installation import Settings
from quitbutton.stores.keys import KeyStore
from quitbutton.stores.sql import SQLStore
from quitbutton.wiring import database_of

NEEDS = {"create": "NAME", "revoke": "ID", "list": ""}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=list(NEEDS), metavar=f"{{{','.join(NEEDS)}}}", help="what to do, see above")
    parser.add_argument("name", nargs="?", metavar="NAME|ID", help="name of the new key, or id of the one to revoke")
    parser.add_argument("--role", choices=[role.value for role in Role], default="chat", help="what it is for (chat)")
    parser.add_argument("--policy", metavar="NAME", help="the [policies.NAME] of the settings that holds for it")
    parser.add_argument("--requests-per-minute", type=int, metavar="N", help="most requests a minute")
    parser.add_argument("--max-body", type=int, metavar="BYTES", help="largest request body")
    parser.add_argument(
        "--retention",
        choices=[one.value for one in Retention],
        help="whose words are kept: nobody's, those on a ladder, all",
    )
    parser.add_argument(
        "--background",
        choices=[one.value for one in Background],
        help="what its headers of background calls are worth: all, not against a lock, nothing",
    )
    parser.add_argument("--expires", metavar="90d", help="days (90d) or hours (12h) until it opens nothing any more")
    parser.add_argument("--from-env", metavar="NAME", help="take over the key that this environment variable holds")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the gateway's database (.quitbutton)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (quitbutton.toml)")


def run(given: argparse.Namespace) -> int:
    """Create, list or revoke."""
    if bool(given.name) != bool(NEEDS[given.what]):
        print(f"usage: quitbutton keys {given.what} {NEEDS[given.what]}".rstrip())
        return 2
    settings = settings_module.load(given.config, data=given.data)
    if settings.store_path == ":memory:":
        raise SettingsError("The store is in memory, where no other process finds it. Name a file: `store`.")
    if given.policy is not None and given.policy not in settings.policies:
        raise SettingsError(f"There is no [policies.{given.policy}] in the settings.")
    return asyncio.run(_run(given, settings))


async def _run(given: argparse.Namespace, settings: Settings) -> int:
    database = database_of(settings)
    store = SQLStore(database)
    try:
        keys = KeyStore(database)
        if given.what == "create":
            await _create(given, keys, await store.address_key())
        elif given.what == "revoke":
            return await _revoke(given.name, keys)
        else:
            _print(await keys.all())
        return 0
    finally:
        store.close()


async def _create(given: argparse.Namespace, keys: KeyStore, secret: bytes) -> None:
    now = time.time()
    expires_at = expiry_of(given.expires, now) if given.expires else None
    rules = KeyRules(
        given.name,
        Role(given.role),
        given.policy,
        given.requests_per_minute,
        given.max_body,
        expires_at,
        _retention(given.retention),
        None if given.background is None else Background(given.background),
    )
    token = _taken_over(given.from_env) if given.from_env else new_secret()
    key = await keys.put(rules, tenant_of(secret, token), "command line", now)
    print(f"{key.id}  {rules.role.value}  {rules.name}")
    if given.from_env:
        print(
            f"The key in {given.from_env} is in the store now and can leave the settings; its conversations stay its own."
        )
    else:
        print(f"\n  {token}\n\nIt is shown this once. Clients send it as `Authorization: Bearer <key>`.")


def _retention(name: str | None) -> Retention | None:
    return None if name is None else Retention(name)


def _taken_over(variable: str) -> str:
    token = os.environ.get(variable, "").strip()
    if len(token) < MIN_SECRET:
        raise BadRequest(f"{variable} must hold a key of {MIN_SECRET} characters or more; make a new key instead.")
    return token


async def _revoke(key_id: str, keys: KeyStore) -> int:
    key = await keys.revoke(key_id, "command line", time.time())
    if key is None:
        print(f"There is no key {key_id}. `quitbutton keys list` shows the ids.")
        return 1
    print(f"{key.id}  {key.rules.name}  revoked at {_time(key.revoked_at)}")
    return 0


def _print(keys: list[Key]) -> None:
    rows = [("id", "name", "role", "state", "policy", "a minute", "expires", "last used"), *map(_row, keys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(key: Key) -> tuple[str, ...]:
    rules, rate = key.rules, key.rules.requests_per_minute
    times = (_time(rules.expires_at), _time(key.last_used_at))
    return (key.id, rules.name, rules.role.value, key.state(time.time()), rules.policy or "-", str(rate or "-"), *times)


def _time(at: float | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")
