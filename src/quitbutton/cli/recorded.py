"""Recorded conversations as lines for the commands that read conversations."""

from __future__ import annotations

import asyncio
import json

from quitbutton.core.errors import SettingsError
from quitbutton.replay.recorded import LONGEST
from quitbutton.settings.installation import Settings
from quitbutton.stores.console import LAST_SEQ, Console, Page
from quitbutton.stores.sql import SQLStore
from quitbutton.wiring import database_of

MOST = 1000


def recorded_lines(settings: Settings, newest: int) -> list[str]:
    """The conversations that were newest spoken in: {"id", "recorded": [events]}, a line each. Raises `SettingsError`."""
    if not 0 < newest <= MOST:
        raise SettingsError(f"--recorded takes a number from 1 to {MOST}.")
    return asyncio.run(_read(settings, newest))


async def _read(settings: Settings, newest: int) -> list[str]:
    database = database_of(settings)
    store = SQLStore(database)
    try:
        console = Console(database)
        names = [one.id for one in await console.conversations(None, Page(limit=newest))]
        if not names:
            raise SettingsError(f"Nothing is recorded in {settings.data}; --data or --config names another folder.")
        return [json.dumps({"id": name, "recorded": await console.ladder(name, LAST_SEQ, LONGEST)}) for name in names]
    finally:
        store.close()
