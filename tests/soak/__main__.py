"""The long form: `make soak` (MINUTES=30 RATE= SEED= STORE=sqlite PAGE=docs/benchmarks/soak.md)."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.soak.page import rows, table, write
from tests.soak.run import soak
from tests.soak.stage import Stage

SHOWN = 20


def main() -> int:
    """Soak, sum up; 1 where something is wrong."""
    given = options()
    seed = given.seed or random.SystemRandom().randrange(1, 1 << 31)
    console = Console()

    def tell(words: str) -> None:
        console.print(words, highlight=False)

    tell(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), given.store)
        try:
            done = soak(
                stage, seed, given.minutes * 60, given.rate, measured=given.measured, cores=given.cores, tell=tell
            )
        finally:
            if given.log:
                given.log.parent.mkdir(parents=True, exist_ok=True)
                given.log.write_bytes(stage.log.read_bytes())
            stage.close()
    console.print(table(rows(done)))
    if given.page:
        write(done, seed, given.store, given.page)
    for violation in done.found[:SHOWN]:
        console.print(f"x {violation}", highlight=False, markup=False, soft_wrap=True)
    if len(done.found) > SHOWN:
        tell(f"and {len(done.found) - SHOWN} more")
    return 1 if done.found else 0


def options() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    given.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    given.add_argument("--rate", type=float, default=0.0, help="calls a second; 80 %% of what goes where not given")
    given.add_argument("--measured", type=float, default=20.0, help="seconds for which is measured what goes (20)")
    given.add_argument("--cores", type=float, default=0.7, help="what the gateway may take of one, at most (0.7)")
    given.add_argument("--seed", type=int, default=0, help="of all dice; a new one where none is given")
    given.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql", help="sqlite: no restarts")
    given.add_argument(
        "--page", type=Path, metavar="FILE", help="write the result here, and beside it figures and curve"
    )
    given.add_argument("--log", type=Path, metavar="FILE", help="keep what the gateway logged")
    return given.parse_args()


if __name__ == "__main__":
    sys.exit(main())
