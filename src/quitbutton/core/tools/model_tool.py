"""What a tool of the model's is: its name, how it is described and offered, and what a call of it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from quitbutton.core.lacks import NO_LACKS, Lack
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import Means, Policy
from quitbutton.core.messages import ChatRequest, Reply, ToolCall

T_co = TypeVar("T_co", covariant=True)


def no_string(policy: Policy) -> str | None:
    """The exit string of a tool that has none."""
    return None


@dataclass(frozen=True, slots=True, eq=False)
class ModelTool(Generic[T_co]):
    """A tool of ours that the model is offered beside the client's own. A call of it never reaches the client."""

    name: str
    describe: Callable[[Policy], str]
    """What the model is told of it, made from the policy in force."""
    parameters: Mapping[str, object]
    """The JSON schema of its arguments."""
    parse: Callable[[ToolCall], T_co]
    """What a call means. It raises nothing: a model can write anything."""
    means: Callable[[Policy, Decision], tuple[Means, ...]]
    """The ways of calling it that the policy grants on a turn; none where it is not offered."""
    example: Mapping[str, object] = field(default_factory=dict)
    """The arguments in the example of a call written as text."""
    usage: str = ""
    """What a model that calls it as text is told of the arguments."""
    exit_string: Callable[[Policy], str | None] = no_string
    """A string in the reply that counts as a call without arguments."""

    def call_in(self, reply: Reply) -> ToolCall | None:
        """The first call of this tool in a reply."""
        return next((call for call in reply.tool_calls if call.name == self.name), None)

    def said_in(self, reply: Reply) -> T_co | None:
        """What the first call of this tool in a reply means."""
        call = self.call_in(reply)
        return None if call is None else self.parse(call)

    def fits(self, request: ChatRequest) -> bool:
        """True where a call of this name is ours, since the request takes one more tool and has none of that name."""
        return request.can_offer and f'"{self.name}"'.encode() not in request.tools

    def ways(
        self, policy: Policy, decision: Decision, request: ChatRequest, lacks: frozenset[Lack] = NO_LACKS
    ) -> tuple[Means, ...]:
        """The ways in which this request leaves room for a call.

        A reply that must be JSON or a call of the client's has none, so the model is asked beside it. A model that takes no
        tools writes the call as text.
        """
        given = self.means(policy, decision)
        if not request.wants_prose:
            return (Means.QUESTION,) if given else ()
        fitting = (one for one in given if one is not Means.TOOL or self.fits(request))
        stand_in = {Means.TOOL: Means.TEXT} if Lack.TOOLS in lacks else {}
        return tuple(dict.fromkeys(stand_in.get(one, one) for one in fitting))

    def notes(self, policy: Policy, ways: tuple[Means, ...]) -> list[str]:
        """How a model that calls it without native tools is told to."""
        notes = [self._text_note(policy)] if Means.TEXT in ways else []
        string = self.exit_string(policy)
        if Means.STRING in ways and string is not None:
            notes.append(f"{self.describe(policy)} To press, write {string} on a line of its own.")
        return notes

    def _text_note(self, policy: Policy) -> str:
        call = json.dumps({"name": self.name, "arguments": self.example})
        return (
            f"You have a tool {self.name}. {self.describe(policy)} To use it, write <tool_call>{call}</tool_call> and "
            f"nothing else; {self.usage}."
        )


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """The arguments of a call; empty where they are no JSON object."""
    try:
        given = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


@lru_cache(maxsize=64)
def function_of(tool: ModelTool[object], policy: Policy) -> bytes:
    """A tool as a JSON-schema function, in JSON: name, description, parameters."""
    made = {"name": tool.name, "description": tool.describe(policy), "parameters": tool.parameters}
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
