"""Free loopback ports that stay ours while a server is down."""

import secrets
import socket

LOOPBACK = "127.0.0.1"

# Below every usual ephemeral range (Linux 32768+, macOS 49152+). Inside it, a client that retries a loopback port while
# its server is down can be given that very port as its own, connect to itself, and keep the server from binding again.
_FIRST, _LAST = 15_000, 32_000
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now (a finished connection's TIME_WAIT is no obstacle)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a random port nobody listens on; random, so that test workers side by side seldom collide."""
    for _ in range(_ATTEMPTS):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if is_free(port):
            return port
    message = f"no free port between {_FIRST} and {_LAST} in {_ATTEMPTS} attempts"
    raise OSError(message)
