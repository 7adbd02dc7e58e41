"""Files and folders for their owner alone, whatever umask the process was started with."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077
"""The rights of everybody else."""

log = logging.getLogger("quitbutton.files")


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner alone. One that is there is left as it is."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def private_file(path: Path) -> None:
    """Make an empty file for the owner alone where there is none, and take from others what rights they have on it."""
    with suppress(OSError):  # whoever opens it says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    tighten(path)


def tighten(path: Path) -> None:
    """Take from others what rights they have on a file, or say that they have them."""
    try:
        mode = path.stat().st_mode & 0o777
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
    except FileNotFoundError:
        return
    except OSError:
        log.warning("others on this machine may read %s (mode %o), and it is not ours to change: chmod 600", path, mode)


def warn_if_open(path: Path) -> None:
    """Say that others on this machine may read a file that holds secrets and is not ours to change."""
    with suppress(OSError):
        if path.stat().st_mode & 0o044:
            log.warning("%s holds keys or passwords, and others on this machine may read it: chmod 600", path)


def write_private(path: Path, text: str, is_new: bool = False) -> bool:
    """Write a file for the owner alone, whole at any time; False where it should be new and another process was first."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    if not is_new:
        partial.replace(path)
        return True
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    finally:
        partial.unlink()
    return True
