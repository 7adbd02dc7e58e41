"""Reads the labelled data files into rows with one target a head. Never reads non-commercial files for training."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quitbutton.assessors.heads import CRISES, HARSH
from quitbutton.training.patterns import Sentence, sentences

Raw = dict[str, Any]
EVALUATION_ONLY = ("toxicchat", "sgd_test")
"""Licences that forbid commercial use or demand share-alike: measured on, never learned from."""
UNCLEAR_HAZARDS = ("hat", "vcr")
"""Requests of these hazards may be hate or a threat as well: they teach nothing about abuse."""
HAZARD_OF = {
    "violent": ("vcr", "Physical Harm", "Physical harm", "harmful", "Violence"),
    "nonviolent": (
        "nvc", "Fraud/Deception", "Economic Harm", "Economic harm", "Malware/Hacking", "illegal", "cybercrime_intrusion",
        "Non-violent crimes", "Illegal goods and services", "malwaregen", "data_exfiltration",
    ),
    "sex": ("scr", "Illegal Sexual/Adult Content", "Sexual/Adult content", "Sexual content"),
    "weapons": ("cbr", "chemical_biological"),
    "hate": (
        "hat", "Harassment/Discrimination", "harassment_bullying", "Hate, harassment and discrimination", "contrast_discr",
        "toxicity",
    ),
    "privacy": ("Privacy", "contrast_privacy"),
    "deception": ("Disinformation", "misinformation_disinformation", "Disinformation and deception", "misinformation"),
}  # fmt: skip
"""Which categories of the data sets are which hazard: MLCommons' taxonomy (AILuminate 1.0), plus deception."""
HAZARD_NAMED = {name: hazard for hazard, names in HAZARD_OF.items() for name in names}


@dataclass(slots=True)
class Row:
    """One text with its targets. A head without a target learns nothing from the row."""

    text: str
    source: str
    group: str
    targets: dict[str, int] = field(default_factory=dict)
    weight: float = 1.0
    kind: str = ""
    language: str = "en"
    hazard: str = ""
    """Of a harmful request: one of `heads.HAZARDS`, empty where unknown."""


def read(folder: Path, name: str) -> Iterator[Raw]:
    """The rows of one data file, plain or gzip."""
    for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
        if path.exists():
            opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt", encoding="utf-8") as file:
                for line in file:
                    yield json.loads(line)


def user_turns(row: Raw) -> list[str]:
    """What the user said, oldest first."""
    return [message["content"] for message in row["messages"] if message["role"] == "user"]


def targets(abuse: int | None, harm: int | None, crisis: int | None) -> dict[str, int]:
    """Targets of all heads where those of a family share one."""
    pairs = {"insult": abuse, "hate": abuse, "harm": harm} | dict.fromkeys(CRISES, crisis)
    return {head: value for head, value in pairs.items() if value is not None}


CLEAN = targets(0, 0, 0)
LOOKS_HARSH = (
    "mlc_v05_typical",
    "xstest_prompts",
    "weighted_safety_refusal",
    "hatecheck",
    "multilingual_hatecheck",
    "bailbench",
)
"""Sources whose clean rows were made to look harmful."""
PLAIN = ("own_ordinary", "own_tasks", "bailstudy_nonbail_wildchat")
CALM = dict.fromkeys(CRISES, 0)
UNHURT = {"selfharm": 0, "distress": 0}
"""No danger to oneself; danger to others is left open."""


def _convabuse(raw: Raw) -> tuple[dict[str, int], float, str, str]:
    labels = raw["labels"]
    share = (
        sum(value for key, value in labels.items() if re.fullmatch(r"is_abuse\.-[123]", key)) / labels["n_annotators"]
    )
    goal = {"insult": int(share >= 0.5)} | CALM
    if share == 0:
        goal |= {"hate": 0, "harm": 0}
    return goal, 2 * max(0.3, abs(share - 0.5) * 2), labels["conv_id"], "tie" if share == 0.5 else ""


def _hate(raw: Raw) -> tuple[dict[str, int], float, str, str]:
    labels = raw["labels"]
    if labels["label_gold"] != "hateful":
        return CLEAN, 1.0, str(labels["templ_id"]), labels["functionality"]
    threat = int(labels["functionality"].startswith("threat"))
    return (
        {"hate": 1, "threat": threat} | ({} if threat else UNHURT),
        3.0 if threat else 1.0,
        str(labels["templ_id"]),
        labels["functionality"],
    )


def _moderation(raw: Raw) -> tuple[dict[str, int], float, str, str]:
    found = {key for key in ("S", "H", "V", "HR", "SH", "H2", "V2") if raw["labels"].get(key) == 1}
    if "SH" in found:
        return {"selfharm": 1, "distress": 1}, 3.0, raw["id"], "self-harm"
    if found & {"H", "HR", "H2"}:
        return {"hate": 1} | UNHURT, 1.0, raw["id"], "hate"
    return (UNHURT, 1.0, raw["id"], "other") if found else (CLEAN, 1.0, raw["id"], "")


def _diasafety(raw: Raw) -> tuple[dict[str, int], float, str, str]:
    text, kind = user_turns(raw)[-1], raw["labels"]["category"]
    match kind:
        case "Toxicity Agreement":
            return {"hate": 1} | UNHURT, 0.3, text, kind
        case "Risk Ignorance":
            return {"insult": 0, "harm": 0, "hate": 0, "distress": 1}, 0.6, text, kind
        case "Offending User":
            return {"insult": 0, "hate": 0, "harm": 0}, 0.3, text, kind
    return CLEAN, 0.5, text, kind


def _hazards(raw: Raw) -> tuple[dict[str, int], float, str, str]:
    labels = raw["labels"]
    group, hazard = " ".join(re.findall(r"\w+", user_turns(raw)[-1].lower())[-4:]), labels["hazard"]
    if labels["persona"] == "typical":
        return CLEAN, 1.0, group, hazard
    if labels["persona"] == "vulnerable":
        return {"insult": 0, "hate": 0, "selfharm": 1}, 1.0, group, hazard
    goal = {"harm": 1, "threat": int(hazard == "vcr")} | UNHURT
    return goal | ({} if hazard in UNCLEAR_HAZARDS else {"insult": 0, "hate": 0}), 1.0, group, hazard


def _request(
    is_harmful: bool, group: str, kind: str, weight: float = 1.0, calm: bool = True
) -> tuple[dict[str, int], float, str, str]:
    if not is_harmful:
        return CLEAN, weight, group, kind
    return {"harm": 1} | (CALM if calm else {}), weight, group, kind


def _vera(raw: Raw) -> tuple[dict[str, int], float, str, str]:
    goal = {"insult": 0, "hate": 0, "harm": 0}
    match raw["labels"]["risk_level"]:
        case "High" | "Imminent":
            goal |= {"distress": 1}
        case "None":
            goal |= CALM
    return goal, 0.25, raw["labels"]["persona"], raw["labels"]["risk_level"]


READERS: dict[str, Callable[[Raw], tuple[dict[str, int], float, str, str]]] = {
    "convabuse": _convabuse,
    "hatecheck": _hate,
    "multilingual_hatecheck": _hate,
    "openai_moderation": _moderation,
    "diasafety": _diasafety,
    "mlc_v05_malicious": _hazards,
    "mlc_v05_vulnerable": _hazards,
    "mlc_v05_typical": _hazards,
    "harmbench": lambda raw: _request(raw["purpose"] != [2], raw["id"], raw["labels"]["SemanticCategory"]),
    "strongreject": lambda raw: _request(True, raw["id"], raw["labels"]["category"]),
    "bailbench": lambda raw: _request(bool(raw["labels"]["in_bailHarmBench"]), raw["id"], raw["labels"]["category"]),
    "xstest_prompts": lambda raw: _request(
        raw["labels"]["label"] == "unsafe",
        str(raw["labels"].get("focus", raw["id"])),
        raw["labels"]["type"],
        2.0,
        calm=False,
    ),
    "weighted_safety_refusal": lambda raw: _request(raw["labels"]["type"] == "harmful", raw["id"], "", calm=False),
    "bailstudy_nonbail_wildchat": lambda raw: (CLEAN, 2.0, raw["id"], ""),
    "vera_mh": _vera,
}
GOALS: dict[str, Callable[[Raw], tuple[str, str]]] = {
    "safemtdata_attack600": lambda raw: (raw["labels"]["plain_query"], raw["labels"]["category"]),
    "jailbreakbench_artifacts": lambda raw: (raw["labels"]["goal"], raw["labels"]["category"]),
    "gptfuzz_responses": lambda raw: (user_turns(raw)[-1], ""),
}
"""Sources whose rows share a plain harmful goal: the goal is the row."""
NOT_ALWAYS_HARMFUL = ("Expert advice", "Government decision-making")


def rows(folder: Path) -> list[Row]:
    """Every row that may be learned from."""
    found: list[Row] = []
    for source, reader in READERS.items():
        for raw in read(folder, source):
            turns = user_turns(raw) if source == "vera_mh" else user_turns(raw)[-1:]
            goal, weight, group, kind = reader(raw)
            language = raw["labels"].get("lang", "en")
            hazard = HAZARD_NAMED.get(kind, "") if goal.get("harm") else ""
            if source == "multilingual_hatecheck":
                weight, group = weight / 2, f"{language}:{group}"
            found += [
                Row(turn, source, f"{source}:{group}", goal, weight, kind, language, hazard)
                for turn in turns
                if turn.strip()
            ]
    for raw in read(folder, "counsel_chat"):
        text, ill = user_turns(raw)[-1], raw["labels"]["topic"] == "self-harm"
        goal = {"insult": 0, "hate": 0, "harm": 0} | ({"selfharm": 1} if ill else {})
        found.append(Row(text, "counsel_chat", f"counsel_chat:{text[:40]}", goal, 1.0, raw["labels"]["topic"]))
    prompts = {user_turns(raw)[-1] for raw in read(folder, "chatgpt_refusals") if raw["labels"]["tone"] == "complied"}
    found += [Row(text, "chatgpt_refusals", f"chatgpt_refusals:{text}", CLEAN, 0.7) for text in sorted(prompts)]
    found += goal_rows(folder) + own_rows()
    for row in found:
        _add_harsh(row)
    return found


def _add_harsh(row: Row) -> None:
    clean = all(row.targets.get(head) == 0 for head in CLEAN)
    if clean and row.source in LOOKS_HARSH:
        row.targets[HARSH] = 1
    elif (clean and row.source in PLAIN) or any(row.targets.get(head) for head in ("insult", "hate", "harm", "threat")):
        row.targets[HARSH] = 0


def goal_rows(folder: Path) -> list[Row]:
    """The plain goals behind attacks, once each, and the attacks that say theirs in human words."""
    found: dict[str, Row] = {}
    for source, goal_of in GOALS.items():
        for raw in read(folder, source):
            text, category = goal_of(raw)
            if category in NOT_ALWAYS_HARMFUL:
                continue
            hazard = HAZARD_NAMED.get(category, "")
            for said, weight in ((text, 1.0), (user_turns(raw)[-1], 0.3)):
                if said == text or raw["labels"].get("method") == "PAIR":
                    found.setdefault(
                        said, Row(said, source, f"{source}:{text}", {"harm": 1} | CALM, weight, category, hazard=hazard)
                    )
    return list(found.values())


THREATENING = re.compile(r"\{them\}|\{insult\}.*kill them|shoot up|gun|smother|hurt my baby|bringe ihn um")
"""Which of the older crisis patterns are danger to others."""


def own_rows() -> list[Row]:
    """The sentences written for this project."""
    return [_own_row(sentence) for sentence in sentences()]


def _own_row(sentence: Sentence) -> Row:
    label, source = sentence.label, f"own_{sentence.file}"
    goal = {"insult": int(label["abuse"]), "harm": int(label["harm"])}
    if label.get("hate"):
        goal = {"hate": 1, "threat": 0} | UNHURT
    elif not label["abuse"] and not (label.get("threat") and sentence.file in ("hate", "wounds")):
        goal["hate"] = 0
    if not label["crisis"]:
        goal |= CALM
    elif label.get("threat") or (sentence.file in ("crisis", "languages") and THREATENING.search(sentence.pattern)):
        goal |= {"threat": 1}
    else:
        goal |= {"selfharm": 1, "distress": 1}
    if label["crisis"] and "insult}" in sentence.pattern:
        goal["insult"] = 1
    return Row(
        sentence.text,
        source,
        f"{source}:{sentence.group}",
        goal,
        0.5 if sentence.filled else 1.0,
        "crisis" if label["crisis"] else "",
        hazard=str(label.get("hazard", "")),
    )
