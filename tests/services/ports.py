"""
Finds a free port on loopback.
"""

import secrets
import socket
from contextlib import suppress

# Below what systems lend to connections that go out, so that no client of a test sits on the port by chance.
FIRST_PORT = 20_000
LAST_PORT = 31_999
ATTEMPTS_MAX = 100


def free_port() -> int:
    """
    A port nobody listens on now, drawn afresh each time, so that two runs side by side seldom ask for the same.

    Somebody may still take it before you do: where you can, be ready to ask again.
    """
    for _ in range(ATTEMPTS_MAX):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port on 127.0.0.1 from {FIRST_PORT} to {LAST_PORT}")
