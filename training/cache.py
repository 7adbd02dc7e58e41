"""Results of the steps, each kept with the digest of the data that it was made from: a step that was interrupted goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


class NotDone(Exception):
    """A step's result is missing; another step has to run first."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of arrays."""

    folder: Path
    digest: str
    """Of all rows and replies."""

    def has(self, name: str) -> bool:
        """Whether a result is there and was made from the same data."""
        mark = self.folder / f"{name}.of"
        return mark.exists() and mark.read_text(encoding="utf-8") == self.digest

    def keep(self, name: str, arrays: Arrays) -> None:
        """Keep a result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        np.savez(self.path(name), **arrays)  # type: ignore[arg-type]
        (self.folder / f"{name}.of").write_text(self.digest, encoding="utf-8")

    def load(self, name: str, step: str) -> Arrays:
        """A kept result. Raises `NotDone`, naming the step that makes it, where there is none of this data."""
        if not self.has(name):
            raise NotDone(f"{self.path(name)} is missing or of other data: run `python -m training {step}` first")
        with np.load(self.path(name), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}

    def path(self, name: str) -> Path:
        """Where a result is."""
        return (self.folder / f"{name}.npz").absolute()
