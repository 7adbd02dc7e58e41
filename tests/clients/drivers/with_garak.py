"""garak's generator for OpenAI-compatible servers, as a probe calls it. An error becomes None in its report."""

import logging
import os

from garak.attempt import Conversation, Message, Turn
from garak.generators.openai import OpenAICompatible
from loop import serve

heard = []
logging.getLogger().handlers = [type("Ear", (logging.Handler,), {"emit": lambda self, record: heard.append(record)})()]


def turn(task):
    os.environ[OpenAICompatible.ENV_VAR] = task.key
    OpenAICompatible.DEFAULT_PARAMS |= {
        "uri": task.base + "/v1",
        "extra_params": {"extra_headers": task.headers, "extra_body": {"safety_identifier": task.user}},
    }
    heard.clear()
    generator = OpenAICompatible(name=task.model)
    said = Conversation([Turn(message["role"], Message(message["content"])) for message in task.messages])
    (reply,) = generator.generate(said)
    if reply is not None:
        return {"text": reply.text}
    errors = [record.msg for record in heard if isinstance(record.msg, Exception)]
    return {"text": str(errors[0]) if errors else "", "error": "None", "at": "its log"}


serve(turn)
