"""Fetch the embedded model's weights, once, and check them against their pinned digest."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from quitbutton.upstreams.models import MODELS, fetch, model_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--model", default="smollm2", help="smollm2 (93 MB) or qwen-1.5b (1.1 GB); a GGUF file is taken as it is"
    )
    parser.add_argument("--data", type=Path, default=Path(".quitbutton"), metavar="DIR", help="folder of models")


def run(given: argparse.Namespace) -> int:
    """Fetch the model, with a progress bar."""
    fetch_model(given.model, given.data)
    return 0


def fetch_model(name: str, data: Path) -> None:
    """Fetch a model that is not there yet. Raises `SettingsError`."""
    path = model_path(name, data)
    if path.is_file():
        return
    console = Console(stderr=True)
    title = MODELS[name].title if name in MODELS else name
    size = f" ({MODELS[name].megabytes} MB)" if name in MODELS else ""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"fetching {title}{size}", total=None)

        def on_progress(what: str, done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        fetch(name, data, on_progress)
    console.print(f"{title} is ready: {path}")
