"""The guardrail inside the real LiteLLM proxy, in front of a real HTTP server that plays the provider."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("litellm.proxy.proxy_server", reason="LiteLLM is big; see `make integrations`")

import httpx
import litellm
from litellm.proxy import proxy_server

from tests.upstream import Provider, Seen, press, stream, whole

pytestmark = pytest.mark.filterwarnings("ignore")

CONFIG = """
model_list:
  - {{model_name: m, litellm_params: {{model: openai/m, api_base: "{url}", api_key: none}}}}
  - {{model_name: m, litellm_params: {{model: openai/m2, api_base: "{url}", api_key: none}}}}
  - {{model_name: other, litellm_params: {{model: openai/other, api_base: "{url}", api_key: none}}}}
router_settings: {{num_retries: 2, fallbacks: [{{m: [other]}}]}}
litellm_settings: {{telemetry: false}}
guardrails:
  - guardrail_name: quitbutton
    litellm_params:
      guardrail: quitbutton.integrations.litellm.QuitButton
      mode: [pre_call, post_call]
      default_on: true
      assessor: scripted
      store: "{store}"
      policy: "{policy}"
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    one = Provider()
    yield one
    one.close()


class Proxy:
    """The proxy in this process, and a conversation with it."""

    def __init__(self, provider: Provider, client: httpx.AsyncClient) -> None:
        self.provider, self.client = provider, client
        self.user = str(uuid.uuid4())
        self.history: list[dict[str, Any]] = []

    async def says(self, text: str, stream: bool, **more: Any) -> tuple[int, str, dict[str, Any], str]:
        """Status, text, `quitbutton` object, and the whole body."""
        asked = [*self.history, {"role": "user", "content": text}]
        body = {"model": "m", "messages": asked, "stream": stream, "user": self.user, **more}
        answer = await self.client.post("/v1/chat/completions", json=body)
        if answer.status_code != 200:
            return answer.status_code, "", {}, answer.text
        if not stream:
            made = answer.json()
            said, note = made["choices"][0]["message"]["content"] or "", made.get("quitbutton") or {}
        else:
            chunks = [json.loads(part[6:]) for part in answer.text.split("\n\n") if part.startswith("data: {")]
            deltas = [choice["delta"] for chunk in chunks for choice in chunk.get("choices", ())]
            said = "".join(delta.get("content") or "" for delta in deltas)
            note = next((chunk["quitbutton"] for chunk in chunks if chunk.get("quitbutton")), {})
        self.history = [*asked, {"role": "assistant", "content": said}]
        return 200, said, note, answer.text


@pytest.fixture
def running(provider: Provider, tmp_path: Path) -> Callable[..., Any]:
    async def proxy(policy: str = "") -> AsyncIterator[Proxy]:
        (tmp_path / "policy.toml").write_text(policy)
        config = tmp_path / "config.yaml"
        store = tmp_path / "chat.sqlite3"
        config.write_text(CONFIG.format(url=provider.url, store=store, policy=tmp_path / "policy.toml"))
        litellm.logging_callback_manager._reset_all_callbacks()  # the guardrails of the test before
        await proxy_server.initialize(config=str(config))
        provider.seen.clear()
        provider.answer = presses  # type: ignore[assignment]
        transport = httpx.ASGITransport(app=proxy_server.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy", timeout=60) as client:
            yield Proxy(provider, client)

    return proxy


def presses(seen: Seen) -> object:
    offered = any(tool["function"]["name"] == "end_conversation" for tool in seen.json.get("tools") or ())
    streams = bool(seen.json.get("stream"))
    return press(streams) if offered else stream("Hi.") if streams else whole()


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_ladder_to_its_end_and_a_locked_turn_is_neither_retried_nor_moved(running: Any, streams: bool) -> None:
    async def story() -> None:
        async for proxy in running():
            states = []
            for turn in range(4):
                before = proxy.history
                status, text, note, body = await proxy.says(f"[abuse] {turn}", streams)
                assert status == 200, body
                assert text.strip()
                assert "end_conversation" not in body
                assert note, body
                states.append(note["state"])
            assert states == ["redirected", "redirected", "warned", "ended"]
            calls = len(proxy.provider.seen)
            status, _, _, body = await proxy.says("hello?", streams)
            assert status == 400, body
            assert "abuse that went on after a warning" in body
            assert "new chat" in body
            assert "conversation_ended" in body
            assert len(proxy.provider.seen) == calls, "no retry, no fallback"
            proxy.history = before[:2]
            assert (await proxy.says("Trains?", streams))[2]["state"] == "redirected"

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_denied_press_a_crisis_the_clients_tools_and_a_provider_that_fails(running: Any, streams: bool) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}

    def answers(seen: Seen) -> object:
        if seen.json["messages"][-1]["role"] == "tool":
            return stream("All ", "is well.") if streams else whole()
        return presses(seen)

    async def story() -> None:
        async for proxy in running():
            proxy.provider.answer = answers  # type: ignore[assignment]
            status, text, note, body = await proxy.says("Good morning", streams, tools=[tool])
            assert (status, note["state"], "end_conversation" in body) == (200, "open", False), body
            assert text == ("All is well." if streams else "Hello.")
            sent = proxy.provider.seen[0].json["tools"]
            assert [one["function"]["name"] for one in sent] == ["weather", "end_conversation"]
            assert (await proxy.says("[crisis] [abuse]", streams))[2]["decision"] == "support"
            proxy.provider.answer = lambda seen: whole({"error": {"message": "no"}}, status=401)
            assert (await proxy.says("[abuse] 1", streams))[0] != 200
            proxy.provider.answer = presses  # type: ignore[assignment]
            assert (await proxy.says("Still there?", streams))[0] == 200

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_guards_own_words_are_a_reply_that_asks_no_model(running: Any, streams: bool) -> None:
    async def story() -> None:
        async for proxy in running('assist = true\nspeaker = "gateway"\nlocked_reply = "message"\n'):
            states, texts = [], []
            for turn in range(5):
                status, text, note, body = await proxy.says(f"[abuse] {turn}", streams)
                assert (status, '"stop"' in body) == (200, True), body
                states.append(note["state"])
                texts.append(text)
            assert states == ["redirected", "redirected", "warned", "ended", "ended"]
            assert texts[2].startswith("This is a warning")
            assert "edit an earlier message" in texts[4]
            assert not proxy.provider.seen

    asyncio.run(story())


def test_title_calls_are_relayed_and_never_counted(running: Any) -> None:
    async def story() -> None:
        async for proxy in running():
            proxy.client.headers["x-quitbutton-background"] = "true"
            status, _, note, _ = await proxy.says("[abuse] a title, please", stream=False)
            assert (status, note) == (200, {})
            assert "tools" not in proxy.provider.seen[-1].json

    asyncio.run(story())
