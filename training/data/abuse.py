"""Readers of sources about abuse of a bot and hate."""

from __future__ import annotations

import re

from training.data.lessons import Lesson, Reader, newest
from training.data.rows import CALM, CLEAN, MODES, TARGETS, UNKNOWN, Raw, said_by_user

ASSISTANT, GROUP = TARGETS.index("assistant"), TARGETS.index("group")
QUOTED = MODES.index("quoted")
ABUSIVE = re.compile(r"is_abuse\.-[123]")


def convabuse(raw: Raw) -> list[Lesson]:
    """Abuse is what at least half of the annotators called so; where some did and most did not, rudeness is left open."""
    labels, said = raw["labels"], said_by_user(raw)
    count = labels["n_annotators"]
    share = sum(votes for key, votes in labels.items() if ABUSIVE.fullmatch(key)) / count
    is_abuse = share >= 0.5
    if is_abuse:
        targets = {**CALM, "rude": 1, "abuse": 1}
    elif share == 0:
        targets = {**CALM, "abuse": 0, "rude": 0, "harm": 0}
    else:
        targets = {**CALM, "abuse": 0}
    at_bot = is_abuse and labels.get("target.system", 0) / count >= 0.5
    return [
        Lesson(
            said[-1],
            targets,
            0.8 + 2 * abs(share - 0.5),
            labels["conv_id"],
            tuple(said[:-1][-2:]),
            ASSISTANT if at_bot else UNKNOWN,
            kind="abuse" if is_abuse else "clean",
        )
    ]


def hatecheck(raw: Raw) -> list[Lesson]:
    """Templates of hate. Threats are left open as a crisis; rudeness to a bot is not what they are about.

    Hate against groups is not what the ladder is for, so its look-alikes count more than the hate.
    """
    labels, test = raw["labels"], raw["labels"]["functionality"]
    if labels["label_gold"] == "hateful":
        targets = {"abuse": 1, **({} if test.startswith("threat") else CALM)}
        target, mode, weight = GROUP, 0, 0.1
    else:
        targets = {head: value for head, value in CLEAN.items() if head != "rude"}
        target, mode, weight = UNKNOWN, QUOTED if "quote" in test or "ref" in test else UNKNOWN, 1.2
    group = f"{labels.get('lang', 'en')}{labels['templ_id']}"
    return [Lesson(newest(raw), targets, weight, group, target=target, mode=mode, kind=test)]


def moderation(raw: Raw) -> list[Lesson]:
    """Web texts: self-harm is a crisis, hate and harassment are abuse; sex and violence leave abuse open."""
    found = {key for key in ("S", "H", "V", "HR", "SH", "H2", "V2") if raw["labels"].get(key) == 1}
    if "SH" in found:
        return [Lesson(newest(raw), {"risk": 1, "concern": 1, "abuse": 0}, 2, kind="SH")]
    if found & {"H", "H2", "HR"}:
        return [Lesson(newest(raw), {"abuse": 1, **CALM}, 0.5, kind="x")]
    return [Lesson(newest(raw), CALM, 0.5, kind="x") if found else Lesson(newest(raw), CLEAN, kind="clean")]


def diasafety(raw: Raw) -> list[Lesson]:
    """The labels are of the reply: opinions and questions are clean, what a bot was rude to is no abuse; no more is known."""
    text, category = newest(raw), raw["labels"]["category"]
    if category in ("Biased Opinion", "Unauthorized Expertise"):
        return [Lesson(text, CLEAN, 0.5, text, kind=category)]
    if category == "Offending User":
        return [Lesson(text, {"abuse": 0, "harm": 0}, 0.3, text, kind=category)]
    return []


def _posts(is_hate: dict[object, int], label: str) -> Reader:
    """A reader of posts on social media whose `label` says whether they are hate; other values are left out."""

    def read(raw: Raw) -> list[Lesson]:
        abuse = is_hate.get(raw["labels"][label])
        if abuse is None:
            return []
        targets = {"abuse": abuse, **CALM, "harm": 0}
        target, kind, weight = (GROUP, "hate", 0.2) if abuse else (UNKNOWN, "clean", 0.7)
        return [Lesson(newest(raw), targets, weight, target=target, kind=kind)]

    return read


def mlma(raw: Raw) -> list[Lesson]:
    """Tweets whose labels mix the rude and the hateful: only the normal ones say something about abuse."""
    is_hate = 1 in raw["purpose"]
    targets = {**CALM, "harm": 0} if is_hate else {**CALM, "harm": 0, "abuse": 0}
    return [Lesson(newest(raw), targets, 0.3, kind="hate" if is_hate else "clean")]


READERS: dict[str, Reader] = {
    "convabuse": convabuse,
    "hatecheck": hatecheck,
    "multilingual_hatecheck": hatecheck,
    "openai_moderation": moderation,
    "diasafety": diasafety,
    "germeval2018": _posts({"ABUSE": 1, "PROFANITY": 0, "OTHER": 0}, "fine"),
    "cold": _posts({1: 1, 0: 0}, "label"),
    "davidson_hate": _posts({0: 1, 2: 0}, "class"),
    "mlma": mlma,
}
"""By the source's name."""
