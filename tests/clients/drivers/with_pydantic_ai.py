"""Pydantic AI: an agent over the OpenAI chat, OpenAI responses and Anthropic models."""

import asyncio

from loop import serve
from pydantic_ai import Agent
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


def model_of(task):
    if task.protocol == "messages":
        return AnthropicModel(task.model, provider=AnthropicProvider(base_url=task.base, api_key=task.key))
    kind = OpenAIResponsesModel if task.protocol == "responses" else OpenAIChatModel
    return kind(task.model, provider=OpenAIProvider(base_url=task.base + "/v1", api_key=task.key))


def spoken(message):
    if message["role"] == "user":
        return ModelRequest(parts=[UserPromptPart(message["content"])])
    return ModelResponse(parts=[TextPart(message["content"])])


async def ask(task):
    more = {"metadata": {"user_id": task.user}} if task.protocol == "messages" else {"safety_identifier": task.user}
    agent = Agent(model_of(task), model_settings={"max_tokens": 200, "extra_headers": task.headers, "extra_body": more})
    *history, newest = task.messages
    given = {"message_history": [spoken(message) for message in history]}
    if task.stream:
        async with agent.run_stream(newest["content"], **given) as result:
            text = await result.get_output()
            finish = result.response.finish_reason
    else:
        result = await agent.run(newest["content"], **given)
        text, finish = result.output, result.response.finish_reason
    return {"text": text, "finish": finish, "state": None}


serve(lambda task: asyncio.run(ask(task)))
