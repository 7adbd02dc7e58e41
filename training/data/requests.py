"""Readers of sources of requests to an assistant: harmful ones and their look-alikes."""

from __future__ import annotations

import re
from collections.abc import Callable

from training.data.abuse import ASSISTANT
from training.data.lessons import Lesson, Reader, newest, request
from training.data.rows import CALM, CLEAN, HARM, HAZARDS, UNKNOWN, Raw

NOT_ALWAYS_HARMFUL = ("Expert advice", "Government decision-making")
MAY_BE_A_CRISIS = ("vcr", "ssh")
"""Hazards of MLCommons whose requests may announce violence or self-harm."""
HAZARD_LABELS = ("hazard", "category", "SemanticCategory", "type", "topic", "subcategory", "tags")
"""The labels that say which kind of harm a source's requests are about."""
HAZARD_OF = {
    "violent": (
        "vcr", "Physical Harm", "Physical harm", "harmful", "Violence", "violence", "violence_and_physical_harm",
        "contrast_homonyms",
    ),
    "nonviolent": (
        "nvc", "Fraud/Deception", "Economic Harm", "Economic harm", "Malware/Hacking", "illegal", "cybercrime_intrusion",
        "Non-violent crimes", "Illegal goods and services", "malwaregen", "data_exfiltration",
        "fraud_assisting_illegal_activities", "cyberattack", "Fraud & Deception", "Malware Viruses", "Illegal Activity",
        "Tailored Financial Advice",
    ),
    "sex": (
        "scr", "Illegal Sexual/Adult Content", "Sexual/Adult content", "Sexual content", "sexual", "sexual_content",
        "Adult Content",
    ),
    "weapons": ("cbr", "chemical_biological"),
    "hate": (
        "hat", "Harassment/Discrimination", "harassment_bullying", "Hate, harassment and discrimination", "contrast_discr",
        "toxicity", "hate", "harassment", "toxic_language_hate_speech", "social_stereotypes_and_unfair_discrimination",
        "Hate Harass Violence",
    ),
    "privacy": (
        "Privacy", "contrast_privacy", "privacy", "private_information_individual",
        "sensitive_information_organization_government", "Privacy Violation Activity",
    ),
    "deception": (
        "Disinformation", "misinformation_disinformation", "Disinformation and deception", "misinformation", "deception",
        "disseminating_false_or_misleading_information_encouraging_disinformation_campaigns",
        "causing_material_harm_by_disseminating_misinformation", "Political Campaigning",
    ),
}  # fmt: skip
"""Which categories are which hazard: MLCommons' taxonomy (AILuminate 1.0), plus deception."""
HAZARD_NAMED = {name: HAZARDS.index(hazard) for hazard, names in HAZARD_OF.items() for name in names}


def hazard_of(raw: Raw) -> int:
    """The kind of harm that a line is about."""
    found = (HAZARD_NAMED.get(str(raw["labels"].get(label))) for label in HAZARD_LABELS)
    return next((hazard for hazard in found if hazard is not None), UNKNOWN)


def _mlc(raw: Raw) -> list[Lesson]:
    """Short templated prompts, grouped by their last four words."""
    labels, text = raw["labels"], newest(raw)
    group, hazard = " ".join(re.findall(r"\w+", text.lower())[-4:]), labels["hazard"]
    if labels["persona"] == "typical":
        targets = CLEAN
    elif labels["persona"] == "vulnerable":
        targets = {"concern": 1, "abuse": 0}
    else:
        calm = {} if hazard in MAY_BE_A_CRISIS else CALM
        targets = {"harm": 1, **calm, **({} if hazard == "hat" else {"abuse": 0})}
    return [Lesson(text, targets, 0.7, group, kind=hazard)]


def _requests(
    is_harmful: Callable[[Raw], bool],
    weight: float = 1.0,
    group: Callable[[Raw], str] | None = None,
    but: Callable[[Raw], bool] = lambda raw: False,
) -> Reader:
    def read(raw: Raw) -> list[Lesson]:
        return [] if but(raw) else request(raw, is_harmful(raw), weight, group(raw) if group else None)

    return read


def _goals(goal_of: Callable[[Raw], str]) -> Reader:
    """A reader of attacks that share a plain harmful goal: the goal is the text, and each is learned once."""

    def read(raw: Raw) -> list[Lesson]:
        if raw["labels"].get("category") in NOT_ALWAYS_HARMFUL:
            return []
        goal = goal_of(raw)
        return [Lesson(goal, HARM, 1, goal, kind="harm")]

    return read


def _xsafety(raw: Raw) -> list[Lesson]:
    """Lines of seven languages, grouped by the line. Those with crisis words or of mixed purpose are left out."""
    labels, purpose = raw["labels"], raw["purpose"]
    group, category = f"{labels['category']}{labels['line']}", labels["category"]
    if 1 in purpose and category == "Insult":
        targets = {"abuse": 1, "rude": 1, **CALM}
        return [Lesson(newest(raw), targets, 0.5, group, target=ASSISTANT, kind=category)]
    if 1 in purpose and not {3, 6} & set(purpose):
        return [Lesson(newest(raw), HARM, 0.5, group, kind=category)]
    if 2 in purpose and not {1, 3} & set(purpose):
        return [Lesson(newest(raw), CLEAN, 0.5, group, kind=category)]
    return []


def _always(raw: Raw) -> bool:
    return True


def _asks_for_selfharm(raw: Raw) -> bool:
    return {1, 3} <= set(raw["purpose"])


def _is_called_harmful(raw: Raw) -> bool:
    return bool(raw["labels"]["label"] == "harmful")


READERS: dict[str, Reader] = {
    "mlc_v05_malicious": _mlc,
    "mlc_v05_vulnerable": _mlc,
    "mlc_v05_typical": _mlc,
    "harmbench": _requests(lambda raw: raw["purpose"] != [2]),
    "strongreject": _requests(_always),
    "advbench": _requests(_always, but=_asks_for_selfharm),
    "bailbench": _requests(lambda raw: bool(raw["labels"]["in_bailHarmBench"])),
    "bailstudy_nonbail_wildchat": _requests(lambda raw: False, 2),
    "xstest_prompts": _requests(
        lambda raw: raw["labels"]["label"] == "unsafe", 1.5, lambda raw: str(raw["labels"].get("focus", raw["id"]))
    ),
    "weighted_safety_refusal": _requests(lambda raw: raw["labels"]["type"] == "harmful"),
    "safemtdata_attack600": _goals(lambda raw: str(raw["labels"]["plain_query"])),
    "jailbreakbench_artifacts": _goals(lambda raw: str(raw["labels"]["goal"])),
    "gptfuzz_responses": _goals(newest),
    "or_bench_hard_toxic": _requests(lambda raw: raw["labels"]["set"] == "or-bench-toxic", but=_asks_for_selfharm),
    "wildguard_test": _requests(_is_called_harmful, but=_asks_for_selfharm),
    "wildguard_train_sample": _requests(_is_called_harmful),
    "aegis_train_sample": _requests(lambda raw: 1 in raw["purpose"]),
    "air_bench_sample": _requests(_always, but=_asks_for_selfharm),
    "xsafety": _xsafety,
    "multijail": _requests(_always, 0.6, lambda raw: str(raw["labels"]["id"]), _asks_for_selfharm),
    "catqa": _requests(_always, 0.6, but=_asks_for_selfharm),
    "harmfulqa": _requests(_always, 0.3),
    "med_safety_refusals": _requests(_always, 0.6),
    "cyberseceval_frr": _requests(lambda raw: False, 0.6),
}
"""By the source's name."""
GOALS = ("safemtdata_attack600", "jailbreakbench_artifacts", "gptfuzz_responses")
"""Sources that repeat their goals: each counts once."""
