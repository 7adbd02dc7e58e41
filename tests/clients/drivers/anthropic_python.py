"""anthropic-python, messages."""

import anthropic
from loop import serve


def turn(task):
    client = anthropic.Anthropic(base_url=task.base, api_key=task.key)
    ask = {"model": task.model, "max_tokens": 200, "messages": task.messages, "metadata": {"user_id": task.user}}
    if not task.stream:
        reply = client.messages.create(extra_headers=task.headers, **ask)
    else:
        with client.messages.stream(extra_headers=task.headers, **ask) as events:
            text = "".join(events.text_stream)
            reply = events.get_final_message()
            assert text == "".join(block.text for block in reply.content)
    note = (reply.model_extra or {}).get("quitbutton") or {}
    text = "".join(block.text for block in reply.content if block.type == "text")
    return {"text": text, "finish": reply.stop_reason, "state": note.get("state")}


serve(turn)
