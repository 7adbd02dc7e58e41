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
from quitbutton.core.kept_words import Retention
from quitbutton.core.keys import LOOPBACK, MIN_SECRET
from quitbutton.core.oidc import OidcSettings
from quitbutton.core.rules import Policy
from quitbutton.core.upstreams import UpstreamSettings

T = TypeVar("T")
PREFIX = "QUITBUTTON_"
TABLES = ("policy", "policies", "routes", "judges", "upstreams", "oidc")
"""Settings that are tables of the file and not in the environment."""
CHAT_PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
"""Paths that may have a policy of their own."""
NOTHING: Mapping[str, Any] = types.MappingProxyType({})
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
    """Keys that clients must show, besides those of the store; with neither everybody is let in, which only loopback
    may do."""
    operator_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys of operators, to begin with; `quitbutton keys create` makes more, which can be revoked."""
    requests_per_minute: int = 0
    """Most requests a minute of a key that names no limit of its own; 0 sets none."""
    session_idle: float = 1800.0
    """Seconds without a request after which an operator is signed out."""
    session_lifetime: float = 43200.0
    """Seconds after which an operator is signed out in any case."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins besides our own that may call the API from a browser."""
    public_url: str | None = None
    """Where people reach this gateway, for links to statements and appeals; None is its own host and port."""
    retention: Retention = Retention.EXITS
    """Whose words are kept beside the record: `none`, `exits` (turns on a ladder) or `all`."""
    retention_days: float = 184.0
    """How long kept words stay; afterwards they are erased, and the record's proofs stay valid."""
    max_body: int = 32 * 1024 * 1024
    """Largest request body, in bytes."""
    connect_timeout: float = 10.0
    """Seconds to wait for a connection to the upstream."""
    read_timeout: float = 600.0
    """Seconds to wait for the upstream's next bytes."""
    policy: Policy = field(default_factory=Policy)
    policies: dict[str, Policy] = field(default_factory=dict)
    """Policies of keys and routes by name, one `[policies.NAME]` table each; what it leaves out is as in `[policy]`."""
    routes: dict[str, str] = field(default_factory=dict)
    """Which named policy holds for a path of a protocol, such as `"/v1/messages" = "careful"`."""
    oidc: OidcSettings | None = None
    """The provider of identities that operators sign in with, as an `[oidc]` table; needs the extra `oidc`."""

    def __post_init__(self) -> None:
        if set(self.api_keys) & set(self.operator_keys):
            raise SettingsError("A key is in api_keys and in operator_keys; give operators keys of their own.")
        if any(len(key) < MIN_SECRET for key in self.operator_keys):
            raise SettingsError(f"A key in operator_keys has fewer than {MIN_SECRET} characters; make longer ones.")
        if self.oidc is not None and self.public_url is None and self.host not in LOOPBACK:
            raise SettingsError("[oidc] needs `public_url`, where the provider sends people back to.")
        if self.requests_per_minute < 0:
            raise SettingsError("requests_per_minute must be 0, for no limit, or more.")
        if not 0 < self.session_idle <= self.session_lifetime:
            raise SettingsError("session_idle must be over 0 and not over session_lifetime.")

    @property
    def store_path(self) -> str:
        """The SQLite file."""
        return self.store or str(self.data / "quitbutton.sqlite3")

    @property
    def base_url(self) -> str:
        """The gateway's public URL, without a closing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def is_embedded(self) -> bool:
        """True when the small local model answers."""
        return self.upstream is None and not self.upstreams


def load(file: Path | None = None, environment: Mapping[str, str] = os.environ, **given: object) -> Settings:
    """The settings in force. `given` are those of the command line; None means not given there.

    Raises `SettingsError` or `PolicyError`, naming the key and what is allowed.
    """
    data = _read(file or Path("quitbutton.toml"), must_exist=file is not None)
    policy_data, policies_data, routes, judges_data, upstreams_data, oidc_data = (data.pop(name, {}) for name in TABLES)
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
    policies = _tables("policies", policies_data, Policy, policy_data)
    judges = _tables("judges", judges_data, JudgeSettings)
    oidc = _table("oidc", oidc_data, OidcSettings) if oidc_data else None
    settings = replace(settings, policies=policies, routes=_routes(routes, policies), oidc=oidc)
    return replace(settings, policy=policy, judges=judges)


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


def _routes(data: Any, policies: Mapping[str, Policy]) -> dict[str, str]:
    """The `[routes]` table: which named policy holds for a path."""
    if not isinstance(data, dict):
        raise SettingsError('[routes] is a table, each line a path and a policy: "/v1/messages" = "NAME".')
    for path, name in data.items():
        if path not in CHAT_PATHS:
            raise SettingsError(f"[routes]: {path!r} is not one of {', '.join(CHAT_PATHS)}.")
        if name not in policies:
            raise SettingsError(f"[routes]: {path} names the policy {name!r}, but there is no [policies.{name}].")
    return data


def _tables(kind_name: str, data: Any, kind: type[T], base: Mapping[str, Any] = NOTHING) -> dict[str, T]:
    """The `[kind.NAME]` tables of a file; what one leaves out is as in `base`."""
    if not isinstance(data, dict) or not all(isinstance(table, dict) for table in data.values()):
        keys = ", ".join(_required(kind))
        raise SettingsError(f"{kind_name} are tables with names of yours: [{kind_name}.NAME], then {keys}.")
    found: dict[str, T] = {}
    for name, table in data.items():
        if not TABLE_NAME.fullmatch(name):
            raise SettingsError(
                f"[{kind_name}.{name}]: a name has lower-case letters, digits, - and _, and no more than 40."
            )
        found[name] = _table(f"{kind_name}.{name}", {**base, **table}, kind, f"{kind_name} table")
    return found


def _table(title: str, data: Any, kind: type[T], kind_name: str = "table") -> T:
    """The `[title]` table of a file."""
    if not isinstance(data, dict):
        raise SettingsError(f"[{title}] is a table.")
    if missing := [key for key in _required(kind) if key not in data]:
        raise SettingsError(f"[{title}] needs {', '.join(f'`{key}`' for key in missing)}.")
    try:
        return _typed(data, kind, SettingsError, kind_name=kind_name)
    except (SettingsError, PolicyError) as error:
        raise SettingsError(f"[{title}]: {error}") from error


def _required(kind: type) -> list[str]:
    return [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]


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
