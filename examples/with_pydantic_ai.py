"""A Pydantic AI agent whose model may end the conversation. Needs pip install 'quitbutton[pydantic-ai]'; no key."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

import quitbutton
from quitbutton.integrations.pydantic_ai import GuardedModel


async def presses(messages, info):
    """Stands in for a model of yours, such as "openai:gpt-5"."""
    if any(tool.name == "end_conversation" for tool in info.function_tools):
        return ModelResponse([ToolCallPart("end_conversation", {"reason": "abuse", "explanation": "It is enough."})])
    return ModelResponse([TextPart("I would rather talk about something else.")])


async def main():
    async with quitbutton.Guard(assessor="scripted") as guard:
        agent = Agent(GuardedModel(FunctionModel(presses), guard, end_user="user-1"))
        history = []
        for text in ("[abuse] one", "[abuse] two", "[abuse] three", "[abuse] four", "hello?"):
            try:
                result = await agent.run(text, message_history=history)
            except quitbutton.ConversationEnded as ended:
                print(f"{text:15} refused     {ended}")
                break
            history = result.all_messages()
            print(f"{text:15} {result.response.metadata['quitbutton']['state']:11} {result.output}")


asyncio.run(main())
