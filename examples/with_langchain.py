"""A LangChain agent whose model may end the conversation. Needs pip install 'quitbutton[langchain]'; no key."""

import asyncio

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver

import quitbutton
from quitbutton.integrations.langchain import QuitButtonMiddleware


class Presses(BaseChatModel):
    """Stands in for a model of yours, such as ChatOpenAI(model="gpt-5")."""

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self.bind(tools=tools, **kwargs)

    def _generate(self, messages, stop=None, run_manager=None, tools=(), **kwargs):
        reply = AIMessage("I would rather talk about something else.")
        if any(tool["function"]["name"] == "end_conversation" for tool in tools):
            args = {"reason": "abuse", "explanation": "It is enough."}
            reply = AIMessage("", tool_calls=[{"name": "end_conversation", "args": args, "id": "call_1"}])
        return ChatResult(generations=[ChatGeneration(message=reply)])


async def main():
    async with quitbutton.Guard(assessor="scripted") as guard:
        agent = create_agent(Presses(), middleware=[QuitButtonMiddleware(guard)], checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "chat-1", "user_id": "user-1"}}
        for text in ("[abuse] one", "[abuse] two", "[abuse] three", "[abuse] four", "hello?"):
            try:
                state = await agent.ainvoke({"messages": [{"role": "user", "content": text}]}, config)
            except quitbutton.ConversationEnded as ended:
                print(f"{text:15} refused     {ended}")
                break
            last = state["messages"][-1]
            print(f"{text:15} {last.response_metadata['quitbutton']['state']:11} {last.text}")


asyncio.run(main())
