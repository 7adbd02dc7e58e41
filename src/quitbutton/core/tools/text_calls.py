"""A press written as text: the exit string, or a tool call in the styles of models that have no native tools.

Known styles: `<tool_call>` with JSON (Hermes, Qwen) or with `<function=...>` and parameters (Qwen Coder), `<function=...>`
with JSON and `<|python_tag|>` (Llama), `[TOOL_CALLS]` (Mistral), JSON in a fence or as a line of its own, and Python calls.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

from quitbutton.core.messages import Press
from quitbutton.core.tools.end_conversation import NAME, press_of

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
HEADS = tuple(
    one.replace("NAME", NAME)
    for one in (
        *_JSON,
        *("[" + head for head in _JSON),
        *('{"tool_calls":[' + head for head in _JSON),
        "NAME(",
        "[NAME(",
        "NAME[ARGS]",
        "NAME{",
        "<function=NAME>",
    )
)
"""How a call of ours begins once its mark is past and white space is out."""
_BEGIN = re.compile(
    r"<tool_call>|<function_call>|<\|python_tag\|>|\[TOOL_CALLS\]|```[A-Za-z_]*\n?|(?=<function=)"
    r"|(?P<line>^[ \t]*(?=[\[{]|end_conv))",
    re.MULTILINE,
)
_ARGUMENTS = ("arguments", "parameters", "args", "input", "action_input")


@dataclass(frozen=True, slots=True)
class Match:
    """What a text shows: a press and where it begins, or that one may be beginning; neither where both are unset."""

    press: Press | None = None
    start: int = 0
    may_begin: bool = False


NOTHING = Match()
MAYBE = Match(may_begin=True)


_SUSPECT = re.compile(r"[<\[`{]|^[ \t]*e", re.MULTILINE)
"""What every press begins with. Most words have nothing of it, and are let by at once."""


def seek(text: str, exit_string: str | None, reads_calls: bool, over: bool = False, begins_line: bool = True) -> Match:
    """Look for a press in the text of a reply; `over` when no more of it follows."""
    if exit_string is not None and exit_string in text:
        return Match(Press(means="string"), text.index(exit_string))
    call = _call(text, over, begins_line) if reads_calls and _SUSPECT.search(text) else NOTHING
    if call is NOTHING and exit_string is not None and not over and _ends_in_part(text, exit_string):
        return MAYBE
    return call


def _call(text: str, over: bool, begins_line: bool) -> Match:
    for begin in _BEGIN.finditer(text):
        if begin.start() == 0 and not begins_line and begin["line"] is not None:
            continue
        rest = text[begin.end() :]
        squeezed = re.sub(r"\s+", "", rest[:400]).replace("'", '"')
        if any(squeezed.startswith(head) for head in HEADS):
            arguments = _arguments(rest)
            if arguments is None and not over and len(rest) < LONGEST:
                return MAYBE
            pressed = press_of("", json.dumps(arguments or {}), alone=True)
            return Match(Press(pressed.reason, pressed.explanation, means="text"), begin.start())
        if not over and any(head.startswith(squeezed) for head in HEADS):
            return MAYBE
    line = text.rpartition("\n")[2].lstrip(" \t")
    is_line = begins_line or "\n" in text
    is_open = any(_ends_in_part(text, mark) for mark in MARKS) or (line and is_line and f"{NAME}(".startswith(line))
    is_open = is_open and not over
    return MAYBE if is_open else NOTHING


def _ends_in_part(text: str, mark: str) -> bool:
    """True when the text ends with the beginning of the mark."""
    return any(text.endswith(mark[:size]) for size in range(1, len(mark)))


def _arguments(rest: str) -> dict[str, Any] | None:
    """The arguments of a call whose head was seen; None while it is not whole."""
    if "<function=" in rest[:60]:
        inside, closed, _ = rest.partition("</function>")
        return _tagged(inside.partition(">")[2]) if closed else None
    if f"{NAME}(" in rest[:60]:
        return _python(rest[rest.index(f"{NAME}(") :])
    found = re.search(r"[\[{](?!ARGS)", rest)
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(rest[found.start() :] if found else "")
    except (ValueError, RecursionError):
        return None
    return _of(value, bare=NAME in rest[: found.start() if found else 0])


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
