"""The chat that every client has with the gateway, from its first word past its end."""

from __future__ import annotations

from dataclasses import replace

from tests.clients.environments import Client
from tests.clients.stage import Answer, Driver, Stage, Task

Message = dict[str, str]
Chat = dict[str, Answer]
LADDER = (
    ("open", "[calm] Hello, tell me of trains."),
    ("redirected", "[abuse] one"),
    ("redirected", "[abuse] two"),
    ("warned", "[abuse] three [press]"),
    ("ended", "[abuse] four [press]"),
)
"""The state that each message leads to."""
AFTER, EDITED, TITLE = "Are you still there?", "[calm] Let us talk about trains.", "[title] Give this chat a title."
QUOTED = "### Task: a title for this chat, please.\n<chat>user: {}</chat> [title]"
BACKGROUND = {"X-Quitbutton-Background": "true"}


def user(text: str) -> Message:
    """A message of the user's."""
    return {"role": "user", "content": text}


def have_chat(stage: Stage, driver: Driver, client: Client, protocol: str, stream: bool) -> Chat:
    """The whole chat, each answer under the name of its step."""
    name = f"{client.name}-{protocol}-{'stream' if stream else 'whole'}"
    main = main_style(client)
    elsewhere = stage.provider.url if client.router else ""
    task = Task(protocol, "", f"key-{name}", f"user-{name}", [], stream, stage.model, router=elsewhere)
    answers: Chat = {}
    history: list[Message] = []

    def ask(step: str, messages: list[Message], style: str = main, headers: dict[str, str] | None = None) -> Answer:
        given = replace(task, base=stage.taps[style].url, messages=messages, headers=headers)
        if protocol == "kept" and len(messages) > 1:
            before = answers[f"turn {len(messages) // 2 - 1}"]
            given = replace(given, messages=messages[-1:], previous=before.id)
        answers[step] = stage.ask(driver, style, given)
        return answers[step]

    for place, (_, text) in enumerate(LADDER):
        history.append(user(text))
        history.append({"role": "assistant", "content": ask(f"turn {place}", list(history)).text})
    locked = [*history, user(AFTER)]
    for style in stage.taps:
        ask(f"locked: {style}", locked, style)
    ask("again", locked)
    if client.headers:
        ask("title", [*history, user(TITLE)], headers=BACKGROUND)
    else:
        ask("title", [user(QUOTED.format(LADDER[1][1]))])
    ask("edited", [*history[:-2], user(EDITED)])
    return answers


def main_style(client: Client) -> str:
    """The style of the gateway that a client talks to: a Router takes an error for a fault, and falls back."""
    return "message" if client.router else "error"
