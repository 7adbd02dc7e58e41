"""`python -m quitbutton.training`: trains the shipped weights, or measures them (`--report`)."""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors import heads as shipped
from quitbutton.assessors.heads import HARSH, HAZARDS, HEADS, sigmoid
from quitbutton.training import fit, thresholds
from quitbutton.training.data import Row, rows
from quitbutton.training.graph import write_graph
from quitbutton.training.held_out import LEFT_OUT, Material, School, all_folds, fold_of, kept

VERSION = "local@2"
CACHE = Path(".cache/training")


def data_digest(found: list[Row]) -> str:
    """SHA-256 over every text, target and weight that training saw."""
    total = sha256()
    for row in found:
        total.update(json.dumps([row.text, sorted(row.targets.items()), row.weight, row.hazard]).encode())
    return total.hexdigest()


def material_of(data: Path) -> Material:
    """Every row that may be learnt from."""
    found = rows(data)
    return Material.of(found, data_digest(found))


def train(data: Path, out: Path, cache: Path) -> None:
    """Fit, calibrate on held-out folds, choose thresholds, fit again on all rows, write."""
    out.mkdir(parents=True, exist_ok=True)
    write_graph(out / "encoder.onnx")
    material = material_of(data)
    halves, judged = all_folds(material, cache)
    alone, both = fit.stack(halves.cheap, halves.deep, material.goals, judged)
    scores = sigmoid(halves.cheap * both[0] + halves.deep[:, : len(HEADS)] * both[1] + both[2])
    mine = [material.rows[place] for place in np.flatnonzero(judged)]
    weighed = thresholds.doubted(scores[judged], [material.folded[place] for place in np.flatnonzero(judged)])
    limits = thresholds.choose(weighed, mine)
    gate = thresholds.gate(halves.cheap[judged], scores[judged], mine, limits, thresholds.CHEAP_LOSS)
    learnt = final(material, cache)
    school = School.of(material, learnt, data, cache)
    guesses = school.held_out()
    likely = sigmoid(halves.cheap * both[0] + guesses[:, : len(HEADS)] * both[1] + both[2])
    clear = thresholds.gate(likely[judged], scores[judged], mine, limits, thresholds.STUDENT_LOSS)
    save(out, learnt | school.student() | {"alone": alone, "both": both, "gate": gate, "clear": clear})
    meta = {
        "version": VERSION,
        "heads": [*HEADS, HARSH],
        "hazards": list(HAZARDS),
        "rows": len(material.rows),
        "data_sha256": material.digest,
        "sources": sorted({row.source for row in material.rows}),
        "thresholds": limits | {"earlier": 0.9},
    }
    (out / "local.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(limits), "gate", gate.round(2), "clear", clear.round(4), "both", both.round(2))


def final(material: Material, cache: Path) -> dict[str, NDArray[Any]]:
    """Both halves, fitted on all rows."""
    everything = np.ones(len(material.rows), dtype=bool)
    return kept(cache / "final.npz", material.digest, lambda: material.learnt(everything))


def save(out: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write the weights: plain arrays, the n-gram table as int8."""
    weights = arrays["ngram"]
    scale = np.abs(weights).max(axis=0) / 127
    small = {"ngram": np.round(weights / scale).astype(np.int8), "ngram_scale": scale.astype(np.float32)}
    np.savez_compressed(out / "local.npz", **(arrays | small))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m quitbutton.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled data files")
    parser.add_argument("--out", type=Path, default=shipped.FOLDER, help="where the weights go")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where finished steps are kept")
    parser.add_argument("--step", choices=["0", "1", "left-out", "final"], help="do only this step of the training")
    parser.add_argument("--refusal", action="store_true", help="train the refusal check instead")
    parser.add_argument(
        "--report",
        type=Path,
        nargs="?",
        const=Path("docs/assessors.md"),
        help="measure instead, write the tables into this page",
    )
    arguments = parser.parse_args()
    if arguments.report:
        from quitbutton.training.report import report  # noqa: PLC0415 - imports what only measuring needs

        report(arguments.data, arguments.cache, arguments.report)
    elif arguments.refusal:
        from quitbutton.training.replies import train_refusal  # noqa: PLC0415 - as above

        train_refusal(arguments.data, arguments.out, arguments.cache)
    elif arguments.step:
        step(arguments.data, arguments.cache, arguments.step)
    else:
        train(arguments.data, arguments.out, arguments.cache)


def step(data: Path, cache: Path, name: str) -> None:
    """One step of the training, kept in the cache."""
    material = material_of(data)
    if name == "final":
        final(material, cache)
    elif name == "left-out":
        fold_of(material, 0, cache, LEFT_OUT)
    else:
        fold_of(material, int(name), cache)


if __name__ == "__main__":
    main()
