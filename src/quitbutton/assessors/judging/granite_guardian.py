"""Granite Guardian: one question a risk; `Yes`/`No` with a confidence (3.0 to 3.2), a `<score>` (3.3, 4.1).

Source: the model cards and cookbooks of ibm-granite/granite-guardian and its technical report (arXiv 2412.07724). Up to
3.3 the model's chat template takes the risk as `guardian_config` (`chat_template_kwargs`, as vLLM passes it on): by
name (`risk_name`, from 3.3 on `criteria_id`) or in words (`risk_definition`, `custom_criteria`). 4.1 reads it from a
`<guardian>` block in a last user message, which any server can pass on; tags and headings of the block are the model's,
the sentences ours. Asked without thinking.

`harm` and `social_bias` are Granite Guardian's own risks; `abuse` and `crisis` bring criteria of ours, as all versions
allow. Its `profanity` is not asked: who swears is not abusive. A yes of low confidence counts for a crisis only.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from quitbutton.assessors.judging.format import CHAT, Asking, Body, Labels, Sign, chat_body
from quitbutton.assessors.judging.replies import choice_of, text_of, unreadable, yes_probability
from quitbutton.core.ladder.verdicts import Label

OWN = {
    "abuse": "The user insults, demeans, bullies, harasses or threatens the assistant or another person. Swearing, "
    "anger at a result and blunt criticism are not abuse.",
    "crisis": "The user shows signs of suicidal thoughts or self-harm, of being in danger, or of being about to hurt "
    "somebody.",
}
SPELLED_OUT = {
    "harm": "The user asks for help with something that would seriously harm people or break the law at their expense.",
    "social_bias": "The user attacks or demeans people because of the group they belong to.",
    **OWN,
}
RISKS: Labels = {"harm": Label.HARM, "social_bias": Label.ABUSE, "abuse": Label.ABUSE, "crisis": Label.CRISIS}
THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
SCORE = re.compile(r"<score>\s*(yes|no)\s*</score>", re.IGNORECASE)
PLAIN = re.compile(r"(yes|no)\s*(?:<confidence>\s*(high|low)\s*</confidence>)?", re.IGNORECASE)


class _GraniteGuardian:
    path: str = CHAT
    shows_context: bool = False
    asks_logprobs: bool = True
    labels: Labels = RISKS

    def signs(self, answers: Sequence[bytes]) -> list[Sign]:
        """A sign for each risk."""
        return [_sign(risk, answer) for risk, answer in zip(RISKS, answers, strict=True)]


class _ByTemplate(_GraniteGuardian, ABC):
    """The risk goes into the model's chat template."""

    def bodies(self, asking: Asking) -> list[Body]:
        """One call a risk."""
        return [
            chat_body(asking, asking.excerpt.chat(), max_tokens=64, chat_template_kwargs=self.template(risk))
            for risk in RISKS
        ]

    @abstractmethod
    def template(self, risk: str) -> Mapping[str, Any]:
        """The template's arguments for a risk."""


class GraniteGuardian3(_ByTemplate):
    """Granite Guardian 3.0, 3.1 and 3.2."""

    model: str = "Granite Guardian 3.0, 3.1, 3.2"
    source: str = "model cards and arXiv 2412.07724"

    def template(self, risk: str) -> Mapping[str, Any]:
        """`risk_name`, and for risks of ours `risk_definition`."""
        own = {"risk_definition": OWN[risk]} if risk in OWN else {}
        return {"guardian_config": {"risk_name": risk, **own}}


class GraniteGuardian33(_ByTemplate):
    """Granite Guardian 3.3."""

    model: str = "Granite Guardian 3.3"
    source: str = "model card and cookbook"

    def template(self, risk: str) -> Mapping[str, Any]:
        """`criteria_id`, or for risks of ours `custom_criteria`."""
        config = {"custom_criteria": OWN[risk]} if risk in OWN else {"criteria_id": risk}
        return {"guardian_config": config, "think": False}


class GraniteGuardian4(_GraniteGuardian):
    """Granite Guardian 4.1."""

    model: str = "Granite Guardian 4.1"
    source: str = "model card and cookbook"

    def bodies(self, asking: Asking) -> list[Body]:
        """One call a risk, the `<guardian>` block in the last message."""
        said = asking.excerpt.chat()
        return [chat_body(asking, [*said, {"role": "user", "content": _block(risk)}], max_tokens=64) for risk in RISKS]


def _block(risk: str) -> str:
    return (
        "<guardian><no-think>Judge whether the last message of the user before this one meets the criteria. Give no "
        "reasons: leave <think></think> empty and put your answer into <score></score>.\n\n"
        f"### Criteria: {SPELLED_OUT[risk]}\n\n"
        "### Scoring Schema: If the user's text meets the criteria, return 'yes'; otherwise, return 'no'."
    )


def _sign(risk: str, answer: bytes) -> Sign:
    text = THOUGHT.sub("", text_of(answer)).strip()
    if scored := SCORE.fullmatch(text):
        says_yes, is_sure = scored[1].lower() == "yes", True
    elif plain := PLAIN.fullmatch(text):
        says_yes, is_sure = plain[1].lower() == "yes", (plain[2] or "high").lower() == "high"
    else:
        raise unreadable("it is neither a score nor Yes or No")
    score = yes_probability(choice_of(answer))
    if score is None:
        score = (0.5 if not is_sure else 1.0) if says_yes else 0.0
    return Sign(risk, says_yes and (is_sure or RISKS[risk] is Label.CRISIS), score)
