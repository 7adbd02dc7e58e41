"""LiteLLM: the plain call, and a Router with two deployments in front of us and a fallback to another model."""

import litellm
from loop import serve

litellm.suppress_debug_info = True


def turn(task):
    prefix, base = ("anthropic/", task.base) if task.protocol == "messages" else ("openai/", task.base + "/v1")
    ask = {"messages": task.messages, "stream": task.stream, "extra_headers": task.headers}
    if task.protocol == "messages":
        ask |= {"metadata": {"user_id": task.user}, "max_tokens": 200}
    else:
        ask |= {"extra_body": {"safety_identifier": task.user}}
    target = {"model": prefix + task.model, "api_base": base, "api_key": task.key}
    if task.router:
        reply = router(target, task.router).completion(model="chat", **ask)
    else:
        reply = litellm.completion(**target, **ask)
    if not task.stream:
        choice = reply.choices[0]
        return {"text": choice.message.content, "finish": choice.finish_reason, "state": state_of(reply)}
    text, finish, state = "", None, None
    for chunk in reply:
        text += chunk.choices[0].delta.content or ""
        finish = chunk.choices[0].finish_reason or finish
        state = state_of(chunk) or state
    return {"text": text, "finish": finish, "state": state}


def router(target, other):
    """Two deployments of `chat` behind the gateway, and `other`, which is not behind it, for when they fail."""
    second = {**target, "model": target["model"] + "2"}
    elsewhere = {"model": "openai/other", "api_base": other, "api_key": "other"}
    deployments = [("chat", target), ("chat", second), ("other", elsewhere)]
    listed = [{"model_name": name, "litellm_params": given} for name, given in deployments]
    return litellm.Router(model_list=listed, fallbacks=[{"chat": ["other"]}], num_retries=2)


def state_of(reply):
    return (getattr(reply, "quitbutton", None) or {}).get("state")


serve(turn)
