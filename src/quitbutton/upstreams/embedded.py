"""The small local model of the embedded default: llama.cpp in this process, on threads of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from quitbutton.core.errors import SettingsError, UpstreamFailed
from quitbutton.interfaces import Headers
from quitbutton.upstreams.assembled import Assembly

CONTEXT = 4096
"""Tokens of history and reply that a slot holds."""
SLOTS = 2
"""Replies generated at the same time; more wait."""
MAX_TOKENS = 512
"""Longest reply when the request sets no limit: small models ramble."""
QUIET = -1

Item = bytes | Exception | None


class EmbeddedExchange:
    """A reply of the local model under way."""

    def __init__(self, status: int, streams: bool, first: Item, rest: asyncio.Queue[Item]) -> None:
        self.status = status
        kind = "text/event-stream; charset=utf-8" if streams else "application/json"
        self.headers: Headers = [("content-type", kind)]
        self._first = first
        self._rest = rest

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it is generated."""
        item = self._first
        while item is not None:
            if isinstance(item, Exception):
                raise UpstreamFailed(f"The local model broke off: {item}") from item
            yield item
            item = await self._rest.get()


class EmbeddedUpstream:
    """A GGUF file served by `xllamacpp`. Loading takes a second or two and happens at the first use or `load()`."""

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
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Load the model, once. Raises `SettingsError` when the runtime does not start."""
        async with self._lock:
            if self._server is None:
                self._server = await asyncio.to_thread(self._start)

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[EmbeddedExchange]:
        """Answer a chat completion or the list of models. Leaving the context early stops the decoding."""
        queue: asyncio.Queue[Item] = asyncio.Queue()
        if path.endswith("/models"):
            queue.put_nowait(None)
            yield EmbeddedExchange(200, False, json.dumps(self._models()).encode(), queue)
            return
        await self.load()
        request = self._request(body)
        streams = bool(request.get("stream"))
        stopped = threading.Event()
        loop = asyncio.get_running_loop()

        def put(item: Item) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, item)

        worker = threading.Thread(target=self._generate, args=(request, streams, put, stopped), daemon=True)
        worker.start()
        try:
            first = await queue.get()
            if isinstance(first, ValueError):
                error = {"message": str(first), "type": "invalid_request_error", "param": None, "code": None}
                yield EmbeddedExchange(400, False, json.dumps({"error": error}).encode(), queue)
            else:
                yield EmbeddedExchange(200, streams, first, queue)
        finally:
            stopped.set()

    async def close(self) -> None:
        """Let go of the model."""
        self._server = None

    def _start(self) -> Any:
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
        params.cpuparams.n_threads = self._threads
        params.cpuparams_batch.n_threads = self._threads
        params.verbosity = QUIET
        # Its own HTTP port is not used; without a key it would answer every page on this machine.
        params.api_keys = [secrets.token_hex(32)]
        return xllamacpp.Server(params)

    def _request(self, body: bytes) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(body)
        request["model"] = self._name
        if not any(request.get(name) for name in ("max_tokens", "max_completion_tokens")):
            request["max_tokens"] = MAX_TOKENS
        return request

    def _generate(self, request: dict[str, Any], streams: bool, put: Any, stopped: threading.Event) -> None:
        whole = Assembly()

        def on_chunk(chunk: str) -> bool:
            if streams:
                put(_framed(chunk))
            else:
                whole.add(chunk)
            return stopped.is_set()

        # A whole reply is generated as a stream too: only then can a stop end the decoding.
        if not streams:
            request = {**request, "stream": True, "stream_options": {"include_usage": True}}
        try:
            self._server.handle_chat_completions(json.dumps(request), on_chunk)
            if not stopped.is_set():
                put(b"data: [DONE]\n\n" if streams else json.dumps(whole.whole()).encode())
        except Exception as error:
            put(error)
        put(None)

    def _models(self) -> dict[str, object]:
        model = {"id": self._name, "object": "model", "created": 0, "owned_by": "quitbutton"}
        return {"object": "list", "data": [model]}


def _framed(chunk: str) -> bytes:
    return f"data: {chunk}\n\n".encode()
