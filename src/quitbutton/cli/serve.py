"""Start the gateway: the chat page at /, the OpenAI protocol at /v1.

Without --upstream the small local model answers (93 MB, fetched at the first start), and the gateway climbs the ladder
itself (assist). With --upstream any OpenAI-compatible server answers, and its model gets the button. Settings
also come from quitbutton.toml and QUITBUTTON_*.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from dataclasses import replace
from pathlib import Path

from quitbutton.core.keys import LOOPBACK
from quitbutton.settings import installation as settings_module
from quitbutton.settings.installation import Settings

SETTINGS = (
    "host",
    "port",
    "upstream",
    "model",
    "policy_file",
    "assessor",
    "second_reader",
    "data",
    "workers",
    "log_level",
    "log_format",
)
"""Those that have an argument of their own."""
ASSESSORS = "local (default), scripted, a judge of the settings file, or names joined by commas"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--host", help="address to listen on (127.0.0.1); others need API keys")
    parser.add_argument("--port", type=int, help="port to listen on (8808)")
    parser.add_argument("--upstream", metavar="URL", help="OpenAI-compatible server to put the button in front of")
    parser.add_argument("--model", help="embedded model: smollm2, qwen-1.5b, or a GGUF file")
    parser.add_argument("--policy", type=Path, dest="policy_file", metavar="FILE", help="policy file (TOML)")
    parser.add_argument("--assessor", help="who reads the user's words: " + ASSESSORS)
    parser.add_argument(
        "--second-reader",
        metavar="NAME",
        help="who must say yes before a warning or an end: auto (default), none, or a judge of the settings file",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes that serve (1): one for each core")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of database and models (.quitbutton)")
    parser.add_argument(
        "--log-level", metavar="LEVEL", help="debug, info (a line each request), warning (default), error"
    )
    parser.add_argument("--log-format", metavar="FORMAT", help="text (default) or json")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (quitbutton.toml)")


def run(given: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from quitbutton.cli.setup import fetch_model  # noqa: PLC0415 - `--help` stays instant
    from quitbutton.gateway.auth import check_exposure  # noqa: PLC0415
    from quitbutton.gateway.sockets import socket_at  # noqa: PLC0415
    from quitbutton.gateway.workers import Workers  # noqa: PLC0415
    from quitbutton.upstreams.models import MODELS  # noqa: PLC0415
    from quitbutton.wiring import check_doors  # noqa: PLC0415

    settings = settings_module.load(given.config, **{name: getattr(given, name) for name in SETTINGS})
    if settings.is_embedded and settings.model in MODELS:
        fetch_model(settings.model, settings.data)
    check_doors(settings)
    exist = asyncio.run(_keys_exist(settings))
    check_exposure(settings, has_keys=any(exist))
    with socket_at(settings.host, settings.port) as sock:
        _greet(replace(settings, port=sock.getsockname()[1]), *exist)
        if settings.workers == 1:
            return _serve(settings, sock)
        return Workers(settings.workers, lambda: _serve(settings, sock), sock.close).run()


def _serve(settings: Settings, sock: socket.socket) -> int:
    """One process of the gateway."""
    from quitbutton.gateway.app import create_app  # noqa: PLC0415 - after the fork: what it starts would be lost in it
    from quitbutton.gateway.serving import Serving, open_files  # noqa: PLC0415
    from quitbutton.observing import logs  # noqa: PLC0415

    lines = logs.begin(settings.log_format, settings.log_level)
    try:
        open_files()
        server = Serving(create_app(settings), sock)
        server.run()
        return 0 if server.started else 1
    finally:
        lines.stop()


async def _keys_exist(settings: Settings) -> tuple[bool, bool]:
    """Whether the store has chat keys, and whether it has any."""
    from quitbutton.stores.keys import KeyStore  # noqa: PLC0415
    from quitbutton.stores.sql import SQLStore  # noqa: PLC0415
    from quitbutton.wiring import database_of  # noqa: PLC0415

    database = database_of(settings)
    store = SQLStore(database)
    try:
        return await KeyStore(database).exist()
    finally:
        store.close()


def _greet(settings: Settings, has_chat_keys: bool, has_keys: bool) -> None:
    url = f"http://{settings.host}:{settings.port}"
    behind = settings.upstream or f"the embedded model {settings.model} (a small demonstration model)"
    if settings.upstreams:
        behind = ", ".join(f"{name} ({table.url})" for name, table in settings.upstreams.items())
    print(f"quitbutton in front of {behind}")
    print(f"  chat page    {url}/")
    print(f"  OpenAI API   {url}/v1 (chat completions, responses)")
    print(f"  Anthropic    {url} (messages)")
    if settings.host in LOOPBACK and not settings.api_keys and not has_chat_keys:
        print("  no API key is asked for: only this machine can call it")
    if settings.host in LOOPBACK and not settings.api_keys and not settings.operator_keys and not has_keys:
        print("  no operator's key either: whoever is on this machine is the operator (quitbutton keys create)")
    print(f"  policy       {settings.policy.mode} {settings.policy.digest[:12]}, data in {settings.data}", flush=True)
