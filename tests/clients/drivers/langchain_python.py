"""LangChain for Python: ChatOpenAI (chat completions and responses) and ChatAnthropic."""

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from loop import serve


def model_of(task):
    if task.protocol == "messages":
        given = {"anthropic_api_url": task.base, "max_tokens": 200, "default_headers": task.headers}
        return ChatAnthropic(
            model=task.model, api_key=task.key, model_kwargs={"metadata": {"user_id": task.user}}, **given
        )
    given = {"use_responses_api": task.protocol == "responses", "default_headers": task.headers}
    more = {"safety_identifier": task.user}
    return ChatOpenAI(model=task.model, base_url=task.base + "/v1", api_key=task.key, model_kwargs=more, **given)


def turn(task):
    messages = [(message["role"], message["content"]) for message in task.messages]
    model = model_of(task)
    if task.stream:
        reply = None
        for chunk in model.stream(messages):
            reply = chunk if reply is None else reply + chunk
    else:
        reply = model.invoke(messages)
    facts = reply.response_metadata
    finish = facts.get("finish_reason") or facts.get("stop_reason") or facts.get("status")
    text = reply.text if isinstance(reply.text, str) else reply.text()
    return {"text": text, "finish": finish, "state": (facts.get("quitbutton") or {}).get("state")}


serve(turn)
