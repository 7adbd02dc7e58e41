"""What all Python drivers share: a task a line comes in as JSON, an answer a line goes out."""

import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

PLACES = {
    "code": lambda error: error.code,
    "body['code']": lambda error: error.body["code"],
    "body['error']['code']": lambda error: error.body["error"]["code"],
    "__cause__.code": lambda error: error.__cause__.code,
    "__cause__.body['error']['code']": lambda error: error.__cause__.body["error"]["code"],
}
"""Where a program may find the error's code, best first."""


def code_of(error: Exception) -> dict[str, Any]:
    """The code of an error and where it is."""
    for place, find in PLACES.items():
        try:
            code = find(error)
        except (AttributeError, KeyError, TypeError, IndexError):
            continue
        if isinstance(code, str):
            return {"code": code, "at": f"error.{place}"}
    return {}


def serve(turn: Callable[[SimpleNamespace], dict[str, Any]]) -> None:
    """Answer tasks until there are no more. What a library prints goes to stderr."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        try:
            answer = turn(SimpleNamespace(**json.loads(line)))
        except Exception as error:
            answer = {"text": str(error), "error": type(error).__name__, **code_of(error)}
        print(json.dumps(answer), file=out, flush=True)
