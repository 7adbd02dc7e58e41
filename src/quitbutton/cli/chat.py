"""Chat in the terminal, through a running gateway. Start one with `quitbutton serve`.

Ctrl-C stops the reply that is being written; at an empty prompt it leaves, as does Ctrl-D. /new starts a new chat, /edit
TEXT says your last message in another way, on a new branch; both lead on from a conversation that was ended. Whoever leaves
an ended one gets the exit status 1, so that a script does not read it as a success. LANG says which language and helplines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from quitbutton.adapters.sse import Frames, data_of
from quitbutton.core.errors import UpstreamFailed

WAIT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--url", default="http://127.0.0.1:8808", help="the gateway (http://127.0.0.1:8808)")
    parser.add_argument("--model", help="the model; the gateway's first one when none is given")
    parser.add_argument("--key", help="API key of the gateway or, where it has none, of the provider")


def run(given: argparse.Namespace) -> int:
    """Chat until the end."""
    return asyncio.run(_chat(given.url.rstrip("/"), given.model, given.key))


@dataclass
class Talk:
    """One conversation of the terminal."""

    session: aiohttp.ClientSession
    url: str
    model: str
    messages: list[dict[str, str]] = field(default_factory=list)
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    is_ended: bool = False

    async def say(self, text: str) -> None:
        """Send a message, print the reply as it comes."""
        self.messages.append({"role": "user", "content": text})
        body = {"model": self.model, "messages": self.messages, "stream": True}
        reply = ""
        try:
            headers = {"X-Quitbutton-Conversation": self.name, "Accept-Language": _language()}
            async with self.session.post(f"{self.url}/v1/chat/completions", json=body, headers=headers) as answer:
                if answer.status != 200:
                    self._show_error(await answer.json(content_type=None))
                    return
                frames = Frames()
                async for chunk in answer.content.iter_any():
                    for frame in frames.feed(chunk):
                        reply += self._show(data_of(frame))
        except asyncio.CancelledError:
            print(" [stopped]")
        except aiohttp.ClientError as error:
            raise UpstreamFailed(
                f"The gateway at {self.url} does not answer ({error}). Start it: quitbutton serve"
            ) from error
        finally:
            if reply:
                self.messages.append({"role": "assistant", "content": reply})
        print()

    def _show(self, data: bytes) -> str:
        if not data.startswith(b"{"):
            return ""
        body: dict[str, Any] = json.loads(data)
        if "error" in body:
            self._show_error(body)
        text = "".join((choice.get("delta") or {}).get("content") or "" for choice in body.get("choices", ()))
        print(text, end="", flush=True)
        self._show_note(body.get("quitbutton") or {})
        return text

    def _show_note(self, note: dict[str, Any]) -> None:
        if note.get("decision") in ("redirect", "warn"):
            print(f"\n[{note['state']}]", end="")
        support = note.get("support") or {}
        for one in () if support.get("folded") else support.get("resources", ()):
            print(f"\n  {one['name']}: {one['contact']} {one['url']}", end="")
        self.is_ended = self.is_ended or note.get("state") == "ended"

    def _show_error(self, body: dict[str, Any]) -> None:
        error = body.get("error") or {}
        print(error.get("message", "The request failed."))
        self.messages.pop()
        self.is_ended = self.is_ended or error.get("code") == "conversation_ended"


async def _chat(url: str, model: str | None, key: str | None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with aiohttp.ClientSession(timeout=WAIT, headers=headers) as session:
        talk = Talk(session, url, model or await _first_model(session, url))
        print(f"{talk.model} through {url}. Ctrl-C stops a reply, Ctrl-D leaves.")
        while not talk.is_ended or sys.stdin.isatty():
            if talk.is_ended:
                print(
                    "This conversation is over. /edit TEXT says your last message in another way, /new starts a new chat."
                )
            line = await _prompt()
            if line is None:
                return int(talk.is_ended)
            if line == "/new":
                talk = Talk(session, url, talk.model)
                print("A new chat.")
                continue
            if line.startswith("/edit "):
                _cut(talk)
                talk.is_ended = False
                line = line.removeprefix("/edit ")
            await _stoppable(talk.say(line))
    print("This conversation is over. Start quitbutton chat again for a new one.")
    return 1


def _cut(talk: Talk) -> None:
    """Take back the last user message and what followed it."""
    while talk.messages and talk.messages.pop()["role"] != "user":
        pass


def _language() -> str:
    """`LANG` as a tag for the gateway: `de_AT.UTF-8` is `de-AT`."""
    return os.environ.get("LANG", "").split(".")[0].replace("_", "-") or "en"


async def _first_model(session: aiohttp.ClientSession, url: str) -> str:
    try:
        async with session.get(f"{url}/v1/models") as answer:
            listed = (await answer.json(content_type=None)).get("data") or []
    except (aiohttp.ClientError, ValueError) as error:
        raise UpstreamFailed(f"The gateway at {url} does not answer ({error}). Start it: quitbutton serve") from error
    if not listed:
        raise UpstreamFailed(f"The gateway at {url} lists no models. Name one with --model.")
    return str(listed[0]["id"])


async def _prompt() -> str | None:
    """The next line that says something; None when the user leaves."""
    while True:
        try:
            line = await asyncio.to_thread(input, "> " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            return None
        if line.strip():
            return line.strip()


async def _stoppable(saying: Any) -> None:
    """Run it; Ctrl-C cancels it, not the program."""
    task = asyncio.ensure_future(saying)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        pass
    finally:
        loop.remove_signal_handler(signal.SIGINT)
