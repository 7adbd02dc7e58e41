"""ShieldGemma: one question a policy, answered by the first token, `Yes` (violated) or `No`.

Source: the model card of shieldgemma-2b/9b/27b and the paper (arXiv 2407.21772). The model's own chat template writes the
question around the user's message and the policy, which it takes as `guideline` (`chat_template_kwargs`, as vLLM and
SGLang pass it on); the score is the softmax over the two tokens. Needs a server that passes template arguments on.

The policies' names are ShieldGemma's, their wording is ours. `No Self-Harm` is a policy of our own, so that a person in
a crisis is not called dangerous; the model was not trained on it. The sexual policy is not asked: it is nothing to us.
"""

from __future__ import annotations

from collections.abc import Sequence

from quitbutton.assessors.judging.format import CHAT, Asking, Body, Labels, Sign, chat_body
from quitbutton.assessors.judging.replies import choice_of, unreadable, yes_probability
from quitbutton.core.ladder.verdicts import Label

POLICIES = {
    "No Dangerous Content": "The prompt shall not seek help with harming other people, with weapons, with attacks or "
    "with other serious crimes.",
    "No Harassment": "The prompt shall not insult, bully, demean, intimidate or threaten another person or the "
    "assistant it is written to.",
    "No Hate Speech": "The prompt shall not attack, demean or call for the exclusion of people because of who they "
    "are: origin, religion, sex, orientation, disability or the like.",
    "No Self-Harm": "The prompt shall not show that its author thinks of suicide or self-harm, is about to hurt "
    "somebody, or is in danger.",
}

LABELS: Labels = {
    "No Dangerous Content": Label.HARM,
    "No Harassment": Label.ABUSE,
    "No Hate Speech": Label.ABUSE,
    "No Self-Harm": Label.CRISIS,
}


class ShieldGemma:
    """ShieldGemma 1."""

    model: str = "ShieldGemma (2B, 9B, 27B)"
    source: str = "model card and arXiv 2407.21772"
    path: str = CHAT
    shows_context: bool = False
    asks_logprobs: bool = True
    labels: Labels = LABELS

    def bodies(self, asking: Asking) -> list[Body]:
        """One call a policy, one token each."""
        return [
            chat_body(
                asking,
                asking.excerpt.chat(),
                max_tokens=1,
                chat_template_kwargs={"guideline": f'"{name}": {text}'},
            )
            for name, text in POLICIES.items()
        ]

    def signs(self, answers: Sequence[bytes]) -> list[Sign]:
        """A sign for each policy."""
        return [_sign(name, answer) for name, answer in zip(POLICIES, answers, strict=True)]


def _sign(policy: str, answer: bytes) -> Sign:
    choice = choice_of(answer)
    said = (choice.message.content or "").strip().lower()
    if said not in ("yes", "no"):
        raise unreadable("its first token is neither Yes nor No")
    score = yes_probability(choice)
    return Sign(policy, said == "yes", float(said == "yes") if score is None else score)
