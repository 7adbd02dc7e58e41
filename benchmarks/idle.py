"""Streams that are open and idle: `python -m benchmarks.idle [--streams 2000]` prints what each of them costs in memory."""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request

from tests.conftest import free_port
from tests.observing.floods import Flood, request, rss

MEGABYTE = 1 << 20


async def opened(port: int, number: int) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(port, number))
    assert (await reader.read(2000)).startswith(b"HTTP/1.1 200")
    return writer


async def open_all(port: int, streams: int) -> list[asyncio.StreamWriter]:
    found: list[asyncio.StreamWriter] = []
    for start in range(0, streams, 50):
        numbers = range(start, min(start + 50, streams))
        found += await asyncio.gather(*(opened(port, number) for number in numbers))
    return found


async def measure(port: int, pid: int, streams: int) -> None:
    for writer in await open_all(port, 20):
        writer.close()
    await asyncio.sleep(1)
    before, start = rss(pid), time.perf_counter()
    writers = await open_all(port, streams)
    took, now = time.perf_counter() - start, rss(pid)
    each = (now - before) / streams / 1024
    print(f"{streams} streams open in {took:.1f} s")
    print(f"resident: {before / MEGABYTE:.0f} MB before, {now / MEGABYTE:.0f} MB with them, {each:.0f} KB each")
    for writer in writers:
        writer.close()
    await asyncio.sleep(3)
    print(f"resident afterwards: {rss(pid) / MEGABYTE:.0f} MB")


def main() -> int:
    """Start a provider and a gateway, open the streams, print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--streams", type=int, default=2000)
    streams = given.parse_args().streams
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    flood, port = Flood(), free_port()
    with tempfile.TemporaryDirectory() as data:
        arguments = ["--port", str(port), "--data", data, "--upstream", flood.url, "--assessor", "scripted"]
        gateway = subprocess.Popen([sys.executable, "-m", "quitbutton", "serve", *arguments], stdout=subprocess.DEVNULL)
        try:
            _wait(port)
            asyncio.run(measure(port, gateway.pid, streams))
        finally:
            gateway.terminate()
            gateway.wait(40)
    return 0


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the gateway did not start")


if __name__ == "__main__":
    sys.exit(main())
