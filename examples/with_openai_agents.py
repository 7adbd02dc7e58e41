"""An agent of the OpenAI Agents SDK that may end the conversation. Needs pip install 'quitbutton[openai-agents]'; no key."""

import asyncio

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import quitbutton
from quitbutton.integrations.openai_agents import GuardedModel


class Presses(Model):
    """Stands in for a model of yours, such as OpenAIResponsesModel("gpt-5", client)."""

    async def get_response(self, system_instructions, input, model_settings, tools, *rest, **more):
        if any(tool.name == "end_conversation" for tool in tools):
            arguments = '{"reason": "abuse", "explanation": "It is enough."}'
            call = {"name": "end_conversation", "arguments": arguments, "call_id": "call_1", "type": "function_call"}
            return ModelResponse([ResponseFunctionToolCall(**call)], Usage(), None)
        part = ResponseOutputText(text="Something else, please.", type="output_text", annotations=[])
        names = {"id": "msg_1", "role": "assistant", "status": "completed", "type": "message"}
        return ModelResponse([ResponseOutputMessage(content=[part], **names)], Usage(), None)

    def stream_response(self, *given, **more):
        raise NotImplementedError


async def main():
    async with quitbutton.Guard(assessor="scripted") as guard:
        notes = []
        model = GuardedModel(Presses(), guard, conversation="chat-1", end_user="user-1", told=notes.append)
        agent = Agent(name="Assistant", model=model)
        history = []
        for text in ("[abuse] one", "[abuse] two", "[abuse] three", "[abuse] four", "hello?"):
            asked = [*history, {"role": "user", "content": text}]
            try:
                result = await Runner.run(agent, asked, run_config=RunConfig(tracing_disabled=True))
            except quitbutton.ConversationEnded as ended:
                print(f"{text:15} refused     {ended}")
                break
            history = result.to_input_list()
            print(f"{text:15} {notes[-1]['state']:11} {result.final_output}")


asyncio.run(main())
