"""What models say about rows whose groups, or whose whole source, they never saw. Kept in files: a stopped run goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.heads import HAZARDS
from quitbutton.assessors.languages import is_other_script
from quitbutton.training import fit
from quitbutton.training.data import Row
from quitbutton.training.distil import Pool, distil, taught

Array = NDArray[Any]
JUDGED = (0,)
"""The folds of five that are held out, one after the other."""
LEFT_OUT = ("strongreject", "openai_moderation", "mlc_v05_vulnerable", "vera_mh")
"""Sources that another model never sees, together with the held-out fold: what an unknown source would meet. To save time it
learns from every second row of the others, so its figures are pessimistic."""


@dataclass(frozen=True, slots=True)
class Material:
    """All rows, ready to be learnt from."""

    rows: list[Row]
    folded: list[str]
    goals: fit.Goals
    digest: str

    @classmethod
    def of(cls, rows: list[Row], digest: str) -> Material:
        """Rows as the assessor reads them."""
        return cls(rows, fit.read_as([row.text for row in rows]), fit.Goals.of(rows), digest)

    @property
    def spare(self) -> Array:
        """Rows that the encoder does not learn from: every second one of Multilingual HateCheck, whose templates repeat; the
        encoder's time is dear."""
        many = [row.source == "multilingual_hatecheck" and crc32(row.text.encode()) % 2 == 1 for row in self.rows]
        return np.array(many, dtype=bool)

    def learnt(self, chosen: Array) -> dict[str, Array]:
        """Both halves fitted on the chosen rows; the encoder learns nothing from scripts that it cannot read."""
        read = np.array([not is_other_script(text) for text in self.folded]) & ~self.spare
        encoder = Encoder({})  # its tokens alone are asked for
        weights, biases = fit.fit_cheap(fit.sparse(self.folded), self.goals, chosen)
        return {"ngram": weights, "ngram_bias": biases} | fit.fit_deep(
            fit.lesson_of(self.rows, self.folded, self.goals, encoder), chosen & read
        )

    def judged(self, learnt: dict[str, Array], judged: Array) -> fit.Halves:
        """What the fitted halves say about the judged rows; zeros elsewhere."""
        places = np.flatnonzero(judged)
        cheap, deep, kinds = (np.zeros((len(self.rows), size), np.float32) for size in (6, 7, len(HAZARDS)))
        cheap[places] = fit.sparse([self.folded[place] for place in places]) @ learnt["ngram"] + learnt["ngram_bias"]
        encoder = Encoder(learnt)
        deep[places], kinds[places] = fit.deep_logits(learnt, [encoder.ids(self.folded[place]) for place in places])
        return fit.Halves(cheap, deep, kinds)


def kept(path: Path, digest: str, make: Callable[[], dict[str, Array]]) -> dict[str, Array]:
    """The arrays of a file of the same data; made and written where there is none."""
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            if str(file["digest"]) == digest:
                return {name: file[name] for name in file.files if name != "digest"}
    made: dict[str, Any] = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, digest=np.array(digest), **made)
    return made


def _judged(material: Material, number: int, without: Collection[str]) -> Array:
    """The rows of one fold, and of whole sources."""
    return np.asarray((material.goals.fold == number) | np.isin([row.source for row in material.rows], list(without)))


def fold_of(material: Material, number: int, cache: Path, without: Collection[str] = ()) -> tuple[fit.Halves, Array]:
    """What is said about one fold, and about whole sources left out, by a model that saw neither."""
    judged = _judged(material, number, without)
    thin = np.array([bool(without) and crc32(row.text.encode()) % 2 for row in material.rows], dtype=bool)

    def make() -> dict[str, Array]:
        halves = material.judged(material.learnt(~judged & ~thin), judged)
        return {"cheap": halves.cheap, "deep": halves.deep, "kinds": halves.kinds}

    name = f"held_out-{number}{'-left_out' if without else ''}.npz"
    found = kept(cache / name, material.digest, make)
    return fit.Halves(found["cheap"], found["deep"], found["kinds"]), judged


@dataclass(frozen=True, slots=True)
class School:
    """Students of the tuned encoder, kept as the rest is."""

    material: Material
    pool: Pool
    said: Array
    cache: Path

    @classmethod
    def of(cls, material: Material, teacher: dict[str, Array], data: Path, cache: Path) -> School:
        """The texts, and what the teacher says of them."""
        pool = Pool.of(material.folded, data)
        digest = f"{material.digest} {pool.digest}"
        found = kept(cache / "taught.npz", digest, lambda: {"said": taught(teacher, pool.ids)})
        return cls(material, pool, found["said"], cache)

    def student(self) -> dict[str, Array]:
        """The shipped one, of all texts."""
        everything = np.ones(len(self.pool.ids), dtype=bool)
        return self._kept("student-final", lambda: distil(self.pool.ids, self.said, everything))

    def guesses(self, number: int, without: Collection[str] = ()) -> Array:
        """What a student says about one fold, and about whole sources left out, that learnt from neither; zeros elsewhere.

        Its teacher is the shipped one, which did: that tells a student of other texts little.
        """
        judged = _judged(self.material, number, without)

        def make() -> dict[str, Array]:
            learnt = distil(self.pool.ids, self.said, self.pool.without(judged))
            guess = np.zeros((len(judged), self.said.shape[1]), np.float32)
            places = np.flatnonzero(judged)
            guess[places] = fit.guesses(learnt, [self.pool.ids[place] for place in places])
            return {"guess": guess}

        return self._kept(f"student-{number}{'-left_out' if without else ''}", make)["guess"]

    def held_out(self) -> Array:
        """`guesses` of all judged folds."""
        return np.asarray(sum(self.guesses(number) for number in JUDGED))

    def _kept(self, name: str, make: Callable[[], dict[str, Array]]) -> dict[str, Array]:
        return kept(self.cache / f"{name}.npz", f"{self.material.digest} {self.pool.digest}", make)


def all_folds(material: Material, cache: Path) -> tuple[fit.Halves, Array]:
    """What is said about all judged folds."""
    parts = [fold_of(material, number, cache) for number in JUDGED]
    cheap, deep, kinds = (sum(getattr(half, name) for half, _ in parts) for name in ("cheap", "deep", "kinds"))
    return fit.Halves(np.asarray(cheap), np.asarray(deep), np.asarray(kinds)), np.any(
        [mask for _, mask in parts], axis=0
    )
