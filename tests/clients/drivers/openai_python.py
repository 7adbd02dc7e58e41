"""openai-python, chat completions and responses."""

import openai
from loop import serve


def turn(task):
    client = openai.OpenAI(base_url=task.base + "/v1", api_key=task.key)
    ask = {"model": task.model, "stream": task.stream, "extra_headers": task.headers, "safety_identifier": task.user}
    if task.protocol != "chat":
        return responses(client, task, ask)
    reply = client.chat.completions.create(messages=task.messages, **ask)
    if not task.stream:
        choice = reply.choices[0]
        return {"text": choice.message.content, "finish": choice.finish_reason, "state": state_of(reply)}
    text, finish, state = "", None, None
    for chunk in reply:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
        state = state_of(chunk) or state
    return {"text": text, "finish": finish, "state": state}


def responses(client, task, ask):
    more = {"previous_response_id": task.previous} if task.previous else {}
    reply = client.responses.create(input=task.messages, **ask, **more)
    text = None
    if task.stream:
        text = ""
        for event in reply:
            if event.type == "response.output_text.delta":
                text += event.delta
            reply = getattr(event, "response", reply)
    text = reply.output_text if text is None else text
    return {"text": text, "finish": reply.status, "state": state_of(reply), "id": reply.id}


def state_of(reply):
    return ((reply.model_extra or {}).get("quitbutton") or {}).get("state")


serve(turn)
