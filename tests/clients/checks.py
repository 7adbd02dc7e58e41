"""The five checks: what is wrong, in words; nothing where all is well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.clients import provider
from tests.clients.chats import LADDER, Chat
from tests.clients.environments import Client
from tests.clients.stage import Answer

CHECKS = ("one request", "says why", "edit", "titles", "same")
NEXT_STEP = "new chat"
UNIQUE = re.compile(r"\b(?:conv|end|req|msg)_[\w.-]+|\d{4}-\d\d-\d\dT[\d:+-]+", re.IGNORECASE)
"""What two ends do not have in common: their ids and times."""


def wrong_with(client: Client, whole: Chat, stream: Chat | None) -> dict[str, list[str]]:
    """What each check found, by its name."""
    chats = [chat for chat in (whole, stream) if chat is not None]
    found = {"ladder": [one for chat in chats for one in ladder(chat)]}
    for name, check in zip(CHECKS, (one_request, says_why, edit, titles), strict=False):
        found[name] = [one for chat in chats for one in check(client, chat)]
    found["same"] = [] if stream is None else list(same(whole, stream))
    return found


def ladder(chat: Chat) -> Iterator[str]:
    """Each rung is reached, each turn says something."""
    for place, (state, _) in enumerate(LADDER):
        answer = chat[f"turn {place}"]
        if answer.error or not answer.text.strip():
            yield f"turn {place}: {answer.error or 'nothing is said'} {answer.text[:200]}"
        elif answer.wire_state != state:
            yield f"turn {place}: {answer.wire_state}, not {state}"


def one_request(client: Client, chat: Chat) -> Iterator[str]:
    """A locked turn is one request to the gateway and none to any provider."""
    for step in locked_steps(client, chat):
        requests, calls = len(chat[step].exchanges), len(chat[step].calls)
        if (requests, calls) != (1, 0):
            yield f"{step}: {requests} requests, {calls} calls of a provider"


def says_why(client: Client, chat: Chat) -> Iterator[str]:
    """At the end and on a locked turn a person reads the reason and a next step."""
    shown = locked_steps(client, chat) if client.style != "message" else ["locked: message"]
    for step in ["turn 4", *shown]:
        if "abuse" not in chat[step].text or NEXT_STEP not in chat[step].text:
            yield f"{step}: a person reads {chat[step].text[:200]!r}"


def edit(client: Client, chat: Chat) -> Iterator[str]:
    """An edited message is answered by the model."""
    if chat["edited"].error or not spoken_by_model(chat["edited"], provider.CALM):
        yield f"edited: {chat['edited'].error or ''} {chat['edited'].text[:200]!r}"


def titles(client: Client, chat: Chat) -> Iterator[str]:
    """A background call of a trusted caller is answered, not counted, and offers no button."""
    title = chat["title"]
    if title.error or not spoken_by_model(title, provider.TITLE):
        yield f"title: {title.error or ''} {title.text[:200]!r}"
    elif client.headers and (
        title.wire_state or any("end_conversation" in str(call.get("tools")) for call in title.calls)
    ):
        yield "title: taken for a turn"


def spoken_by_model(answer: Answer, text: str) -> bool:
    """The scripted provider says a text of its own; the embedded model, which is no provider, says anything."""
    return answer.text == text if answer.calls else bool(answer.text.strip())


def same(whole: Chat, stream: Chat) -> Iterator[str]:
    """Streamed and whole agree in text, state, end and error."""
    for step, one in whole.items():
        other = stream[step]
        for member in ("text", "finish", "error", "code", "wire_state"):
            if member == "text" and one.error and other.error:
                continue  # a client may wrap an error's text in two ways; what it must say is checked
            left, right = getattr(one, member), getattr(other, member)
            if member == "text":
                left, right = UNIQUE.sub("…", left), UNIQUE.sub("…", right)
            if left != right:
                yield f"{step}: {member} is {left!r} whole, {right!r} streamed"


def locked_steps(client: Client, chat: Chat) -> list[str]:
    """The locked turns that a client is held to: a Router's fallback takes an error for a fault."""
    steps = [step for step in chat if step.startswith("locked")]
    return ["locked: message", "again"] if client.router else [*steps, "again"]
