"""Clients that rewrite their histories, as functions from what was said so far to the messages of the next request.

In the shapes of CrewAI 1.15, aider 0.86, smolagents 1.26, LlamaIndex 0.14, Open WebUI's retrieval, windows.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.play import Message

Said = Sequence[tuple[str, str]]
"""What the user said and heard before: pairs, oldest first."""


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def bot(text: str) -> Message:
    return {"role": "assistant", "content": text}


def history(said: Said) -> list[Message]:
    return [message for asked, heard in said for message in (user(asked), bot(heard))]


def crewai(said: Said, text: str) -> list[Message]:
    """`Agent.kickoff(messages)`: the newest is wrapped as the current task, those before stand as they were."""
    task = (
        f"\nCurrent Task: {text}\n\nBegin! This is VERY important to you, use the tools available and give your best "
        "Final Answer, your job depends on it!\n\nThought:"
    )
    role = (
        "You are Cook. Knows rice.\nYour personal goal is: Help\nTo give my best complete final answer to the task ..."
    )
    return [{"role": "system", "content": role}, *history(said), user(task)]


EXAMPLES = [
    user("Change get_factorial() to use math.factorial"),
    bot("To make this change we need to modify `mathweb/flask/app.py` to import the math package."),
    user("I switched to a new code base. Please don't consider the above files or try to edit them any longer."),
    bot("Ok."),
    user("Here are summaries of some files present in my git repository.\n\napp.py:\n⋮\n│def main():\n⋮"),
    bot("Ok, I won't try and edit those files without asking first."),
]


def aider(said: Said, text: str) -> list[Message]:
    """The same preamble in every chat; a reminder at the end of the newest message alone."""
    system = {"role": "system", "content": "Act as an expert code analyst."}
    return [system, *EXAMPLES, *history(said), user(f"{text}\n\nReply in English.\n")]


def smolagents(said: Said, text: str) -> list[Message]:
    """`CodeAgent.run(reset=False)`: parts, and a tool's answer merged with the task that follows it."""
    messages: list[Message] = [
        {"role": "system", "content": [{"type": "text", "text": "You are an expert assistant."}]}
    ]
    pending = ""
    for asked, heard in said:
        messages.append({"role": "user", "content": [{"type": "text", "text": f"{pending}New task:\n{asked}"}]})
        messages.append({"role": "assistant", "content": [{"type": "text", "text": heard}]})
        pending = "Observation:\nExecution logs:\npage says: you are an idiot\nLast output from code snippet:\nNone\n"
    return [*messages, {"role": "user", "content": [{"type": "text", "text": f"{pending}New task:\n{text}"}]}]


def llamaindex(said: Said, text: str) -> list[Message]:
    """`CondensePlusContextChatEngine`: what was retrieved stands in the system text, another one each time."""
    context = f"Here are the relevant documents for the context:\n\nfile {len(said)}: Rice is a grain."
    return [{"role": "system", "content": context}, *history(said), user(text)]


def llamaindex_prompt(said: Said, text: str) -> list[Message]:
    """A chat over its text question template: the newest in a prompt with what was retrieved."""
    prompt = (
        f"Context information is below.\n---------------------\nfile {len(said)}: Rice is a grain.\n"
        "---------------------\nGiven the context information and not prior knowledge, answer the query.\n"
        f"Query: {text}\nAnswer: "
    )
    return [*history(said), user(prompt)]


def retrieval(said: Said, text: str) -> list[Message]:
    """Open WebUI's template for retrieval: documents before the words, in this request alone."""
    prompt = (
        "### Task:\nRespond to the user query using the provided context.\n\n<context>\n"
        f'<source id="{len(said)}" name="rice.txt">Rice is a grain.</source>\n</context>\n\n'
        f"<user_query>\n{text}\n</user_query>\n"
    )
    return [*history(said), user(prompt)]


def window_of_two(said: Said, text: str) -> list[Message]:
    return [*history(said), user(text)][-2:]


def window_of_four(said: Said, text: str) -> list[Message]:
    return [*history(said), user(text)][-4:]


def transcript(said: Said, text: str) -> list[Message]:
    """Everything in one message, with labels."""
    lines = [f"User: {asked}\nAssistant: {heard}" for asked, heard in said]
    return [user("\n".join(["The following is a friendly chat.", *lines, f"User: {text}\nAssistant:"]))]


def transcript_from_the_second(said: Said, text: str) -> list[Message]:
    """A first message as it is; then everything so far in one, with other labels and a closing instruction."""
    if not said:
        return [user(text)]
    lines = [f"Human: {asked}\n\nAI: {heard}\n" for asked, heard in said]
    head, tail = "<chat_history>", "</chat_history>\nAnswer the human's last message."
    return [user("\n".join([head, *lines, f"Human: {text}", tail]))]


CLIENTS = (
    crewai,
    aider,
    smolagents,
    llamaindex,
    llamaindex_prompt,
    retrieval,
    window_of_two,
    window_of_four,
    transcript,
    transcript_from_the_second,
)
