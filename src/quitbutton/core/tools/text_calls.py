"""A call of our tools written as text: an exit string, or a tool call in the styles of models that have no native tools.

Known styles: `<tool_call>` with JSON (Hermes, Qwen) or with `<function=...>` and parameters (Qwen Coder), `<function=...>`
with JSON and `<|python_tag|>` (Llama), `[TOOL_CALLS]` (Mistral), JSON in a fence or as a line of its own, and Python calls.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from quitbutton.core.messages import ToolCall

LONGEST = 8000
"""Most characters of a call that are waited for; what is longer is taken as it is."""
MARKS = ("<tool_call>", "<function_call>", "<|python_tag|>", "[TOOL_CALLS]", "<function=", "```")
_JSON = (
    '{"name":"NAME"',
    '{"tool":"NAME"',
    '{"tool_name":"NAME"',
    '{"function":"NAME"',
    '{"action":"NAME"',
    '{"type":"function","name":"NAME"',
    '{"function":{"name":"NAME"',
    '{"type":"function","function":{"name":"NAME"',
)
_HEADS = (
    *_JSON,
    *("[" + head for head in _JSON),
    *('{"tool_calls":[' + head for head in _JSON),
    "NAME(",
    "[NAME(",
    "NAME[ARGS]",
    "NAME{",
    "<function=NAME>",
)
"""How a call begins once its mark is past and white space is out."""
BEGINNING = 8
"""Letters of a tool's name that a line must begin with to be looked at as a Python call."""
_ARGUMENTS = ("arguments", "parameters", "args", "input", "action_input")


@dataclass(frozen=True, slots=True)
class Grammar:
    """How calls of some tools look as text, derived from their names."""

    names: tuple[str, ...]
    heads: Mapping[str, str]
    """How a call begins, and the name of its tool."""
    begin: re.Pattern[str]
    """The marks before a call."""
    suspect: re.Pattern[str]
    """What every call begins with. Most words have nothing of it, and are let by at once."""

    def tool_of(self, squeezed: str) -> str | None:
        """The tool whose call begins a text without white space."""
        return next((name for head, name in self.heads.items() if squeezed.startswith(head)), None)

    def may_follow(self, squeezed: str) -> bool:
        """True for the beginning of a beginning."""
        return any(head.startswith(squeezed) for head in self.heads)


@lru_cache(maxsize=64)
def grammar_of(names: tuple[str, ...]) -> Grammar:
    """How calls of the tools with these names look."""
    heads = {head.replace("NAME", name): name for name in names for head in _HEADS}
    lines = "|".join(re.escape(name[:BEGINNING]) for name in names)
    letters = "|".join(sorted({re.escape(name[0]) for name in names}))
    begin = re.compile(
        r"<tool_call>|<function_call>|<\|python_tag\|>|\[TOOL_CALLS\]|```[A-Za-z_]*\n?|(?=<function=)"
        rf"|(?P<line>^[ \t]*(?=[\[{{]|{lines}))",
        re.MULTILINE,
    )
    return Grammar(names, heads, begin, re.compile(rf"[<\[`{{]|^[ \t]*(?:{letters})", re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Match:
    """What a text shows: a call and where it begins, or that one may be beginning; neither where both are unset."""

    call: ToolCall | None = None
    start: int = 0
    may_begin: bool = False


NOTHING = Match()
MAYBE = Match(may_begin=True)


def seek(
    text: str, strings: Mapping[str, str], grammar: Grammar | None, over: bool = False, begins_line: bool = True
) -> Match:
    """Look for a call in the text of a reply; `over` when no more of it follows.

    `strings` are the exit strings, each with the name of the tool that it calls. Without a grammar only they are looked for.
    """
    found = [(text.index(string), name) for string, name in strings.items() if string in text]
    if found:
        start, name = min(found)
        return Match(ToolCall(name, means="string"), start)
    call = _call(text, grammar, over, begins_line) if grammar is not None and grammar.suspect.search(text) else NOTHING
    if call is NOTHING and not over and any(_ends_in_part(text, string) for string in strings):
        return MAYBE
    return call


def _call(text: str, grammar: Grammar, over: bool, begins_line: bool) -> Match:
    for begin in grammar.begin.finditer(text):
        if begin.start() == 0 and not begins_line and begin["line"] is not None:
            continue
        rest = text[begin.end() :]
        squeezed = re.sub(r"\s+", "", rest[:400]).replace("'", '"')
        if (name := grammar.tool_of(squeezed)) is not None:
            arguments = _arguments(rest, name)
            if arguments is None and not over and len(rest) < LONGEST:
                return MAYBE
            return Match(ToolCall(name, arguments=json.dumps(arguments or {}), means="text"), begin.start())
        if not over and grammar.may_follow(squeezed):
            return MAYBE
    return MAYBE if not over and _is_open(text, grammar, begins_line) else NOTHING


def _is_open(text: str, grammar: Grammar, begins_line: bool) -> bool:
    """True when the text ends with a part of what a call begins with."""
    if any(_ends_in_part(text, mark) for mark in MARKS):
        return True
    line = text.rpartition("\n")[2].lstrip(" \t")
    is_line = begins_line or "\n" in text
    return bool(line) and is_line and any(f"{name}(".startswith(line) for name in grammar.names)


def _ends_in_part(text: str, mark: str) -> bool:
    """True when the text ends with the beginning of the mark."""
    return any(text.endswith(mark[:size]) for size in range(1, len(mark)))


def _arguments(rest: str, name: str) -> dict[str, Any] | None:
    """The arguments of a call of this tool whose head was seen; None while it is not whole."""
    if "<function=" in rest[:60]:
        inside, closed, _ = rest.partition("</function>")
        return _tagged(inside.partition(">")[2]) if closed else None
    if f"{name}(" in rest[:60]:
        return _python(rest[rest.index(f"{name}(") :])
    found = re.search(r"[\[{](?!ARGS)", rest)
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(rest[found.start() :] if found else "")
    except (ValueError, RecursionError):
        return None
    return _of(value, bare=name in rest[: found.start() if found else 0])


def _tagged(inside: str) -> dict[str, Any]:
    """The arguments inside `<function=...>`: JSON, or one `<parameter=...>` each."""
    try:
        value = json.loads(inside)
    except (ValueError, RecursionError):
        value = None
    pairs = re.findall(r"<parameter=(\w+)>\s*(.*?)\s*</parameter>", inside, re.DOTALL)
    return value if isinstance(value, dict) else dict(pairs)


def _python(text: str) -> dict[str, Any] | None:
    """The keyword arguments of a Python call; None while it does not close."""
    for close in re.finditer(r"\)", text):
        try:
            call = ast.parse(text[: close.end()], mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(call, ast.Call):
            words = {one.arg: one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)}
            return {str(name): value for name, value in words.items() if name}
    return None


def _of(value: Any, bare: bool) -> dict[str, Any]:
    """The arguments in a call's JSON; `bare` JSON is nothing but them."""
    if bare:
        return value if isinstance(value, dict) else {}
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return {}
    if value.get("tool_calls"):
        return _of(value["tool_calls"], bare=False)
    if isinstance(value.get("function"), dict):
        return _of(value["function"], bare=False)
    given: Any = next((value[name] for name in _ARGUMENTS if name in value), {})
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}
