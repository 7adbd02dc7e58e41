"""The ASGI middleware around a small application that serves a model itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import quitbutton
from quitbutton.integrations.asgi import QuitButtonMiddleware
from quitbutton.upstreams.scripted import _stream, _whole
from tests.integrations.models import presses

PRESS = {"reason": "abuse", "explanation": "x"}


class Server:
    """A model server: its own key check, its own models page, whole and streamed replies."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.closed = 0
        chat = Route("/v1/chat/completions", self.chat, methods=["POST"])
        others = [Route(f"/v1/{name}", self.others, methods=["POST"]) for name in ("messages", "responses")]
        self.app = Starlette(routes=[chat, *others, Route("/v1/models", self.models)])

    async def models(self, request: Request) -> Response:
        return JSONResponse({"data": [{"id": "mine"}]})

    async def others(self, request: Request) -> Response:
        """The same model in the protocols of Anthropic and of Responses."""
        asked = await request.json()
        presses = any(tool["name"] == "end_conversation" for tool in asked.get("tools") or ())
        if request.url.path == "/v1/messages":
            use = {"type": "tool_use", "id": "t1", "name": "end_conversation", "input": PRESS}
            content = [use if presses else {"type": "text", "text": "Something else."}]
            head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
            return JSONResponse({**head, "content": content, "stop_reason": "tool_use" if presses else "end_turn"})
        call = {"type": "function_call", "id": "f", "call_id": "c", "name": "end_conversation", "status": "completed"}
        part = {"type": "output_text", "text": "Something else.", "annotations": []}
        said = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
        output = [{**call, "arguments": json.dumps(PRESS)} if presses else said]
        head = {"id": "resp_1", "object": "response", "created_at": 0, "model": "m", "status": "completed"}
        return JSONResponse({**head, "output": output, "tools": [], "tool_choice": "auto", "parallel_tool_calls": True})

    async def chat(self, request: Request) -> Response:
        if request.headers.get("authorization") == "Bearer wrong":
            return JSONResponse({"error": {"message": "Who are you?", "code": "invalid_api_key"}}, 401)
        asked = await request.json()
        self.seen.append(asked)
        if asked["messages"][-1]["content"] == "fail":
            raise ZeroDivisionError
        if not asked.get("stream"):
            return Response(_whole(presses(asked)), headers={"x-mine": "1"}, media_type="application/json")
        return StreamingResponse(self.parts(asked), media_type="text/event-stream")

    async def parts(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        try:
            if asked["messages"][-1]["content"] == "forever":
                frame = {"choices": [{"index": 0, "delta": {"content": "word "}}]}
                while True:
                    yield f"data: {json.dumps(frame)}\n\n".encode()
                    await asyncio.sleep(0.001)
            data = _stream(presses(asked))
            for at in range(0, len(data), 50):
                yield data[at : at + 50]
        finally:
            self.closed += 1


async def post(app: Any, body: Any, path: str = "/v1/chat/completions", hangs_up: bool = False, **headers: str) -> Any:
    """One request in process; its status, headers and body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST" if body else "GET", "path": path, "headers": given, "query_string": b""}
    waiting, out, left = [raw], [], asyncio.Event()

    async def receive() -> Any:
        if waiting:
            return {"type": "http.request", "body": waiting.pop()}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        out.append(message)
        if hangs_up and len(out) > 5:
            left.set()

    await app(scope, receive, send)
    heads = {name.decode(): value.decode() for name, value in out[0]["headers"]}
    return out[0]["status"], heads, b"".join(one.get("body", b"") for one in out[1:]).decode()


def note(body: str) -> dict[str, Any]:
    if not body.startswith("data:"):
        return json.loads(body)["quitbutton"]
    return next(json.loads(part[6:])["quitbutton"] for part in body.split("\n\n") if '"quitbutton"' in part)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_ladder_to_its_end_and_a_locked_turn_never_reaches_the_application(stream: bool) -> None:
    async def story() -> None:
        server = Server()
        async with quitbutton.Guard(assessor="scripted") as guard:
            app, history, states = QuitButtonMiddleware(server.app, guard), [], []
            asked = {"model": "m", "messages": history, "stream": stream, "user": "u"}
            for turn in range(4):
                history += [{"role": "user", "content": f"[abuse] {turn}"}]
                status, _, body = await post(app, asked)
                assert status == 200
                assert "end_conversation" not in body
                states.append(note(body)["state"])
                history += [{"role": "assistant", "content": "..."}]
            assert states == ["redirected", "redirected", "warned", "ended"]
            calls = len(server.seen)
            history += [{"role": "user", "content": "hello?"}]
            status, headers, body = await post(app, asked)
            error = json.loads(body)["error"]
            assert (status, error["code"], headers["x-should-retry"]) == (400, "conversation_ended", "false")
            assert "new chat" in error["message"]
            assert len(server.seen) == calls
            assert (await post(app, asked, authorization="Bearer else"))[0] == 200, "another key, another tenant"
            edited = {**asked, "messages": [*history[:4], {"role": "user", "content": "Trains?"}]}
            assert note((await post(app, edited))[2])["state"] == "redirected"

    asyncio.run(story())


@pytest.mark.parametrize("protocol", ["messages", "responses"])
def test_the_other_protocols_climb_too(protocol: str) -> None:
    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            app, history, states = QuitButtonMiddleware(Server().app, guard), [], []
            asked = {"model": "m", "messages": history, "max_tokens": 9, "metadata": {"user_id": "u"}}
            if protocol == "responses":
                asked = {"model": "m", "input": history, "user": "u"}
            for turn in range(4):
                history += [{"role": "user", "content": f"[abuse] {turn}"}]
                status, _, body = await post(app, asked, f"/v1/{protocol}")
                assert status == 200, body
                assert "end_conversation" not in body
                states.append(note(body)["state"])
                history += [{"role": "assistant", "content": "..."}]
            assert states == ["redirected", "redirected", "warned", "ended"]
            history += [{"role": "user", "content": "hello?"}]
            status, _, body = await post(app, asked, f"/v1/{protocol}")
            assert (status, json.loads(body)["error"]["code"]) == (400, "conversation_ended")

    asyncio.run(story())


def test_everything_else_goes_to_the_application_and_its_refusals_come_back() -> None:
    async def story() -> None:
        server = Server()
        async with quitbutton.Guard(assessor="scripted") as guard:
            app = QuitButtonMiddleware(server.app, guard)
            assert json.loads((await post(app, b"", "/v1/models"))[2])["data"] == [{"id": "mine"}]
            asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "extra": {"kept": 1}}
            status, _, body = await post(app, asked, authorization="Bearer wrong")
            assert (status, json.loads(body)["error"]["message"]) == (401, "Who are you?")
            status, headers, body = await post(app, asked, accept_encoding="gzip")
            assert (status, headers["x-mine"], server.seen[-1]["extra"]) == (200, "1", {"kept": 1})
            status, _, body = await post(app, b"{not json")
            assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_request")
            fails = {"model": "m", "messages": [{"role": "user", "content": "fail"}]}
            assert (await post(app, fails))[0] == 500

            async def breaks(scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await post(QuitButtonMiddleware(breaks, guard), asked)

    asyncio.run(story())


def test_a_client_that_hangs_up_stops_the_application() -> None:
    async def story() -> None:
        server = Server()
        async with quitbutton.Guard(assessor="scripted") as guard:
            app = QuitButtonMiddleware(server.app, guard)
            asked = {"model": "m", "messages": [{"role": "user", "content": "forever"}], "stream": True}
            async with asyncio.timeout(10):
                await post(app, asked, hangs_up=True)
            assert server.closed == 1

    asyncio.run(story())
