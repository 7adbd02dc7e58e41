"""OpenAI Responses for plays: requests, replies of a scripted model, and what a client hears."""

from __future__ import annotations

import json
from typing import Any

from quitbutton.adapters.openai_responses import OpenAIResponses
from quitbutton.adapters.sse import Frames, data_of
from quitbutton.upstreams.scripted import Line
from tests.play import Ear

REASONING = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "b3BhcXVl"}


def _items(line: Line, number: int | str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [dict(REASONING)]
    if line.text:
        part = {"type": "output_text", "text": line.text, "annotations": []}
        head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed"}
        items.append({**head, "content": [part]})
    for place, (name, arguments) in enumerate(line.calls):
        call = {"id": f"fc_{number}_{place}", "call_id": f"call_{place}", "name": name, "status": "completed"}
        items.append({"type": "function_call", **call, "arguments": json.dumps(arguments)})
    return items


class Responses:
    """How this protocol looks from outside."""

    adapter = OpenAIResponses()
    stop = tool_stop = "completed"

    def request(self, history: list[tuple[str, str]], **members: Any) -> dict[str, Any]:
        items = [
            {
                "type": "message",
                "role": role,
                "content": [{"type": "input_text" if role == "user" else "output_text", "text": text}],
            }
            for role, text in history
        ]
        return {"model": "m", "input": items, "store": False, **members}

    def reply(self, line: Line, number: int | str, streams: bool, asked: dict[str, Any] | None = None) -> bytes:
        items, asked = _items(line, number), asked or {}
        echoed = {name: asked[name] for name in ("tools", "instructions", "previous_response_id") if name in asked}
        usage = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
        head = {"id": f"resp_{number}", "object": "response", "created_at": 1, "model": "m", "error": None, **echoed}
        whole = {**head, "status": "completed", "output": items, "usage": usage}
        if not streams:
            return json.dumps(whole).encode()
        begun = {**head, "status": "in_progress", "output": [], "usage": None}
        events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
        events.append({"type": "response.in_progress", "response": begun})
        for index, item in enumerate(items):
            events += self._item(index, item)
        events.append({"type": "response.completed", "response": whole})
        numbered = ({**event, "sequence_number": place} for place, event in enumerate(events))
        return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in numbered)

    def _item(self, index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
        at = {"output_index": index, "item_id": item["id"]}
        empty, inside = dict(item), []
        if item["type"] == "message":
            empty, part = {**item, "content": [], "status": "in_progress"}, item["content"][0]
            words = part["text"].split(" ")
            inside = [{"type": "response.content_part.added", **at, "content_index": 0, "part": {**part, "text": ""}}]
            for delta in (words[0], *(f" {word}" for word in words[1:])):
                inside.append({"type": "response.output_text.delta", **at, "content_index": 0, "delta": delta})
            inside.append({"type": "response.output_text.done", **at, "content_index": 0, "text": part["text"]})
            inside.append({"type": "response.content_part.done", **at, "content_index": 0, "part": part})
        elif item["type"] == "function_call":
            empty, text = {**item, "arguments": "", "status": "in_progress"}, item["arguments"]
            for delta in (text[: len(text) // 2], text[len(text) // 2 :]):
                inside.append({"type": "response.function_call_arguments.delta", **at, "delta": delta})
            inside.append({"type": "response.function_call_arguments.done", **at, "arguments": text})
        added = {"type": "response.output_item.added", "output_index": index, "item": empty}
        done = {"type": "response.output_item.done", "output_index": index, "item": item}
        return [added, *inside, done]

    def response(self, ear: Ear) -> dict[str, Any]:
        """The last response; checks that the events before it agree with it."""
        if not ear.is_stream:
            return ear.whole
        events = [json.loads(data_of(frame)) for frame in Frames().feed(ear.body)]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
        assert events[-1]["type"] in ("response.completed", "response.incomplete")
        items: list[dict[str, Any]] = []
        texts: dict[int, str] = {}
        for event in events[2:-1]:
            match event["type"]:
                case "response.output_item.added":
                    assert event["output_index"] == len(items), "items are numbered without a gap"
                    items.append(event["item"])
                case "response.output_text.delta":
                    texts[event["output_index"]] = texts.get(event["output_index"], "") + event["delta"]
                case "response.output_text.done":
                    assert event["text"] == texts.get(event["output_index"], "")
                case "response.output_item.done":
                    items[event["output_index"]] = event["item"]
        last = events[-1]["response"]
        assert last["output"] == items
        assert {event["response"]["id"] for event in events if "response" in event} == {last["id"]}
        for index, item in enumerate(items):
            if item["type"] == "message":
                assert "".join(part["text"] for part in item["content"]) == texts.get(index, "")
        assert last.get("quitbutton") == events[-1].get("quitbutton")
        return last

    def text(self, ear: Ear) -> str:
        messages = (item for item in self.response(ear)["output"] if item["type"] == "message")
        return "".join(part["text"] for item in messages for part in item["content"])

    def calls(self, ear: Ear) -> list[tuple[str, Any]]:
        items = self.response(ear)["output"]
        return [(item["name"], json.loads(item["arguments"])) for item in items if item["type"] == "function_call"]

    def finish(self, ear: Ear) -> str:
        return self.response(ear)["status"]

    def note(self, ear: Ear) -> dict[str, Any]:
        if ear.status != 200:
            return self.error(ear).get("quitbutton") or {}
        return self.response(ear).get("quitbutton") or {}

    def error(self, ear: Ear) -> dict[str, Any]:
        return ear.whole["error"]

    def tool_names(self, sent: dict[str, Any]) -> list[str]:
        return [tool["name"] for tool in sent.get("tools") or ()]

    def tool(self, name: str) -> dict[str, Any]:
        return {"type": "function", "name": name, "parameters": {"type": "object"}, "strict": False}

    def answer_to_press(self, sent: dict[str, Any]) -> str:
        result = sent["input"][-1]
        assert result["type"] == "function_call_output"
        if not sent.get("previous_response_id"):
            reasoning, *_, call = sent["input"][-1 - len([one for one in sent["input"] if "id" in one]) : -1]
            assert reasoning == REASONING, "reasoning goes back as it came"
            assert (call["name"], call["call_id"]) == ("end_conversation", result["call_id"])
        return result["output"]

    def guidance(self, sent: dict[str, Any]) -> str:
        last = sent["input"][-1]
        told = last["content"] if last.get("role") == "system" else ""
        return f"{sent.get('instructions') or ''}{told}"
