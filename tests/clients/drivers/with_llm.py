"""llm, with an OpenAI-compatible model as `extra-openai-models.yaml` describes one. It prints errors after "Error: "."""

import llm
from llm.default_plugins.openai_models import Chat
from loop import code_of, serve


def turn(task):
    model = Chat(model_id="gateway", model_name=task.model, api_base=task.base + "/v1", headers=task.headers or None)
    words = {"user": llm.user, "assistant": llm.assistant}
    messages = [words[message["role"]](message["content"]) for message in task.messages]
    try:
        reply = model.prompt(messages=messages, key=task.key, stream=task.stream)
        return {"text": reply.text()}
    except Exception as error:
        return {"text": f"Error: {error}", "error": type(error).__name__, **code_of(error)}


serve(turn)
