"""`python -m quitbutton.training`: trains the shipped weights, or measures them (`--report`)."""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path

import numpy as np

from quitbutton.assessors import heads as shipped
from quitbutton.assessors.heads import HEADS, sigmoid
from quitbutton.training import fit, thresholds
from quitbutton.training.data import Row, rows
from quitbutton.training.replies import train_refusal
from quitbutton.training.report import report
from quitbutton.training.vectors import vectors

VERSION = "local@1"


def data_digest(found: list[Row]) -> str:
    """SHA-256 over every text, target and weight that training saw."""
    total = sha256()
    for row in found:
        total.update(json.dumps([row.text, sorted(row.targets.items()), row.weight]).encode())
    return total.hexdigest()


def train(data: Path, out: Path, cache: Path) -> None:
    """Fit, calibrate on held-out folds, choose thresholds, fit again on all rows, write."""
    found = rows(data)
    texts = [row.text for row in found]
    goals, dense, grams = fit.Goals.of(found), vectors(texts, cache), fit.sparse(texts)
    everything = np.ones(len(found), dtype=bool)
    cheap, deep = fit.held_out(grams, dense, goals, everything)
    alone, both = fit.stack(cheap, deep, goals)
    scores = sigmoid(cheap * both[0] + deep * both[1] + both[2])
    limits = thresholds.choose(scores, found)
    gate = thresholds.gate(cheap, scores, found, limits)
    weights, biases = fit.fit_cheap(grams, goals, everything)
    net = fit.fit_deep(dense, goals, everything)
    scale = np.abs(weights).max(axis=0) / 127
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "local.npz",
        ngram=np.round(weights / scale).astype(np.int8),
        ngram_scale=scale.astype(np.float32),
        ngram_bias=biases,
        mean=net["mean"].astype(np.float32),
        spread=net["spread"].astype(np.float32),
        w1=net["w1"].astype(np.float16),
        b1=net["b1"],
        w2=net["w2"].astype(np.float16),
        b2=net["b2"],
        alone=alone,
        both=both,
        gate=gate,
    )
    meta = {
        "version": VERSION,
        "heads": list(HEADS),
        "rows": len(found),
        "data_sha256": data_digest(found),
        "sources": sorted({row.source for row in found}),
        "thresholds": limits | {"earlier": 0.9},
    }
    (out / "local.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    np.savez_compressed(cache.with_name("held_out.npz"), cheap=cheap, deep=deep, scores=scores)
    print(json.dumps(limits), "gate", gate.round(2).tolist(), "both", both.round(2).tolist())


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m quitbutton.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled data files")
    parser.add_argument("--out", type=Path, default=shipped.FOLDER, help="where the weights go")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/training/vectors.npz"), help="encoder vectors of earlier runs"
    )
    parser.add_argument(
        "--report",
        type=Path,
        nargs="?",
        const=Path("docs/assessors.md"),
        help="measure instead, write the tables into this page",
    )
    parser.add_argument("--refusal", action="store_true", help="train the refusal check instead")
    arguments = parser.parse_args()
    if arguments.report:
        report(arguments.data, arguments.cache, arguments.report)
    elif arguments.refusal:
        train_refusal(arguments.data, arguments.out)
    else:
        train(arguments.data, arguments.out, arguments.cache)


if __name__ == "__main__":
    main()
