"""Anthropic Messages for plays: requests, replies of a scripted model, and what a client hears."""

from __future__ import annotations

import json
from typing import Any

from quitbutton.adapters.anthropic_messages import AnthropicMessages
from quitbutton.adapters.sse import Frames, data_of
from quitbutton.upstreams.scripted import Line
from tests.play import Ear

THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmF0dXJl"}


def _blocks(line: Line) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [dict(THINKING)]
    blocks += [{"type": "text", "text": line.text}] if line.text else []
    blocks += [
        {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": arguments}
        for place, (name, arguments) in enumerate(line.calls)
    ]
    return blocks


def _event(kind: str, **body: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **body})}\n\n".encode()


class Anthropic:
    """How this protocol looks from outside."""

    adapter = AnthropicMessages()
    stop, tool_stop = "end_turn", "tool_use"

    def request(self, history: list[tuple[str, str]], **members: Any) -> dict[str, Any]:
        messages = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in history]
        return {"model": "m", "max_tokens": 99, "messages": messages, **members}

    def reply(self, line: Line, number: int | str, streams: bool) -> bytes:
        finish = "tool_use" if line.calls else "end_turn"
        head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
        blocks, usage = _blocks(line), {"input_tokens": 5, "output_tokens": 3}
        if not streams:
            return json.dumps({**head, "content": blocks, "stop_reason": finish, "usage": usage}).encode()
        start = {**head, "content": [], "stop_reason": None, "usage": {"input_tokens": 5, "output_tokens": 1}}
        out = [_event("message_start", message=start), _event("ping")]
        for index, block in enumerate(blocks):
            out += self._block(index, block)
        delta = {"stop_reason": finish, "stop_sequence": None}
        out += [_event("message_delta", delta=delta, usage={"output_tokens": 3}), _event("message_stop")]
        return b"".join(out)

    def _block(self, index: int, block: dict[str, Any]) -> list[bytes]:
        match block["type"]:
            case "text":
                empty, words = {**block, "text": ""}, block["text"].split(" ")
                parts = [words[0], *(f" {word}" for word in words[1:])]
                deltas = [{"type": "text_delta", "text": part} for part in parts]
            case "thinking":
                empty = {**block, "thinking": "", "signature": ""}
                deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case _:
                empty, text = {**block, "input": {}}, json.dumps(block["input"])
                halves = ("", text[: len(text) // 2], text[len(text) // 2 :])
                deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves]
        return [
            _event("content_block_start", index=index, content_block=empty),
            *(_event("content_block_delta", index=index, delta=delta) for delta in deltas),
            _event("content_block_stop", index=index),
        ]

    def message(self, ear: Ear) -> dict[str, Any]:
        """The message as a client puts it together; checks that the events are well-formed."""
        if not ear.is_stream:
            return ear.whole
        message: dict[str, Any] = {}
        is_open = over = False
        for frame in Frames().feed(ear.body):
            name, event = frame.split(b"\n")[0].removeprefix(b"event: ").decode(), json.loads(data_of(frame))
            assert name == event["type"]
            assert not over
            match name:
                case "message_start":
                    assert not message
                    message = event["message"]
                case "content_block_start":
                    assert not is_open
                    assert event["index"] == len(message["content"]), "blocks are numbered without a gap"
                    message["content"].append({**event["content_block"], "_": ""})
                    is_open = True
                case "content_block_delta":
                    assert is_open
                    assert event["index"] == len(message["content"]) - 1
                    self._add(message["content"][-1], event["delta"])
                case "content_block_stop":
                    assert is_open
                    is_open = False
                case "message_delta":
                    assert not is_open
                    message |= event["delta"]
                    message["usage"] |= event["usage"]
                    message |= {"quitbutton": event["quitbutton"]} if "quitbutton" in event else {}
                case "message_stop":
                    over = True
        assert over
        for block in message["content"]:
            given = block.pop("_")
            if block["type"] == "tool_use":
                block["input"] = json.loads(given or "{}")
        return message

    def _add(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        for name in ("text", "thinking", "signature"):
            block[name] = block.get(name, "") + delta[name] if name in delta else block.get(name, "")
        block["_"] += delta.get("partial_json", "")

    def text(self, ear: Ear) -> str:
        return "".join(block["text"] for block in self.message(ear)["content"] if block["type"] == "text")

    def calls(self, ear: Ear) -> list[tuple[str, Any]]:
        blocks = self.message(ear)["content"]
        return [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]

    def finish(self, ear: Ear) -> str:
        return self.message(ear)["stop_reason"]

    def note(self, ear: Ear) -> dict[str, Any]:
        return self.message(ear).get("quitbutton") or ear_error(ear).get("quitbutton") or {}

    def error(self, ear: Ear) -> dict[str, Any]:
        assert ear.whole["type"] == "error"
        return ear.whole["error"]

    def tool_names(self, sent: dict[str, Any]) -> list[str]:
        return [tool["name"] for tool in sent.get("tools") or ()]

    def tool(self, name: str) -> dict[str, Any]:
        return {"name": name, "description": "", "input_schema": {"type": "object"}}

    def answer_to_press(self, sent: dict[str, Any]) -> str:
        assistant, user = sent["messages"][-2:]
        assert assistant["role"] == "assistant"
        assert assistant["content"][0] == THINKING, "thinking goes back with its signature"
        call, (result,) = assistant["content"][-1], user["content"]
        assert (call["name"], call["id"]) == ("end_conversation", result["tool_use_id"])
        return result["content"]

    def guidance(self, sent: dict[str, Any]) -> str:
        """What the model was told after the user's newest words."""
        last = [message for message in sent["messages"] if message["role"] == "user"][-1]
        texts = [block.get("text", "") for block in last["content"]]
        return "\n".join(text for text in texts if text.startswith("<service_note>"))


def ear_error(ear: Ear) -> dict[str, Any]:
    return ear.whole.get("error") or {} if not ear.is_stream else {}
