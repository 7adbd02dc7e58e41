"""A witness of the C2SP protocol as its specification says, over HTTP: it checks every proof and cosigns."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from quitbutton.audit.signer import is_signed_by
from quitbutton.core.audit.merkle import EMPTY, verify_consistency
from quitbutton.core.audit.signed_note import COSIGNATURE, DASH, Checkpoint, VerifierKey, opened


@dataclass
class Witness:
    """What it saw last of one log, and its answers."""

    log: VerifierKey
    name: str = "witness.example/w1"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    size: int = 0
    root: bytes = EMPTY
    newest: str = ""
    statuses: list[int] = field(default_factory=list)

    @property
    def key(self) -> VerifierKey:
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return VerifierKey(self.name, public, COSIGNATURE)

    def answer(self, body: str) -> tuple[int, str]:
        head, _, note = body.partition("\n\n")
        old, *proof = head.split("\n")
        try:
            text = opened(note, self.log, lambda signature, data: is_signed_by(self.log, signature, data))
        except ValueError:
            return 403, "not signed by the log\n"
        one, size = Checkpoint.read(text), int(old.removeprefix("old "))
        if size > one.size:
            return 400, "the old size is larger\n"
        if size != self.size:
            return 409, f"{self.size}\n"
        path = [base64.b64decode(line, validate=True) for line in proof]
        fits = not path if size == 0 else verify_consistency(size, one.size, self.root, one.root, path)
        if not fits or (one.size == 0 and one.root != EMPTY):
            return 422, "the proof does not verify\n"
        self.size, self.root = one.size, one.root
        at = 1_800_000_000 + one.size
        signature = self.private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        data = base64.b64encode(self.key.hash + at.to_bytes(8, "big") + signature).decode()
        line = f"{DASH} {self.name} {data}\n"
        self.newest = note + line
        return 200, f"{DASH} somebody.else/w2 {base64.b64encode(bytes(76)).decode()}\n" + line


class Server:
    """It serves `add-checkpoint` under a prefix."""

    def __init__(self, witness: Witness) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                given = self.rfile.read(int(self.headers["content-length"])).decode()
                status, body = witness.answer(given) if self.path == "/log/add-checkpoint" else (404, "")
                witness.statuses.append(status)
                self.send_response(status)
                self.send_header("content-length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/log/"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
