"""Paths as clients write them: plain slips of a base URL are served, and a wrong path is told the right one."""

from __future__ import annotations

import re

CHATS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
OTHERS = ("/v1/completions", "/v1/embeddings", "/v1/models")
MODEL_PATHS = (*CHATS, *OTHERS)
"""What a client reaches by putting an endpoint behind its base URL. Below responses and messages there is more."""
BELOW = ("/v1/responses/", "/v1/messages/")
OLLAMA = ("/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/api/tags")

_SLIP = re.compile(r"//|/\Z|\A/v1/v1/")
_SLASHES = re.compile(r"/{2,}")
_TAIL = re.compile(rf"({'|'.join(re.escape(path.removeprefix('/v1')) for path in MODEL_PATHS)})\Z")


def straightened(path: str) -> str:
    """The path that was meant by one with a slash too many, or `/v1` twice; only where a model answers.

    The gateway's own paths are taken as they are written: rules that a proxy in front has for them must hold.
    """
    if not _SLIP.search(path):
        return path
    plain = _SLASHES.sub("/", path).rstrip("/")
    while plain.startswith("/v1/v1/"):
        plain = plain.removeprefix("/v1")
    return plain if plain in MODEL_PATHS or plain.startswith(BELOW) else path


def not_here(path: str) -> str:
    """What to do about a path that is not served, in a sentence or two."""
    plain = _SLASHES.sub("/", path).rstrip("/")
    if plain in OLLAMA:
        return "Ollama's own protocol is not spoken here; its OpenAI protocol is: base URL .../v1, POST /v1/chat/completions."
    if found := _TAIL.search(plain):
        right = f"/v1{found[0]}"
        base = "without /v1" if right == "/v1/messages" else "with /v1 at its end"
        return (
            f"The path is {right}: give the client this gateway's address {base} as its base URL, and nothing after it."
        )
    chats = f"To chat: POST {CHATS[0]}, {CHATS[1]} or {CHATS[2]}."
    if plain.startswith("/v1/") and not plain.startswith("/v1/quitbutton"):
        return f"This call of a provider is not relayed; ask the provider itself. {chats}"
    return chats


def not_so(method: str, path: str, allowed: str) -> str:
    """What to do about a path that is served with other methods."""
    more = " This call of a provider is not relayed; ask the provider itself." if path.startswith(BELOW) else ""
    return f"{method} is not taken at {path}, but {allowed}.{more}"
