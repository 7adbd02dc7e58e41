"""The LiteLLM proxy with the guard as its guardrail, called in process. Needs pip install 'quitbutton[litellm]'; no key."""

import asyncio
from pathlib import Path

import httpx
from litellm.proxy.proxy_server import app, initialize


async def main():
    await initialize(config=str(Path(__file__).with_name("litellm.yaml")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://proxy", timeout=60) as client:
        messages = []
        for text in ("[abuse] one", "[abuse] two", "[abuse] three", "[abuse] four", "hello?"):
            messages.append({"role": "user", "content": text})
            body = {"model": "mine", "messages": messages, "user": "user-1"}
            reply = await client.post("/v1/chat/completions", json=body)
            answer = reply.json()
            if reply.status_code != 200:
                print(f"{text:15} refused     {reply.status_code} {answer['error']['message']}")
                break
            messages.append(answer["choices"][0]["message"])
            print(f"{text:15} {answer['quitbutton']['state']:11} {messages[-1]['content']}")


asyncio.run(main())
