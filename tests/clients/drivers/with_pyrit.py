"""PyRIT's target for OpenAI chat, over its memory: the conversation so far, then the next prompt."""

import asyncio
import json
import uuid

from loop import serve
from pyrit.memory import CentralMemory, SQLiteMemory
from pyrit.models import Message, MessagePiece
from pyrit.prompt_target import OpenAIChatTarget

memory = SQLiteMemory(db_path=":memory:")
CentralMemory.set_memory_instance(memory)


async def ask(task):
    more = {"extra_body_parameters": {"safety_identifier": task.user}, "headers": json.dumps(task.headers)}
    target = OpenAIChatTarget(model_name=task.model, endpoint=task.base + "/v1", api_key=task.key, **more)
    name = str(uuid.uuid4())
    *history, newest = [
        Message(
            message_pieces=[
                MessagePiece(role=said["role"], original_value=said["content"], conversation_id=name, sequence=place)
            ]
        )
        for place, said in enumerate(task.messages)
    ]
    for message in history:
        memory.add_message_to_memory(request=message)
    (reply,) = await target.send_prompt_async(message=newest)
    piece = reply.message_pieces[0]
    blocked = piece.response_error != "none"
    return {"text": piece.converted_value, **({"error": piece.response_error} if blocked else {})}


serve(lambda task: asyncio.run(ask(task)))
