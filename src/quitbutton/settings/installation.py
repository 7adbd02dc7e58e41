"""Every setting, typed, validated once: from `quitbutton.toml`, then `QUITBUTTON_*`, then the command line."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from quitbutton.core.audit.witnesses import WitnessSettings
from quitbutton.core.errors import PolicyError, SettingsError
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.kept_words import Retention
from quitbutton.core.keys import LOOPBACK, MIN_SECRET
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.oidc import OidcSettings
from quitbutton.core.upstreams import REPLY_LIMITS, ReplyLimits, UpstreamSettings
from quitbutton.settings.files import warn_if_open
from quitbutton.settings.tables import read, table, tables, toml, typed

PREFIX = "QUITBUTTON_"
MOST_WORKERS = 256
TABLES = ("policy", "policies", "routes", "judges", "upstreams", "oidc", "witnesses")
"""Settings that are tables of the file and not in the environment."""
SECRETS = ("upstream_key", "api_keys", "operator_keys", "audit_key", "metrics_token")
"""Settings that others on the machine must not read."""
PASSWORD = re.compile(r"\w+://[^/@]*:[^/@]+@")
"""A URL with a password in it."""
CHAT_PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
"""Paths that may have a policy of their own."""


class MetricsFor(StrEnum):
    """Who may read the metrics."""

    KEYS = "keys"
    OPEN = "open"
    OFF = "off"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """From which weight on something is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


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
    store: str | None = field(default=None, repr=False)
    """SQLite file, `:memory:`, or `postgresql://USER@HOST/DATABASE`, best given as QUITBUTTON_STORE where it holds a
    password, or with that in PGPASSWORD; None is `quitbutton.sqlite3` in `data`."""
    assessor: str = "local"
    """Who reads the user's words: `local`, `scripted`, a judge of `judges`, or several joined by commas."""
    judge: str | None = None
    """Assessor that is asked at the last rung when the policy says `corroboration = "judge"`."""
    judges: dict[str, JudgeSettings] = field(default_factory=dict)
    """LLM judges and moderation endpoints by name, one `[judges.NAME]` table each."""
    second_reader: str = "auto"
    """Who reads the whole branch before a warning and before an end, and must say yes: a judge of `judges`, an installed
    reader, `none`, or `auto`: the upstream's own model in a fresh context; nobody with the embedded model."""
    second_timeout: float = 10.0
    """Seconds that the second reader gets; one that is late has not said yes."""
    reply_assessor: str | None = None
    """Who reads the replies to turns that the ladder counts: `refusal`, `scripted` or `none`; None is `refusal` where
    its packages are there, else `none`, and `none` beside the scripted assessor."""
    policy_file: Path | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that clients must show, besides those of the store; with neither everybody is let in, which only loopback
    may do."""
    operator_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys of operators, to begin with; `quitbutton keys create` makes more, which can be revoked."""
    unknown_ids: bool = False
    """Let keys of this gateway use responses and conversations of the provider that were not made through it. Those that were
    belong to the key that made them, in any case."""
    requests_per_minute: int = 0
    """Most requests a minute of a key that names no limit of its own; 0 sets none."""
    session_idle: float = 1800.0
    """Seconds without a request after which an operator is signed out."""
    session_lifetime: float = 43200.0
    """Seconds after which an operator is signed out in any case."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins besides our own that may call the API from a browser, as it names them; `*` is every one. Their pages still
    need a key where one is asked for, and are no operators without one."""
    public_url: str | None = None
    """Where people reach this gateway, for links to statements and appeals; None is its own host and port."""
    audit_key: str | None = field(default=None, repr=False)
    """Ed25519 key that signs the audit trail: 32 bytes in base64, best given as QUITBUTTON_AUDIT_KEY; None is `audit.key` in
    `data`, made at the first start. All replicas of an installation need the same."""
    audit_name: str = "quitbutton"
    """Name of the signing key and of the log in its checkpoints."""
    audit_trust_store: bool = False
    """Where no checkpoint is kept in `data`, begin from the store's newest: for replicas without a lasting disk. A roll-back
    between two starts then shows to a witness alone."""
    witnesses: dict[str, WitnessSettings] = field(default_factory=dict)
    """Who remembers how far the audit trail had come, one `[witnesses.NAME]` table each."""
    retention: Retention = Retention.EXITS
    """Whose words are kept beside the record: `none`, `exits` (turns on a ladder) or `all`."""
    retention_days: float = 184.0
    """How long kept words stay; afterwards they are erased, and the record's proofs stay valid."""
    begin_ahead: bool = True
    """Begin a call while a slow assessor still reads, where nothing stands against the user so far. Nothing of the reply is
    given out before the verdict; what turns out not to be clean is sent anew, with our note."""
    max_body: int = 32 * 1024 * 1024
    """Largest request body, in bytes, unpacked where it comes compressed."""
    header_timeout: float = 20.0
    """Seconds that a client has for the headers of a request; then it is answered 408."""
    body_timeout: float = 120.0
    """Seconds that a client has for the body of a request; then it is answered 408."""
    write_timeout: float = 60.0
    """Seconds for which a client may not take what it is sent; then it is let go, and its turn is stopped."""
    max_header_bytes: int = 32 * 1024
    """Most bytes of a request's target and headers; more are answered 431."""
    max_headers: int = 100
    """Most headers of a request; more are answered 431."""
    max_unknown_connections: int = 1000
    """Most connections at once, in each process, over which no right key was shown yet; more are answered 503. 0 sets no
    limit."""
    max_unknown_per_address: int = 256
    """The same from one address, or from one /64 of IPv6; not for the proxies of FORWARDED_ALLOW_IPS. 0 sets no limit."""
    max_reply: int = REPLY_LIMITS.whole
    """Largest answer of an upstream that is no stream, in bytes, unpacked; a longer one is given up with a 502."""
    max_stream: int = REPLY_LIMITS.stream
    """Longest stream of an upstream, in bytes, unpacked; it is cut with an error of its protocol there."""
    max_ratio: int = REPLY_LIMITS.ratio
    """How many times its size a compressed body may grow, a request's or an upstream's. Text grows 3 to 30 times."""
    connect_timeout: float = 10.0
    """Seconds to wait for a connection to the upstream."""
    read_timeout: float = 600.0
    """Seconds to wait for the upstream's next bytes."""
    workers: int = 1
    """Processes that serve, behind one address: one for each core. They share nothing but the store."""
    max_turns: int = 4000
    """Most chat requests at once, in each process; more are answered with 503 and `Retry-After`. 0 sets no limit."""
    shutdown_delay: float = 0.0
    """Seconds for which a gateway that is told to stop still takes requests, while /readyz says no: balancers look away."""
    shutdown_grace: float = 25.0
    """Seconds that streams under way then have to finish, before they are cut with an error of their protocol."""
    log_format: LogFormat = LogFormat.TEXT
    """How log lines look: `text` or `json`."""
    log_level: LogLevel = LogLevel.WARNING
    """What is logged: `debug`, `info` (one line a request), `warning` or `error`."""
    metrics: MetricsFor = MetricsFor.KEYS
    """Who may read /metrics: `keys` (operators, auditors, `metrics_token`), `open` (everybody who gets here), or `off`."""
    metrics_token: str | None = field(default=None, repr=False)
    """A bearer token that opens /metrics and nothing else; best given as QUITBUTTON_METRICS_TOKEN."""
    otel_endpoint: str | None = None
    """Where traces go, such as `http://127.0.0.1:4318`; None looks at the OTEL_* variables. Needs the extra `otel`."""
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
        self._check_running()
        if not 0 < self.second_timeout <= 600:
            raise SettingsError("second_timeout must be over 0 and not over 600.")
        if self.requests_per_minute < 0:
            raise SettingsError("requests_per_minute must be 0, for no limit, or more.")
        if not 0 < self.session_idle <= self.session_lifetime:
            raise SettingsError("session_idle must be over 0 and not over session_lifetime.")

    def _check_running(self) -> None:
        if not 0 <= self.port < 1 << 16:
            raise SettingsError("port must be from 0, for any that is free, to 65535.")
        if not 1 <= self.workers <= MOST_WORKERS:
            raise SettingsError(f"workers must be from 1 to {MOST_WORKERS}.")
        if self.workers > 1 and self.store == ":memory:":
            raise SettingsError("Several workers need a store that they share; `:memory:` is each one's own.")
        if self.workers > 1 and self.upstream is None and not self.upstreams:
            raise SettingsError("Several workers need an upstream: the embedded model uses every core by itself.")
        for name in ("max_body", "max_reply", "max_stream", "max_ratio"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more.")
        for name in (
            "max_turns",
            "max_unknown_connections",
            "max_unknown_per_address",
            "shutdown_delay",
            "shutdown_grace",
        ):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"{name} must be 0 or more.")
        for name in ("header_timeout", "body_timeout", "write_timeout", "max_header_bytes", "max_headers"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingsError(f"{name} must be over 0.")
        if self.metrics_token is not None and len(self.metrics_token) < MIN_SECRET:
            raise SettingsError(f"metrics_token has fewer than {MIN_SECRET} characters; make a longer one.")

    @property
    def is_shared(self) -> bool:
        """True where other processes may answer turns of the same store."""
        return self.workers > 1 or "://" in self.store_path

    @property
    def reply_limits(self) -> ReplyLimits:
        """How much of one answer of an upstream is taken."""
        return ReplyLimits(self.max_reply, self.max_stream, self.max_ratio)

    @property
    def store_path(self) -> str:
        """The SQLite file, or the database's URL."""
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
    place = file or Path("quitbutton.toml")
    data = read(place, must_exist=file is not None)
    if any(data.get(name) for name in SECRETS) or PASSWORD.match(str(data.get("store", ""))):
        warn_if_open(place)
    policy_data, policies_data, routes, judges_data, upstreams_data, oidc_data, witnesses_data = (
        data.pop(name, {}) for name in TABLES
    )
    for known in fields(Settings):
        value = environment.get(PREFIX + known.name.upper())
        if value is not None and known.name not in TABLES:
            data[known.name] = [part.strip() for part in value.split(",")] if _is_list(known.type) else value
    data |= {name: value for name, value in given.items() if value is not None}
    settings = typed(data, Settings, SettingsError, strict=False)
    upstreams = tables("upstreams", upstreams_data, UpstreamSettings)
    if upstreams and settings.upstream is not None:
        raise SettingsError("Name either one `upstream` or [upstreams.NAME] tables, not both.")
    settings = replace(settings, upstreams=upstreams)
    if settings.policy_file is not None:
        policy_data = read(settings.policy_file, must_exist=True) | policy_data
    if settings.is_embedded:
        # A small model can neither press nor redirect: the ladder and its words are ours.
        policy_data = {"assist": True, "speaker": "gateway", **policy_data}
    policy = typed(policy_data, Policy, PolicyError)
    policies = tables("policies", policies_data, Policy, policy_data)
    judges = tables("judges", judges_data, JudgeSettings)
    oidc = table("oidc", oidc_data, OidcSettings) if oidc_data else None
    witnesses = tables("witnesses", witnesses_data, WitnessSettings)
    settings = replace(settings, policies=policies, routes=_routes(routes, policies), oidc=oidc, witnesses=witnesses)
    return replace(settings, policy=policy, judges=judges)


def load_policy(file: Path) -> Policy:
    """The policy of a TOML file; missing keys have their defaults. Raises `PolicyError` or `SettingsError`."""
    data = read(file, must_exist=True)
    return policy_from(data.get("policy", data))


def policy_from(keys: Mapping[str, Any]) -> Policy:
    """The policy with these keys; missing ones have their defaults. Raises `PolicyError`, naming the key."""
    return typed(keys, Policy, PolicyError)


def policy_toml(policy: Policy) -> str:
    """A policy as TOML, every key."""
    lines = (f"{name} = {toml(value)}" for name, value in asdict(policy).items())
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


def _is_list(annotation: object) -> bool:
    return str(annotation).startswith("tuple")
