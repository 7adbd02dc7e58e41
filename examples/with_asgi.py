"""A server of your own model with the guard in front, called in process. In earnest: uvicorn with_asgi:app. No key needed."""

import asyncio
import json

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import quitbutton
from quitbutton.integrations.asgi import QuitButtonMiddleware


async def chat(request):
    """Stands in for your model's endpoint."""
    asked = await request.json()
    message = {"role": "assistant", "content": "I would rather talk about something else."}
    if any(tool["function"]["name"] == "end_conversation" for tool in asked.get("tools", ())):
        function = {"name": "end_conversation", "arguments": '{"reason": "abuse", "explanation": "It is enough."}'}
        call = {"id": "call_1", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({"object": "chat.completion", "model": asked["model"], "choices": [choice]})


guard = quitbutton.Guard(assessor="scripted")
app = QuitButtonMiddleware(Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])]), guard)


async def post(body):
    """One request to the application, without a network."""
    sent = []
    waiting = [{"type": "http.request", "body": json.dumps(body).encode()}]

    async def receive():
        return waiting.pop() if waiting else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    path = "/v1/chat/completions"
    await app({"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}, receive, send)
    return sent[0]["status"], json.loads(b"".join(one.get("body", b"") for one in sent[1:]))


async def main():
    messages = []
    for text in ("[abuse] one", "[abuse] two", "[abuse] three", "[abuse] four", "hello?"):
        messages.append({"role": "user", "content": text})
        status, answer = await post({"model": "mine", "messages": messages, "user": "user-1"})
        if status != 200:
            print(f"{text:15} refused     {status} {answer['error']['message']}")
            break
        messages.append(answer["choices"][0]["message"])
        print(f"{text:15} {answer['quitbutton']['state']:11} {messages[-1]['content']}")
    await guard.close()


if __name__ == "__main__":
    asyncio.run(main())
