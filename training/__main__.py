"""The steps from labelled rows to shipped weights and measured pages: `python -m training STEP...`.

    features   the encoder's first layer of every text
    fit        the network on all rows
    folds      a network without each fold (--fold K: one of them), and what it reads in what it left out
    branch     the layer over the branch, and the thresholds
    replies    the reader of replies, and what it says of what it left out
    export     the shipped weights
    report     docs/assessors.md and README.md, from the kept scores

Each step keeps its result below --cache with the digest of the data, and does nothing where that is there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from training.cache import NotDone
from training.folds import FOLDS
from training.steps import Steps


def main(arguments: list[str] | None = None) -> int:
    """Run the named steps in their order."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("features", "fit", "folds", "branch", "replies", "export", "report")
    parser.add_argument("steps", nargs="+", choices=names, metavar="STEP", help=", ".join(names))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public rows")
    parser.add_argument("--cache", type=Path, default=Path(".cache/training"), help="where results are kept")
    parser.add_argument("--fold", type=int, choices=range(len(FOLDS)), help="folds: this one only")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (2)")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    steps = Steps(given.data, given.cache, given.fold)
    try:
        for name in names:
            if name in given.steps:
                run: Callable[[], None] = getattr(steps, name)
                run()
    except (NotDone, FileNotFoundError) as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
