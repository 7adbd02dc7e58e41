"""Log lines as text or JSON, ours and the server's alike, written by a thread so that no request waits for a pipe."""

from __future__ import annotations

import json
import logging
import queue
import sys
import time
from logging.handlers import QueueHandler, QueueListener

MOST = 10_000
"""Lines that may wait to be written; more are dropped, and counted."""


class _Text(logging.Formatter):
    """2026-11-25T23:22:50Z INFO quitbutton.requests: request id=... route=..."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, with its fields behind it."""
        fields = getattr(record, "fields", None) or {}
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in fields.items())])


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and message, then the line's own fields."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(getattr(record, "fields", None) or {}),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class _Queue(QueueHandler):
    """Hands lines to the thread that writes them."""

    def __init__(self, lines: queue.Queue[logging.LogRecord]) -> None:
        super().__init__(lines)
        self._lines, self.dropped = lines, 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Nothing to prepare: the line stays in this process."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """A line that finds no room is dropped; how many were is said once there is room again."""
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            self.dropped += 1
            return
        if self.dropped and self._lines.qsize() < MOST // 2:
            number, self.dropped = self.dropped, 0
            logging.getLogger("quitbutton").warning("%d log lines were dropped: nobody took them", number)


def begin(style: str, level: str) -> QueueListener:
    """Send all that is logged in this process to standard error. The listener is stopped at the end."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(_Json() if style == "json" else _Text())
    lines: queue.Queue[logging.LogRecord] = queue.Queue(MOST)
    root = logging.getLogger()
    root.handlers[:] = [_Queue(lines)]
    root.setLevel(level.upper())
    listener = QueueListener(lines, out)
    listener.start()
    return listener
