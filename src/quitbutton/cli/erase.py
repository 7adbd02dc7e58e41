"""Erase what people said: of one conversation, or of an end user. What was decided stays, and every proof stays valid.

Kept messages, their salts, appeal texts, feedback texts and the models' explanations go. The events keep salted digests,
which say nothing without the salts.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from quitbutton.core.conversation import Scope, root_of
from quitbutton.core.errors import QuitbuttonError, SettingsError
from quitbutton.core.ladder.policy import Mode
from quitbutton.settings.installation import load
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore
from quitbutton.wiring import database_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--conversation", metavar="ID", help="a conversation's id, conv_...")
    parser.add_argument(
        "--user", metavar="NAME", help="an end user, as requests name them (safety_identifier, user, ...)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (quitbutton.toml)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the database")


def run(given: argparse.Namespace) -> int:
    """Erase and say how many conversations that were; 1 when there was none."""
    if (given.conversation is None) == (given.user is None):
        raise SettingsError("Name either --conversation ID or --user NAME.")
    done = asyncio.run(_erase(given))
    print(f"erased what was said in {done} conversation{'' if done == 1 else 's'}; what was decided stays on record")
    return 0 if done else 1


async def _erase(given: argparse.Namespace) -> int:
    settings = load(given.config, data=given.data)
    database = database_of(settings)
    store, rights = SQLStore(database), Rights(database)
    try:
        found = [given.conversation] if given.conversation else await _of_user(store, rights, given.user)
        for conversation in found:
            if not await store.events(conversation):
                raise QuitbuttonError(
                    f"There is no conversation {conversation}. Replies name theirs as `quitbutton.conversation`."
                )
            await rights.erase_conversation(conversation, time.time())
        return len(found)
    finally:
        store.close()


async def _of_user(store: SQLStore, rights: Rights, user: str) -> list[str]:
    """The conversations of an end user, whatever API key they came with."""
    key = await store.address_key()
    scopes = [
        Scope(tenant, user, None, realm) for tenant in await rights.tenants() for realm in ("", Mode.SHADOW.value)
    ]
    return [found for scope in scopes for found in await rights.conversations_of(root_of(key, scope))]
