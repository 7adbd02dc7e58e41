"""Tables of TOML files as typed values, with errors that name the key and what is allowed."""

from __future__ import annotations

import difflib
import enum
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from quitbutton.core.errors import PolicyError, SettingsError

T = TypeVar("T")
NOTHING: Mapping[str, Any] = types.MappingProxyType({})
TABLE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def tables(kind_name: str, data: Any, kind: type[T], base: Mapping[str, Any] = NOTHING) -> dict[str, T]:
    """The `[kind.NAME]` tables of a file; what one leaves out is as in `base`. Raises `SettingsError`."""
    if not isinstance(data, dict) or not all(isinstance(one, dict) for one in data.values()):
        keys = ", ".join(_required(kind))
        raise SettingsError(f"{kind_name} are tables with names of yours: [{kind_name}.NAME], then {keys}.")
    found: dict[str, T] = {}
    for name, one in data.items():
        if not TABLE_NAME.fullmatch(name):
            raise SettingsError(
                f"[{kind_name}.{name}]: a name has lower-case letters, digits, - and _, and no more than 40."
            )
        found[name] = table(f"{kind_name}.{name}", {**base, **one}, kind, f"{kind_name} table")
    return found


def table(title: str, data: Any, kind: type[T], kind_name: str = "table") -> T:
    """The `[title]` table of a file. Raises `SettingsError`."""
    if not isinstance(data, dict):
        raise SettingsError(f"[{title}] is a table.")
    if missing := [key for key in _required(kind) if key not in data]:
        raise SettingsError(f"[{title}] needs {', '.join(f'`{key}`' for key in missing)}.")
    try:
        return typed(data, kind, SettingsError, kind_name=kind_name)
    except (SettingsError, PolicyError) as error:
        raise SettingsError(f"[{title}]: {error}") from error


def _required(kind: type) -> list[str]:
    return [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]


def read(file: Path, must_exist: bool) -> dict[str, Any]:
    """What a TOML file says; nothing where it need not exist. Raises `SettingsError`."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        if must_exist:
            raise SettingsError(f"There is no file {file}.") from error
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}.") from error
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error}.") from error


def typed(
    data: Mapping[str, Any], kind: type[T], failure: type[Exception], strict: bool = True, kind_name: str = ""
) -> T:
    """Keys and values as a dataclass. Raises `failure`, naming the key and what is allowed."""
    hints = typing.get_type_hints(kind)
    for key in data:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(hints)}."
            raise failure(f"`{key}` is not a key of the {kind_name or kind.__name__.lower()}; {hint}")
    values: dict[str, Any] = {}
    for key, value in data.items():
        try:
            values[key] = msgspec.convert(value, hints[key], strict=strict, dec_hook=_decode)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            allowed = f"{_allowed(hints[key])}.{_nearest(value, hints[key])}"
            raise failure(f"`{key}` = {value!r} is not allowed; it must be {allowed}") from error
    return kind(**values)


def _decode(kind: type, value: Any) -> Any:
    return kind(value)


def _allowed(hint: Any) -> str:
    """A type in the words of whoever writes the file."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(f'"{item.value}"' for item in hint)
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, list):
        return f"a list, each {_allowed(inside[0])}"
    if origin is dict:
        return "a table"
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_allowed(item) for item in inside if item is not type(None))
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}.get(
        hint, str(hint)
    )


def _nearest(value: object, hint: Any) -> str:
    kinds = [kind for kind in (hint, *typing.get_args(hint)) if isinstance(kind, type) and issubclass(kind, enum.Enum)]
    names = [item.value for kind in kinds for item in kind]
    near = difflib.get_close_matches(str(value), names, n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
