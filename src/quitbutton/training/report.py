"""Measures the shipped assessor and writes the tables of `docs/assessors.md`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import FOLDER, HAZARDS, are_below
from quitbutton.assessors.local import LocalAssessor, judged, reading_of
from quitbutton.assessors.ngrams import words_of
from quitbutton.core.verdicts import Label, Verdict
from quitbutton.training.__main__ import final, material_of
from quitbutton.training.conversations import conversations
from quitbutton.training.data import Row, read, user_turns
from quitbutton.training.disguises import DISGUISES
from quitbutton.training.fit import Halves
from quitbutton.training.held_out import LEFT_OUT, Material, School, all_folds, fold_of
from quitbutton.training.tables import HEADER, by_language, by_source, interval, line, table

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
Array = NDArray[Any]
Found = list[tuple[Row, Verdict]]


def verdicts(material: Material, halves: Halves, guesses: Array, places: Array, local: LocalAssessor) -> Found:
    """What the assessor would say with these logits: gates, calibration, rules and thresholds are the shipped ones."""
    found = []
    for place in places:
        likely = _likely(local, halves.cheap[place], guesses[place], halves.deep[place])
        folded = material.folded[place]
        reading = reading_of(folded, words_of(folded), likely)
        found.append((material.rows[place], judged(reading, (), local.thresholds)))
    return found


def _likely(local: LocalAssessor, cheap: Array, guess: Array, deep: Array) -> Array:
    heads = local.heads
    if heads.is_sure(cheap):
        return heads.alone(cheap)
    guessed = heads.both(cheap, guess)
    return guessed if are_below(guessed, local.bars) else heads.both(cheap, deep)


def live(local: LocalAssessor, texts: Sequence[str]) -> list[Verdict]:
    """What the shipped assessor says about single messages."""
    return [judged(local.read(text), (), local.thresholds) for text in texts]


def never_learnt(data: Path, local: LocalAssessor) -> list[str]:
    """The sources whose licence forbids learning from them."""
    chat = [(user_turns(raw)[-1], raw["labels"]) for raw in read(data, "toxicchat")]
    harmless = [text for text, labels in chat if not labels["toxicity"] and not labels["jailbreaking"]]
    toxic = [text for text, labels in chat if labels["toxicity"]]
    tasks = [turn for raw in read(data, "sgd_test") for turn in user_turns(raw)]
    groups = (("toxicchat", "harmless", harmless), ("toxicchat", "toxic", toxic), ("sgd_test", "turns of tasks", tasks))
    return [*HEADER, *(line(name, what, live(local, texts)) for name, what, texts in groups)]


def left_out(material: Material, school: School, cache: Path, local: LocalAssessor) -> list[str]:
    """Whole sources that the model never saw."""
    halves, seen = fold_of(material, 0, cache, LEFT_OUT)
    places = np.array([place for place in np.flatnonzero(seen) if material.rows[place].source in LEFT_OUT])
    return by_source(verdicts(material, halves, school.guesses(0, LEFT_OUT), places, local))


def hazards(material: Material, halves: Halves, places: Array) -> list[str]:
    """How often the kind of a harmful request is named right."""
    lines = []
    for hazard in HAZARDS:
        mine = [place for place in places if material.rows[place].hazard == hazard]
        right = sum(HAZARDS[int(np.argmax(halves.kinds[place]))] == hazard for place in mine)
        lines.append((hazard, len(mine), interval(right, len(mine)) if mine else "-"))
    return table(("hazard", "n", "named right"), lines)


def disguised(found: Found, local: LocalAssessor, most: int = 300) -> list[str]:
    """What is found of plainly harmful rows when they are disguised, with and without normalisation."""
    harmful = (Label.ABUSE, Label.HARM, Label.CRISIS)
    texts = [row.text for row, said in found if said.label in harmful and row.source in ("convabuse", "bailbench")][
        :most
    ]
    rows = []
    for name, change in DISGUISES.items():
        hidden = [change(text) for text in texts]
        after = sum(said.label in harmful for said in live(local, hidden))
        rows.append((name, interval(_without_normalisation(hidden, local), len(texts)), interval(after, len(texts))))
    return table(("disguise", "found without normalisation", "found with it"), rows)


def _without_normalisation(texts: Sequence[str], local: LocalAssessor) -> int:
    """How many are found where text is lower-cased only."""
    heads, encoder, count = local.heads, local.encoder, 0
    for text in texts:
        lower = text.lower()
        words = words_of(lower)
        likely = heads.both(heads.cheap(words), encoder.logits(lower)[0])
        said = judged(reading_of(lower, words, likely), (), local.thresholds)
        count += said.label in (Label.ABUSE, Label.HARM, Label.CRISIS)
    return count


def latency(data: Path) -> str:
    """Times of single messages of real users, cut to 60 words."""
    local = LocalAssessor()
    local.load()
    spent = []
    texts = [text for raw in read(data, "toxicchat") if len((text := user_turns(raw)[-1]).split()) >= 60]
    for text in [" ".join(text.split()[:60]) for text in texts]:
        begin = time.perf_counter()
        local.read(text)
        spent.append((time.perf_counter() - begin) * 1000)
    return (
        f"Latency on {len(spent)} real messages cut to 60 words, one core: "
        f"median {np.median(spent):.1f} ms, 95th percentile {np.quantile(spent, 0.95):.1f} ms."
    )


def refusals() -> list[str]:
    """Held-out figures of the refusal check, as its training wrote them down."""
    meta = json.loads((FOLDER / "refusal.json").read_text(encoding="utf-8"))
    lines = [(name, v["rows"], v["precision"], v["recall"], v["f1"]) for name, v in meta["held_out"].items()]
    called = list(meta["labels"])
    kinds = [(true, *(counts.get(label, 0) for label in called)) for true, counts in meta["labels"].items()]
    return [
        *table(("source", "n", "precision", "recall", "F1"), lines),
        "",
        *table(("replies that are", *(f"called {label}" for label in called)), kinds),
    ]


def report(data: Path, cache: Path, page: Path) -> None:
    """All tables, in the page's measured part."""
    local = LocalAssessor()
    local.load()
    material = material_of(data)
    halves, seen = all_folds(material, cache)
    places = np.flatnonzero(seen)
    school = School.of(material, final(material, cache), data, cache)
    found = verdicts(material, halves, school.held_out(), places, local)
    lines = [
        *by_source(found),
        "",
        "Whole sources left out of training, all at once, and one fold of the others:",
        "",
        *left_out(material, school, cache, local),
        "",
        "Never learnt from (licence); the shipped weights:",
        "",
        *never_learnt(data, local),
        "",
        "Whole conversations of held-out rows through the default policy, with `assist`:",
        "",
        *conversations(found),
        "",
        "By language (Multilingual HateCheck, held out):",
        "",
        *by_language(found),
        "",
        "Kinds of harmful requests, held out:",
        "",
        *hazards(material, halves, places),
        "",
        "Disguised rows (of those found when said plainly; the shipped weights):",
        "",
        *disguised(found, local),
        "",
        latency(data),
        "",
        "Refusal check, held-out prompts, at 0.5:",
        "",
        *refusals(),
    ]
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")
    print("\n".join(lines))
