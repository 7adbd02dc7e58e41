"""Every setting, typed, validated once: from `quitbutton.toml`, then `QUITBUTTON_*`, then the command line."""

from __future__ import annotations

import difflib
import enum
import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from quitbutton.core.errors import PolicyError, SettingsError
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.rules import Policy
from quitbutton.core.upstreams import UpstreamSettings

T = TypeVar("T")
PREFIX = "QUITBUTTON_"
TABLES = ("policy", "judges", "upstreams")
"""Settings that are tables of the file and not in the environment."""
TABLE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Settings:
    """How this gateway runs."""

    host: str = "127.0.0.1"
    port: int = 8808
    upstream: str | None = None
    """URL of the server that answers, whatever the protocol; None runs the embedded model."""
    upstream_key: str | None = field(default=None, repr=False)
    """Sent upstream in place of the client's key. Best given as QUITBUTTON_UPSTREAM_KEY."""
    upstreams: dict[str, UpstreamSettings] = field(default_factory=dict)
    """Several servers by name, one `[upstreams.NAME]` table each; a request goes to the first of its protocol and model."""
    model: str = "smollm2"
    """Embedded model: `smollm2`, `qwen-1.5b`, or a GGUF file."""
    threads: int | None = None
    """Threads of the embedded model; None is all cores but one."""
    data: Path = Path(".quitbutton")
    """Folder of the database and of downloaded models."""
    store: str | None = None
    """SQLite file, or `:memory:`; None is `quitbutton.sqlite3` in `data`."""
    assessor: str = "local"
    """Who reads the user's words: `local`, `scripted`, a judge of `judges`, or several joined by commas."""
    judge: str | None = None
    """Assessor that is asked at the last rung when the policy says `corroboration = "judge"`."""
    judges: dict[str, JudgeSettings] = field(default_factory=dict)
    """LLM judges and moderation endpoints by name, one `[judges.NAME]` table each."""
    reply_assessor: str | None = None
    """Who reads the replies to turns that the ladder counts: `refusal`, `scripted` or `none`; None is `refusal` where
    the extra `local` is installed, else `none`."""
    policy_file: Path | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that clients must show; empty lets everybody in, which only loopback may do."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins besides our own that may call the API from a browser."""
    max_body: int = 32 * 1024 * 1024
    """Largest request body, in bytes."""
    connect_timeout: float = 10.0
    """Seconds to wait for a connection to the upstream."""
    read_timeout: float = 600.0
    """Seconds to wait for the upstream's next bytes."""
    policy: Policy = field(default_factory=Policy)

    @property
    def store_path(self) -> str:
        """The SQLite file."""
        return self.store or str(self.data / "quitbutton.sqlite3")

    @property
    def is_embedded(self) -> bool:
        """True when the small local model answers."""
        return self.upstream is None and not self.upstreams


def load(file: Path | None = None, environment: Mapping[str, str] = os.environ, **given: object) -> Settings:
    """The settings in force. `given` are those of the command line; None means not given there.

    Raises `SettingsError` or `PolicyError`, naming the key and what is allowed.
    """
    data = _read(file or Path("quitbutton.toml"), must_exist=file is not None)
    policy_data, judges_data, upstreams_data = (data.pop(name, {}) for name in TABLES)
    for known in fields(Settings):
        value = environment.get(PREFIX + known.name.upper())
        if value is not None and known.name not in TABLES:
            data[known.name] = [part.strip() for part in value.split(",")] if _is_list(known.type) else value
    data |= {name: value for name, value in given.items() if value is not None}
    settings = _typed(data, Settings, SettingsError, strict=False)
    upstreams = _tables("upstreams", upstreams_data, UpstreamSettings)
    if upstreams and settings.upstream is not None:
        raise SettingsError("Name either one `upstream` or [upstreams.NAME] tables, not both.")
    settings = replace(settings, upstreams=upstreams)
    if settings.policy_file is not None:
        policy_data = _read(settings.policy_file, must_exist=True) | policy_data
    if settings.is_embedded:
        # A small model can neither press nor redirect: the ladder and its words are ours.
        policy_data = {"assist": True, "speaker": "gateway", **policy_data}
    policy = _typed(policy_data, Policy, PolicyError)
    return replace(settings, policy=policy, judges=_tables("judges", judges_data, JudgeSettings))


def load_policy(file: Path) -> Policy:
    """The policy of a TOML file; missing keys have their defaults. Raises `PolicyError` or `SettingsError`."""
    data = _read(file, must_exist=True)
    return policy_from(data.get("policy", data))


def policy_from(keys: Mapping[str, Any]) -> Policy:
    """The policy with these keys; missing ones have their defaults. Raises `PolicyError`, naming the key."""
    return _typed(keys, Policy, PolicyError)


def policy_toml(policy: Policy) -> str:
    """A policy as TOML, every key."""
    lines = (f"{name} = {_toml(value)}" for name, value in asdict(policy).items())
    return "\n".join(lines) + "\n"


def _tables(kind_name: str, data: Any, kind: type[T]) -> dict[str, T]:
    """The `[kind.NAME]` tables of a file."""
    required = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]  # type: ignore[arg-type]
    if not isinstance(data, dict) or not all(isinstance(table, dict) for table in data.values()):
        raise SettingsError(
            f"{kind_name} are tables with names of yours: [{kind_name}.NAME], then {', '.join(required)}."
        )
    found: dict[str, T] = {}
    for name, table in data.items():
        if not TABLE_NAME.fullmatch(name):
            raise SettingsError(
                f"[{kind_name}.{name}]: a name has lower-case letters, digits, - and _, and no more than 40."
            )
        if missing := [key for key in required if key not in table]:
            raise SettingsError(f"[{kind_name}.{name}] needs {', '.join(f'`{key}`' for key in missing)}.")
        try:
            found[name] = _typed(table, kind, SettingsError, kind_name=f"{kind_name} table")
        except SettingsError as error:
            raise SettingsError(f"[{kind_name}.{name}]: {error}") from error
    return found


def _read(file: Path, must_exist: bool) -> dict[str, Any]:
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


def _typed(
    data: Mapping[str, Any], kind: type[T], failure: type[Exception], strict: bool = True, kind_name: str = ""
) -> T:
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


def _is_list(annotation: object) -> bool:
    return str(annotation).startswith("tuple")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
