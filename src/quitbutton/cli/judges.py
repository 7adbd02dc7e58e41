"""The judges of a settings file for commands that ask assessors, and the event loop that their connections live on."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from quitbutton.assessors.panel import PATIENCE
from quitbutton.core.judges import JudgeSettings
from quitbutton.settings.installation import load
from quitbutton.wiring import PANEL_SHARE, Judges

T = TypeVar("T")


def add_config(parser: argparse.ArgumentParser) -> None:
    """The argument that names the settings file."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings file with [judges.NAME] tables (quitbutton.toml)"
    )


def tables_of(config: Path | None) -> dict[str, JudgeSettings]:
    """The `[judges.NAME]` tables. Raises `SettingsError` or `PolicyError`."""
    return load(config).judges


class Session:
    """One process's judges and their loop: connections do not outlive the loop that opened them."""

    def __init__(self, tables: Mapping[str, JudgeSettings], always: bool = True) -> None:
        self.judges = Judges(tables, always=always)
        self._runner = asyncio.Runner()
        atexit.register(self.close)

    @property
    def patience(self) -> float:
        """Seconds for a verdict that let every judge use its own time in a panel too: nobody waits for a reply here."""
        return max(PATIENCE, *(table.timeout / PANEL_SHARE for table in self.judges.tables.values()), 0)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result."""
        return self._runner.run(coroutine)

    def close(self, quiet: bool = False) -> None:
        """Close the connections, and tell what the judges did in this process."""
        atexit.unregister(self.close)
        for report in () if quiet else self.judges.reports():
            cost = "" if report.cost is None else f", cost {report.cost:.4f}"
            tokens = f"{report.prompt_tokens} + {report.completion_tokens} tokens"
            counts = f"{report.questions} questions, {report.calls} calls, {report.failures} failed, {tokens}{cost}"
            print(f"judge {report.name}: {counts}", file=sys.stderr)
        self._runner.run(self.judges.close())
        self._runner.close()
