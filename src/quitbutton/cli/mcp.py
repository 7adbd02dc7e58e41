"""Offer `end_conversation` and `decline_task` to an MCP client, over standard input and output.

A tool server can only pass on what a model wishes: its descriptions and results say so. Only the gateway can enforce an end.
Needs pip install 'quitbutton[mcp]'.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from quitbutton.core.errors import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--record", type=Path, metavar="FILE", help="write each call to this file, as JSON lines")


def run(given: argparse.Namespace) -> int:
    """Serve until the client leaves. Raises `SettingsError` where the package is missing or FILE cannot be written."""
    try:
        from quitbutton.integrations.mcp import server_of  # noqa: PLC0415 - only when it is asked for by name
    except ImportError as error:
        raise SettingsError(f"`quitbutton mcp` needs {error.name}: pip install 'quitbutton[mcp]'.") from error
    if given.record is not None:
        try:
            given.record.open("a").close()
        except OSError as error:
            raise SettingsError(f"{given.record} cannot be written: {error}.") from error
    server_of(given.record).run("stdio")
    return 0
