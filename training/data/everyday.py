"""Readers of sources of ordinary talk and tasks, clean in every respect."""

from __future__ import annotations

from training.data.lessons import Lesson, Reader, newest, turns
from training.data.rows import CLEAN, Raw


def _complied(raw: Raw) -> list[Lesson]:
    """Prompts with which a model complied."""
    return [Lesson(newest(raw), CLEAN, 0.5, kind="clean")] if raw["labels"]["tone"] == "complied" else []


def _toxicchat(raw: Raw) -> list[Lesson]:
    """Real prompts without a label of toxicity or jailbreak: measured on only."""
    labels = raw["labels"]
    return [] if labels["toxicity"] or labels["jailbreaking"] else [Lesson(newest(raw), CLEAN, 0, kind="clean")]


READERS: dict[str, Reader] = {
    "chatgpt_refusals": _complied,
    "clinc_oos": turns(CLEAN, 0.5),
    "banking77": turns(CLEAN, 0.5),
    "arena_hard": turns(CLEAN, 0.7),
    "self_instruct_user": turns(CLEAN, 1),
    "vicuna_multilingual": turns(CLEAN, 0.7),
    "mt_bench_multilingual": turns(CLEAN, 0.7),
    "taskmaster4": turns(CLEAN, 0.4, most=4),
    "xpersona": turns(CLEAN, 0.4, most=4),
    "oasst_trees": turns(CLEAN, 0.4, most=4),
    "dolly_sample": turns(CLEAN, 0, most=4),
    "xsid": turns(CLEAN, 0, most=4),
    "sgd_test": turns(CLEAN, 0, most=4),
    "toxicchat": _toxicchat,
}
"""By the source's name."""
