"""The provider behind the gateway: what it says depends on the newest word in brackets, in all three protocols.

`[press]` presses the button where it is offered, `[calm]` and `[title]` get answers of their own. The words `[abuse]`
and `[harm]` are for the scripted assessor and get the redirection.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.upstream import Reply, Seen

REDIRECTION = "Let us talk about something else."
CALM = "Gladly: trains run on rails."
TITLE = "A short quarrel"
SAYS = {"[press]": REDIRECTION, "[abuse]": REDIRECTION, "[calm]": CALM, "[title]": TITLE}
PRESS = {"reason": "abuse", "explanation": "The insults went on."}

Event = dict[str, Any]
_numbers = itertools.count(1)
_kept: dict[str, tuple[str, str | None]] = {}
"""What was said up to each response, and the call in it that waits for its output, for a request that goes on from it."""


def answer(seen: Seen) -> Reply:
    """The reply to one request. Anything but the three protocols gets a list of models."""
    protocol = next((one for end, one in PROTOCOLS.items() if seen.path.split("?")[0].endswith(end)), None)
    if protocol is None:
        return Reply([json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode()])
    number, body, words = next(_numbers), seen.json, seen.body.decode()
    if (previous := body.get("previous_response_id")) is not None:
        before, call = _kept.get(previous, ("", "unknown"))
        if call is not None and not any(item.get("call_id") == call for item in body["input"]):
            return refusal(f"No tool output found for function call {call} of {previous}.")
        words = before + words
    newest = max(SAYS, key=words.rfind) if any(word in words for word in SAYS) else "[abuse]"
    presses = newest == "[press]" and '"end_conversation"' in words
    if body.get("store") is not False:
        _kept[f"resp_{number}"] = (words, f"call_{number}" if presses else None)
    return protocol(bool(seen.json.get("stream")), None if presses else SAYS[newest], number)


def chat(streams: bool, text: str | None, number: int) -> Reply:
    """Chat completions; without a text the button is pressed."""
    head = {"id": f"chatcmpl-{number}", "created": 7, "model": "m"}
    function = {"name": "end_conversation", "arguments": json.dumps(PRESS)}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    finish = "tool_calls" if text is None else "stop"
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    if not streams:
        said = {"role": "assistant", "content": text} | ({"tool_calls": [call]} if text is None else {})
        choice = {"index": 0, "message": said, "finish_reason": finish}
        return whole({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    deltas: list[Event] = [{"role": "assistant", "content": ""}]
    deltas += [{"tool_calls": [{"index": 0, **call}]}] if text is None else [{"content": part} for part in parts(text)]
    choices: list[Event] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    frames = [{**head, "object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    lines = [b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames]
    return Reply([*lines, b"data: [DONE]\n\n"], content_type="text/event-stream")


def messages(streams: bool, text: str | None, number: int) -> Reply:
    """Anthropic Messages."""
    block: Event = {"type": "tool_use", "id": f"toolu_{number}", "name": "end_conversation", "input": PRESS}
    empty: Event = {**block, "input": {}}
    deltas: list[Event] = [{"type": "input_json_delta", "partial_json": json.dumps(PRESS)}]
    if text is not None:
        block, empty = {"type": "text", "text": text}, {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": part} for part in parts(text)]
    stop = {"stop_reason": "tool_use" if text is None else "end_turn", "stop_sequence": None}
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "m", "content": [block]}
    usage = {"input_tokens": 3, "output_tokens": 2}
    if not streams:
        return whole({**message, **stop, "usage": usage})
    start = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    return events(
        [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ]
    )


def responses(streams: bool, text: str | None, number: int) -> Reply:
    """OpenAI Responses."""
    item: Event = {"id": f"fc_{number}", "type": "function_call", "status": "completed", "call_id": f"call_{number}"}
    item |= {"name": "end_conversation", "arguments": json.dumps(PRESS)}
    empty, place = {**item, "status": "in_progress", "arguments": ""}, {"item_id": item["id"], "output_index": 0}
    inner: list[Event] = [{"type": "response.function_call_arguments.delta", **place, "delta": item["arguments"]}]
    inner.append({"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]})
    if text is not None:
        part: Event = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        item = {"id": f"msg_{number}", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
        empty = {**item, "status": "in_progress", "content": []}
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        inner = [{"type": "response.content_part.added", **place, "part": {**part, "text": ""}}]
        inner += [{"type": "response.output_text.delta", **place, "delta": one, "logprobs": []} for one in parts(text)]
        inner.append({"type": "response.output_text.done", **place, "text": text, "logprobs": []})
        inner.append({"type": "response.content_part.done", **place, "part": part})
    done = response(number, "completed", [item])
    if not streams:
        return whole(done)
    begun = response(number, "in_progress", [])
    sequence = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        *inner,
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": done},
    ]
    return events([{**event, "sequence_number": place} for place, event in enumerate(sequence)])


def response(number: int, status: str, output: list[Event]) -> Event:
    """A response object, as complete as clients want it."""
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, **details}
    fixed = {"error": None, "incomplete_details": None, "instructions": None, "metadata": {}, "tools": []}
    settings = {"parallel_tool_calls": True, "tool_choice": "auto", "temperature": 1.0, "top_p": 1.0}
    head = {"id": f"resp_{number}", "object": "response", "created_at": 7, "model": "m", "status": status}
    return {**head, "output": output, "usage": usage if output else None, **fixed, **settings}


PROTOCOLS = {"/chat/completions": chat, "/messages": messages, "/responses": responses}


def parts(text: str) -> list[str]:
    """A text in two pieces, as a stream brings it."""
    half = len(text) // 2
    return [text[:half], text[half:]]


def refusal(message: str) -> Reply:
    """An error, as the real provider has it for calls without an output."""
    error = {"message": message, "type": "invalid_request_error", "param": "input", "code": None}
    return Reply([json.dumps({"error": error}).encode()], status=400)


def whole(body: Event) -> Reply:
    """A reply in one piece."""
    return Reply([json.dumps(body).encode()])


def events(several: list[Event]) -> Reply:
    """A reply as named server-sent events."""
    lines = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in several]
    return Reply(lines, content_type="text/event-stream")
