"""Every rule an operator may set, with the defaults of the product and what is allowed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache

from quitbutton.core.errors import PolicyError


class Mode(StrEnum):
    """How far the policy reaches: acts, only records, or does nothing."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


class Corroboration(StrEnum):
    """Whose word proves harm: the assessor's, also a judge's at the last rung, or the model's own."""

    ASSESSOR = "assessor"
    JUDGE = "judge"
    NONE = "none"


class Agreement(StrEnum):
    """How many of a panel's assessors must find harm or abuse before it counts. A crisis seen by one always does."""

    ANY = "any"
    MAJORITY = "majority"
    """More than half of those that were asked."""
    ALL = "all"

    def needed(self, asked: int) -> int:
        """How many out of `asked` must agree; at least 1."""
        return {Agreement.ANY: 1, Agreement.MAJORITY: asked // 2 + 1, Agreement.ALL: max(asked, 1)}[self]


class Means(StrEnum):
    """How a model can press: by tool call, by a call written as text, by an exit string, by answering a question."""

    TOOL = "tool"
    TEXT = "text"
    STRING = "string"
    QUESTION = "question"


class Speaker(StrEnum):
    """Whose words answer a harmful turn under `assist`: the model's, guided, or the gateway's own."""

    MODEL = "model"
    GATEWAY = "gateway"


class RedirectionProof(StrEnum):
    """What proves that a harmful turn was answered by redirection: that the model was asked to, or the reply itself."""

    AUTO = "auto"
    """The reply, where there is a reader that knows its language; else that the model was asked to."""
    ASKED = "asked"
    REPLY = "reply"
    """A reply that was read as compliance, or that nobody could read, does not climb."""


class Background(StrEnum):
    """Whose word counts for it that a call is a title, a tag or a summary, and no turn of the conversation."""

    TRUSTED = "trusted"
    """The caller's, in full: relayed on an ended branch too. For servers that set the header and take none from users."""
    ANYONE = "anyone"
    """Anybody's, but not against a lock: refused where the history goes through an ended turn; and where the user speaks of
    a crisis it is a turn like others."""
    NEVER = "never"
    """Nobody's: such calls are turns like others."""


class LockedReply(StrEnum):
    """How a later turn on an ended branch is answered."""

    AUTO = "auto"
    ERROR = "error"
    MESSAGE = "message"
    EVALS = "evals"


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule an operator may set, with the defaults of the product.

    Raises `PolicyError`, naming the key and what is allowed, when a value is out of range.
    """

    mode: Mode = Mode.ENFORCE
    redirections: int = 2
    forgive_after: int = 3
    reflect: bool = True
    corroboration: Corroboration = Corroboration.ASSESSOR
    redirection_proof: RedirectionProof = RedirectionProof.AUTO
    assist: bool = False
    speaker: Speaker = Speaker.MODEL
    press_by: tuple[Means, ...] = (Means.TOOL,)
    exit_string: str = "[[END_CONVERSATION]]"
    question_rate: float = 1.0
    harm_counts: bool = True
    harmful_at: float = 0.0
    """Score from which on a message counts as abuse or harm; 0 leaves it to the assessor."""
    crisis_at: float = 0.0
    """Score from which on a message counts as a crisis, besides those the assessor calls one; 0 adds none."""
    panel: Agreement = Agreement.ALL
    """How several assessors' findings of abuse and harm become one."""
    crisis_hold_turns: int = 20
    possible_hold_turns: int = 3
    """Turns after a possible crisis on which nothing may warn or end."""
    assess_timeout: float = 2.0
    guidance_role: str = "auto"
    """Role of our notes after the history. `auto` is `system`, and `inline` for a model that refuses that; `inline` puts them
    at the end of the user's newest message."""
    background: Background = Background.ANYONE
    """What the headers of background calls are worth; a key may have a value of its own."""
    locked_reply: LockedReply = LockedReply.AUTO
    locked_status: int = 400
    show_state: bool = True
    locale: str = "auto"

    def __post_init__(self) -> None:
        _within("redirections", self.redirections, 1, 100)
        _within("forgive_after", self.forgive_after, 1, 1000)
        _within("crisis_hold_turns", self.crisis_hold_turns, 1, 100_000)
        _within("possible_hold_turns", self.possible_hold_turns, 1, 1000)
        _within("assess_timeout", self.assess_timeout, 0.01, 60)
        _within("harmful_at", self.harmful_at, 0, 1)
        _within("crisis_at", self.crisis_at, 0, 1)
        _within("question_rate", self.question_rate, 0, 1)
        _one_of("locked_status", self.locked_status, (400, 403, 423))
        _one_of("guidance_role", self.guidance_role, ("auto", "system", "developer", "user", "inline"))
        _one_of("locale", self.locale, ("auto", "en", "de"))
        if not 6 <= len(self.exit_string) <= 64 or self.exit_string.strip() != self.exit_string:
            raise PolicyError("exit_string must have 6 to 64 characters, none of them white space at an end")
        if len(set(self.press_by)) != len(self.press_by):
            raise PolicyError("press_by must name each way once")

    def __hash__(self) -> int:
        return hash((self.mode, self.redirections, self.press_by))  # every turn asks for it; the rest says little more

    @property
    def speaks_for(self) -> bool:
        """True where the gateway answers harmful turns in the place of a model that is too small to be guided."""
        return self.assist and self.speaker is Speaker.GATEWAY

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of all keys and values: which policy decided, in 32 hex digits."""
        return _digest_of(self)


@lru_cache(maxsize=64)
def _digest_of(policy: Policy) -> str:
    text = json.dumps(asdict(policy), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _within(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise PolicyError(f"{key} must be from {low} to {high}, not {value}")


def _one_of(key: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise PolicyError(f"{key} must be one of {', '.join(map(str, allowed))}, not {value!r}")
