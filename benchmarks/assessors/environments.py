"""Packages in virtual environments of their own, as they pin versions that conflict; what each answers is kept in files."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
ENVIRONMENTS = Path(".cache/compare")
PATIENCE = 1800.0
"""Seconds for all answers of one package, and for its installation."""
Answer = dict[str, Any]


class NotMeasured(Exception):
    """Why a package has no figures, in words for the table."""


@dataclass(frozen=True)
class Package:
    """A line of `others.toml`."""

    package: str
    version: str
    licence: str
    driver: str = ""
    needs: list[str] = field(default_factory=list)
    """Further requirements, where the package forgot them or works with some versions only."""
    locale: str = ""
    unmeasured: str = ""
    """Known beforehand: why it is not installed."""
    meant: str = ""
    knows: list[str] = field(default_factory=list)
    call: str = ""


def packages(path: Path) -> list[Package]:
    """The packages of a data file."""
    return [Package(name, **values) for name, values in tomllib.loads(path.read_text(encoding="utf-8")).items()]


def reason_in(output: str) -> str:
    """The last line that says something, without paths and addresses."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("WARNING")]
    said = re.sub(r"(?:\w+://|(?<![\w.])/)\S+", "…", lines[-1]) if lines else "it stopped without a word"
    return said if len(said) <= 160 else said[:159] + "…"


def _run(command: Sequence[str | Path]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise NotMeasured("its installation took too long") from None
    if done.returncode:
        raise NotMeasured(f"does not install: {reason_in(done.stdout + done.stderr)}")


def environment(package: Package, root: Path = ENVIRONMENTS) -> Path:
    """The folder of a package's environment, made where there is none. Raises `NotMeasured`."""
    if package.unmeasured:
        raise NotMeasured(package.unmeasured)
    folder, wanted = root / package.package, [f"{package.package}=={package.version}", *package.needs]
    done = folder / "installed.txt"
    if not (done.exists() and done.read_text(encoding="utf-8").split() == wanted):
        root.mkdir(parents=True, exist_ok=True)
        (root / ".gitignore").write_text("*\n", encoding="utf-8")
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder])
        pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python"]
        _run([*pip, "wheel", "--quiet", "--wheel-dir", folder / "wheels", *wanted])
        wheels = sorted((folder / "wheels").glob("*.whl"))
        _run([*pip, "install", "--quiet", "--no-index", "--no-deps", *wheels])
        done.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    if package.locale and not (folder / "locale" / package.locale).exists():
        _make_locale(folder / "locale", package.locale)
    return folder


def _make_locale(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    language, _, coding = name.partition(".")
    try:
        _run(["localedef", "-i", language, "-f", coding, folder / name])
    except (NotMeasured, FileNotFoundError):
        raise NotMeasured(f"needs the locale {name}, which is not here") from None


def megabytes(paths: Iterable[Path]) -> float:
    """What files take, in millions of bytes."""
    return round(sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink()) / 1e6, 1)


def site(folder: Path) -> Path:
    """Where an environment's packages are."""
    return next((folder / "lib").glob("python*/site-packages"))


def sizes(folder: Path) -> tuple[float, float]:
    """MB to download and MB installed, with all that the package needs."""
    installed = (path for path in site(folder).rglob("*") if path.suffix != ".pyc")
    return megabytes((folder / "wheels").glob("*.whl")), megabytes(installed)


def key_of(text: str) -> str:
    """What an answer is kept under; never the text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def answers(
    package: Package, texts: Sequence[str], root: Path = ENVIRONMENTS, told: Callable[[], None] = lambda: None
) -> list[Answer]:
    """What a package says about each text; asked only what is not known yet. Raises `NotMeasured`."""
    folder, driver = environment(package, root), driver_of(package)
    kept = folder / f"answers-{sha256(driver.read_bytes()).hexdigest()[:8]}.jsonl"
    known = _kept(kept)
    missing = {key: text for text in texts if (key := key_of(text)) not in known}
    for _ in range(len(texts) - len(missing)):
        told()
    if missing:
        with kept.open("a", encoding="utf-8") as file:
            for key, answer in zip(
                missing, ask([folder / "bin" / "python", driver], missing.values(), package), strict=True
            ):
                known[key] = answer
                file.write(json.dumps({"key": key} | answer) + "\n")
                told()
    return [known[key_of(text)] for text in texts]


def milliseconds(package: Package, texts: Sequence[str], root: Path = ENVIRONMENTS) -> float:
    """The median of the processor's ms a text, measured now: kept answers may come from a busier machine."""
    folder = environment(package, root)
    found = ask([folder / "bin" / "python", driver_of(package)], texts, package)
    return statistics.median(answer["ms"] for answer in found)


def driver_of(package: Package) -> Path:
    """The script that calls the package."""
    return HERE / "drivers" / f"with_{package.driver}.py"


def _kept(path: Path) -> dict[str, Answer]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    return {answer.pop("key"): answer for answer in found}


def ask(command: Sequence[str | Path], texts: Iterable[str], package: Package) -> Iterable[Answer]:
    """Answers of a driver, one by one. Raises `NotMeasured` with its last words where it stops early."""
    asked = list(texts)
    names = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "HF_HUB_OFFLINE", "PYTHONUTF8"), "1")
    if package.locale:
        names |= {"LC_ALL": package.locale, "LOCPATH": str((Path(command[0]).parents[1] / "locale").absolute())}
    with subprocess.Popen(
        command, stdin=-1, stdout=-1, stderr=-1, text=True, encoding="utf-8", env=os.environ | names
    ) as process:
        last_words: list[str] = []
        helpers = [
            threading.Thread(target=_write, args=(process.stdin, asked), daemon=True),
            threading.Thread(target=lambda: last_words.extend(process.stderr or ()), daemon=True),
        ]
        for helper in helpers:
            helper.start()
        clock = threading.Timer(PATIENCE, process.kill)
        clock.start()
        answered = 0
        try:
            for line in process.stdout or ():
                if line.startswith("{"):  # else a package printed it while it was imported
                    answered += 1
                    yield json.loads(line)
        finally:
            clock.cancel()
            process.kill()
        helpers[1].join(5)
        if answered < len(asked):
            raise NotMeasured(f"does not run: {reason_in(''.join(last_words))}")


def _write(file: IO[str], texts: Sequence[str]) -> None:
    try:
        with file:
            file.writelines(json.dumps(text) + "\n" for text in texts)
    except OSError:
        return  # the driver stopped: its last words say why
