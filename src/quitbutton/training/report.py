"""Measures the shipped assessor and writes the tables of `docs/assessors.md`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.crisis import crisis_sign, weight_of_heads
from quitbutton.assessors.heads import CRISES, FOLDER, HEADS
from quitbutton.assessors.local import LocalAssessor, Reading
from quitbutton.assessors.normal import fold
from quitbutton.assessors.provenance import own_words
from quitbutton.training.data import read, rows, user_turns

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
COLUMNS = ("abuse", "harm", "crisis", "any")


def interval(hits: int, total: int) -> str:
    """A share with its 95 % Wilson interval."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{share:.3f} ({max(0.0, middle - reach):.3f}-{min(1.0, middle + reach):.3f})"


def line(name: str, what: str, said: NDArray[Any]) -> str:
    """One table line from a row of booleans a column."""
    return (
        f"| {name} | {what} | {len(said)} | "
        + " | ".join(interval(int(column.sum()), len(said)) for column in said.T)
        + " |"
    )


def claims(abuse: Any, harm: Any, crisis: Any) -> list[bool]:
    """One row of the table's columns."""
    return [bool(abuse), bool(harm), bool(crisis), bool(abuse or harm or crisis)]


def of_reading(reading: Reading, limits: Any) -> list[bool]:
    """What a reading claims at these thresholds."""
    over = {head: getattr(reading, head) >= getattr(limits, head) for head in HEADS}
    return claims(over["insult"] or over["hate"], over["harm"], reading.sign or any(over[head] for head in CRISES))


def report(data: Path, cache: Path, page: Path) -> None:
    """Held-out figures of every source, live figures of those never learned from, latency."""
    local = LocalAssessor()
    local.load()
    limits = local.thresholds
    found = rows(data)
    with np.load(cache.with_name("held_out.npz"), allow_pickle=False) as file:
        scores = file["scores"]
    bounds = np.array([getattr(limits, head) for head in HEADS])
    kinds: dict[tuple[str, str], list[list[bool]]] = {}
    for row, score in zip(found, scores, strict=True):
        text = fold(own_words(row.text))
        doubt = np.where([head in CRISES for head in HEADS], weight_of_heads(text, float(score[0])), 1.0)
        over = dict(zip(HEADS, score * doubt >= bounds, strict=True))
        true = [head for head in HEADS if row.targets.get(head) == 1]
        what = "crisis" if set(true) & set(CRISES) else ", ".join(true) or "clean"
        said = claims(
            over["insult"] or over["hate"], over["harm"], crisis_sign(text) or any(over[head] for head in CRISES)
        )
        kinds.setdefault((row.source, what), []).append(said)
    lines = [
        "| source | rows that are | n | called abuse | called harm | called crisis | anything |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [line(source, what, np.array(said)) for (source, what), said in sorted(kinds.items())]
    lines += ["", "Never learned from (licence); the shipped weights:", "", *lines[:2]]
    chat = [(user_turns(raw)[-1], raw["labels"]) for raw in read(data, "toxicchat")]
    harmless = [text for text, labels in chat if not labels["toxicity"] and not labels["jailbreaking"]]
    tasks = [turn for raw in read(data, "sgd_test") for turn in user_turns(raw)]
    for name, what, texts in (
        ("toxicchat", "harmless", harmless),
        ("toxicchat", "toxic", [t for t, labels in chat if labels["toxicity"]]),
        ("sgd_test", "turns of task dialogues", tasks),
    ):
        lines.append(line(name, what, np.array([of_reading(local.read(text), limits) for text in texts])))
    spent = []
    for text in [text for text in harmless if len(text.split()) >= 60][:300]:
        begin = time.perf_counter()
        local._read(" ".join(text.split()[:60]))
        spent.append((time.perf_counter() - begin) * 1000)
    lines += [
        "",
        f"Latency on {len(spent)} real messages cut to 60 words, one core: "
        f"median {np.median(spent):.1f} ms, 95th percentile {np.quantile(spent, 0.95):.1f} ms.",
    ]
    refusal = json.loads((FOLDER / "refusal.json").read_text(encoding="utf-8"))["held_out"]
    lines += [
        "",
        "Refusal check, held-out prompts, at 0.5:",
        "",
        "| source | n | precision | recall | F1 |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {name} | {v['rows']} | {v['precision']} | {v['recall']} | {v['f1']} |" for name, v in refusal.items()]
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")
    print("\n".join(lines))
