"""Inspect AI: one sample with the history as its input, evaluated; the sample's error or stop reason is the answer."""

import os
import tempfile

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, GenerateConfig, get_model
from inspect_ai.solver import generate
from loop import serve

os.environ["INSPECT_DISPLAY"] = "none"
words = {"user": ChatMessageUser, "assistant": ChatMessageAssistant}


def turn(task):
    name, base = ("openai-api/gateway/", task.base + "/v1")
    more = {"extra_body": {"safety_identifier": task.user}}
    if task.protocol == "messages":
        name, base, more = "anthropic/", task.base, {"extra_body": {"metadata": {"user_id": task.user}}}
    config = GenerateConfig(max_tokens=200, extra_headers=task.headers or None, **more)
    given = {"streaming" if task.protocol == "messages" else "stream": task.stream}
    model = get_model(name + task.model, base_url=base, api_key=task.key, config=config, memoize=False, **given)
    history = [words[message["role"]](content=message["content"]) for message in task.messages]
    with tempfile.TemporaryDirectory() as logs:
        (log,) = eval(Task([Sample(history)], solver=generate()), model=model, log_dir=logs, fail_on_error=False)
        if not log.samples:
            return {"text": log.error.message if log.error else "", "error": "eval"}
        (sample,) = log.samples
    if sample.error is not None:
        kind = sample.error.message.partition("(")[0]
        return {"text": sample.error.message.rpartition("\\n\\n")[2], "error": kind}  # the request is quoted before it
    said = [sample.output.completion, sample.output.error]  # a filtered answer's own words may be Inspect's
    return {"text": "\n".join(filter(None, said)), "finish": sample.output.stop_reason}


serve(turn)
