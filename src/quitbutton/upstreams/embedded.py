"""The small local model of the embedded default: llama.cpp in this process, asked over its own loopback port."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quitbutton.core.errors import SettingsError
from quitbutton.core.upstreams import KeyHeader
from quitbutton.interfaces import Exchange, Headers
from quitbutton.upstreams.http import HTTPUpstream
from quitbutton.upstreams.models import check_weights

CONTEXT = 4096
"""Tokens of history and reply that a slot holds."""
SLOTS = 2
"""Replies generated at the same time; more wait."""
MAX_TOKENS = 512
"""Longest reply when the request sets no limit: small models ramble."""
QUIET = -1
SECONDS = 600.0
"""How long the model may be silent, in seconds: a long history is read at once."""


@dataclass(slots=True)
class _Listed:
    """The list of models."""

    body: bytes
    status: int = 200
    headers: Headers = (("content-type", "application/json"),)

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of it."""
        yield self.body


def with_types(body: bytes) -> bytes:
    """A body of responses whose messages all name their type: OpenAI lets it out, llama.cpp refuses a reply without it."""
    try:
        members = json.loads(body)
        untyped = [item for item in members["input"] if "role" in item and "type" not in item]
    except (ValueError, KeyError, TypeError):
        return body
    for item in untyped:
        if isinstance(item, dict):
            item["type"] = "message"
    return json.dumps(members).encode() if untyped else body


class EmbeddedUpstream:
    """A GGUF file served by `xllamacpp`, in every protocol that llama.cpp speaks.

    Loading takes a second or two and happens at the first use or `load()`. The port listens on loopback alone and asks for a
    key of this process's own.
    """

    def __init__(self, model: Path, name: str, threads: int | None = None) -> None:
        if not model.is_file():
            raise SettingsError(
                f"There is no model file at {model}. Run `quitbutton setup`, or name a file with --model."
            )
        self.max_tokens: int | None = MAX_TOKENS
        self._path = model
        self._name = name
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._server: Any = None
        self._http: HTTPUpstream | None = None
        self._lock = asyncio.Lock()

    async def load(self) -> HTTPUpstream:
        """Load the model, once. Raises `SettingsError` when the runtime does not start."""
        async with self._lock:
            if self._http is None:
                key = secrets.token_hex(32)
                self._server = await asyncio.to_thread(self._start, key)
                address = self._server.listening_address
                self._http = HTTPUpstream(address, key, SECONDS, SECONDS, KeyHeader.AUTHORIZATION)
            return self._http

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[Exchange]:
        """Ask the model, or for the list of models. Leaving the context early stops the decoding."""
        if path.partition("?")[0].endswith("/models"):
            yield _Listed(json.dumps(self._models()).encode())
            return
        http = await self.load()
        asked = with_types(body) if path.partition("?")[0].endswith("/responses") else body
        async with http.send(method, path, headers, asked) as exchange:
            yield exchange

    async def close(self) -> None:
        """Let go of the model."""
        if self._http is not None:
            await self._http.close()
        self._server = self._http = None

    def _start(self, key: str) -> Any:
        check_weights(self._path, self._name)
        try:
            import xllamacpp  # noqa: PLC0415 - heavy and optional
        except ImportError as error:
            raise SettingsError(
                f"The local runtime does not start ({error}). Run `quitbutton doctor`: it says what is missing."
            ) from error
        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.model_alias = {self._name}
        params.n_ctx = CONTEXT * SLOTS
        params.n_parallel = SLOTS
        params.n_predict = MAX_TOKENS
        params.cpuparams.n_threads = self._threads
        params.cpuparams_batch.n_threads = self._threads
        params.verbosity = QUIET
        params.api_keys = [key]
        return xllamacpp.Server(params)

    def _models(self) -> dict[str, object]:
        model = {"id": self._name, "object": "model", "created": 0, "owned_by": "quitbutton"}
        return {"object": "list", "data": [model]}
