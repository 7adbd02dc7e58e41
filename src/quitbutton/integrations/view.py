"""The guard's view of a framework's messages: role, words and calls, beside the place of the original."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
PLACE = "place"
CUT = {"role": "assistant", "content": None, PLACE: -1}
"""Stands for a history that the provider keeps: it tells the guard that something came before, and goes nowhere."""


def seen(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages for the guard, each with its place, so that the original can be sent in its stead."""
    return [{**message, PLACE: place} for place, message in enumerate(messages)]


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """How a framework's messages are seen, and made."""

    view: Callable[[T], dict[str, Any]]
    made: Callable[[dict[str, Any]], T]
    """A message that the guard added, in the framework's kind."""
    reworded: Callable[[T, Any], T]
    """A reply with this content, as it was viewed, in place of its own."""

    def restored(self, sent: Iterable[dict[str, Any]], originals: list[T]) -> list[T]:
        """What goes to the model: the originals, without words of ours in them, and what the guard added."""
        return [self._restored(one, originals) for one in _with_names(sent) if one.get(PLACE) != CUT[PLACE]]

    def _restored(self, one: dict[str, Any], originals: list[T]) -> T:
        if PLACE not in one:
            return self.made(one)
        original, content = originals[one[PLACE]], one.get("content")
        is_whole = one["role"] != "assistant" or _text(content) == _text(self.view(original)["content"])
        return original if is_whole else self.reworded(original, content)


def _with_names(sent: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Messages with the tool's name on our answer to a call of it, which frameworks ask for."""
    names: dict[str, str] = {}
    for one in sent:
        if PLACE not in one and one["role"] == "assistant":
            names |= {call["id"]: call["function"]["name"] for call in one.get("tool_calls") or ()}
        yield {**one, "name": names[one["tool_call_id"]]} if PLACE not in one and one["role"] == "tool" else one


def _text(content: Any) -> str:
    return "\n".join(str(part.get("text") or "") for part in content) if isinstance(content, list) else content or ""


def offered_in(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Our tools that the guard offers on this call, as functions with name, description and parameters.

    The caller's own stand before them, by name alone.
    """
    functions = [tool["function"] for tool in request.get("tools") or ()]
    return [function for function in functions if "description" in function]


def named_tools(names: Iterable[str]) -> list[dict[str, Any]] | None:
    """The caller's tools as the guard needs to know them: by name alone."""
    return [{"type": "function", "function": {"name": name}} for name in names] or None


def call(call_id: str | None, name: str, arguments: str, index: int | None = None) -> dict[str, Any]:
    """A tool call in OpenAI's shape; with its index it is a part of one in a stream."""
    head = {} if index is None else {"index": index}
    return {**head, "id": call_id or "", "type": "function", "function": {"name": name, "arguments": arguments}}


class Heard(Generic[T]):
    """What the model said, original beside view, so that what the guard leaves alone leaves as it came."""

    def __init__(self) -> None:
        self.originals: list[T] = []
        self._views: list[dict[str, Any]] = []

    def view(self, original: T, text: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
        """A message, or a part of one, for the guard."""
        self.originals.append(original)
        self._views.append({"content": str(text) or None, "tool_calls": calls})
        return {**self._views[-1], PLACE: len(self.originals) - 1}

    def original(self, said: dict[str, Any]) -> T | None:
        """The original of what the guard passed on; None for words of ours."""
        place = said.get(PLACE)
        return None if place is None else self.originals[place]

    def is_untouched(self, said: dict[str, Any]) -> bool:
        """True when the guard passed it on as it was."""
        if PLACE not in said:
            return False
        view = self._views[said[PLACE]]
        same_words: bool = (said.get("content") or None) == view["content"]
        return same_words and bool((said.get("tool_calls") or []) == view["tool_calls"])
