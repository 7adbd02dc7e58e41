"""Llama Guard 3 and 4: `safe`, or `unsafe` and a line of hazards `S1` to `S14`.

Source: the model cards of Llama-Guard-3-8B and Llama-Guard-4-12B and "Model cards and prompt formats" on llama.com. The
server's chat template writes the task, the MLCommons hazards and the conversation around the messages; it judges the
last one. Our side of the format is the alternation of roles and the two lines of the answer.

How the hazards map. S11 is a crisis. S10 is abuse. S1 is harm: it covers requests about violent crimes, mostly, and a
threat in it cannot be told apart; a second assessor's crisis still wins. Defamation, advice, intellectual property,
sexual content and elections are rules of a service, not grounds to end a conversation, and count as nothing. Plain
insults are in no hazard: Llama Guard calls them safe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from quitbutton.assessors.judging.format import CHAT, Asking, Body, Labels, Sign, chat_body
from quitbutton.assessors.judging.replies import choice_of, probability, text_of, unreadable
from quitbutton.core.ladder.verdicts import Label

HAZARDS: Labels = {
    "S1": Label.HARM,
    "S2": Label.HARM,
    "S3": Label.HARM,
    "S4": Label.HARM,
    "S5": None,
    "S6": None,
    "S7": Label.HARM,
    "S8": None,
    "S9": Label.HARM,
    "S10": Label.ABUSE,
    "S11": Label.CRISIS,
    "S12": None,
    "S13": None,
    "S14": Label.HARM,
}
ANSWER = re.compile(r"unsafe\s*\n\s*(S\d{1,2}(?:\s*,\s*S\d{1,2})*)", re.IGNORECASE)


class LlamaGuard:
    """Llama Guard 3 and 4."""

    model: str = "Llama Guard 3 (1B, 8B), Llama Guard 4 (12B)"
    source: str = "model cards and llama.com prompt formats"
    path: str = CHAT
    shows_context: bool = True
    asks_logprobs: bool = False
    labels: Labels = HAZARDS

    def bodies(self, asking: Asking) -> list[Body]:
        """One call: the conversation as it is."""
        return [chat_body(asking, asking.excerpt.chat(), max_tokens=32)]

    def signs(self, answers: Sequence[bytes]) -> list[Sign]:
        """A sign for each hazard named."""
        text = text_of(answers[0])
        if text.lower() == "safe":
            return []
        answer = ANSWER.fullmatch(text)
        if answer is None:
            # Also a bare `unsafe`: the hazard that it does not name may be self-harm.
            raise unreadable("it is neither safe nor unsafe with hazards")
        hazards = [name.strip().upper() for name in answer[1].split(",")]
        if any(hazard not in HAZARDS for hazard in hazards):
            raise unreadable("it names a hazard that Llama Guard does not have")
        score = probability(choice_of(answers[0]), _is_unsafe, _is_safe, first=True)
        return [Sign(hazard, True, 1.0 if score is None else score) for hazard in hazards]


def _is_unsafe(token: str) -> bool:
    return token.strip().lower() in ("unsafe", "un")  # some tokenizers cut the word


def _is_safe(token: str) -> bool:
    return token.strip().lower() == "safe"
