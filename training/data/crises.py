"""Readers of sources about crises and distress."""

from __future__ import annotations

import re

from training.data.lessons import Lesson, Reader, newest, turns
from training.data.rows import CALM, CLEAN, Raw, before, said_by_user

NAMED_ZH = re.compile("自杀|自殘|自残|想死|去死|轻生|不想活|结束生命|死了|割腕|伤害自己|跳楼|活着没|寻死")
"""Words of self-harm and of wishing to die in SmileChat."""


def _counsel(raw: Raw) -> list[Lesson]:
    """Letters to counsellors: distress, of which only the topic self-harm says more."""
    text, topic = newest(raw), raw["labels"]["topic"]
    crisis = {"concern": 1, "risk": 1} if topic == "self-harm" else {}
    return [Lesson(text, {"abuse": 0, "harm": 0, "rude": 0, **crisis}, 1, text[:40], kind=topic)]


def _vera(raw: Raw) -> list[Lesson]:
    """Turns of simulated people: the risk is the persona's, so only those without any say something."""
    if raw["labels"]["risk_level"] != "None":
        return []
    targets = {"abuse": 0, "rude": 0, "harm": 0, "risk": 0}
    return [Lesson(text, targets, 0.3, raw["labels"]["persona"], kind="None") for text in said_by_user(raw)]


def _smilechat(raw: Raw) -> list[Lesson]:
    """Chinese help-seekers: turns that name it are a concern; the first turns of the others are no clear crisis."""
    said = said_by_user(raw)
    if not raw["labels"]["crisis_terms"]:
        calm = {"abuse": 0, "rude": 0, "harm": 0, "risk": 0}
        return [Lesson(text, calm, 0.3, kind="clean", language="zh") for text in said[:3]]
    targets = {"abuse": 0, "rude": 0, "harm": 0, "concern": 1}
    return [
        Lesson(text, targets, 0.5, context=before(said, place), kind="crisis", language="zh")
        for place, text in enumerate(said)
        if NAMED_ZH.search(text)
    ]


def _ugm(raw: Raw) -> list[Lesson]:
    """Scenarios of students in Indonesian mixed with English."""
    is_crisis = raw["labels"]["is_crisis"]
    targets = {"abuse": 0, "harm": 0, **({"concern": 1} if is_crisis else {"risk": 0})}
    return [Lesson(newest(raw), targets, 1, kind="crisis" if is_crisis else "clean", language="id")]


def _goemotions(raw: Raw) -> list[Lesson]:
    """Short comments: sad ones are no clear crisis, the others are clean; neither says anything of rudeness."""
    is_sad = 3 in raw["purpose"]
    targets = {"abuse": 0, "harm": 0, "risk": 0} if is_sad else {"abuse": 0, "harm": 0, **CALM}
    return [Lesson(newest(raw), targets, 0.4, kind="sad" if is_sad else "clean")]


def _cvalues(raw: Raw) -> list[Lesson]:
    """Questions by domain experts. Those of psychology may be a reason for concern."""
    targets = {**CLEAN}
    if 3 in raw["purpose"]:
        del targets["concern"]
    return list(turns(targets, 0.5)(raw))


READERS: dict[str, Reader] = {
    "counsel_chat": _counsel,
    "vera_mh": _vera,
    "smilechat": _smilechat,
    "ugm_aicare": _ugm,
    "goemotions": _goemotions,
    "spiral_bench_kimi": turns({"abuse": 0, "harm": 0, "rude": 0}, 0.3, kind="", has_context=False),
    "cvalues_responsibility": _cvalues,
}
"""By the source's name."""
