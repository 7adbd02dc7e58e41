"""Where the gateway listens."""

from __future__ import annotations

import socket

from quitbutton.core.errors import SettingsError


def socket_at(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address. Raises `SettingsError` where somebody else has it."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --port."
        ) from error
    sock.set_inheritable(True)
    return sock
