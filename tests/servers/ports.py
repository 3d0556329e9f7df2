"""Free loopback ports that two test processes never take from one another."""

from __future__ import annotations

import os
import socket
from collections import deque

LOOPBACK = "127.0.0.1"

_held: deque[socket.socket] = deque(maxlen=200)


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens, and which this process keeps for a while.

    A port that was only found free is anyone's again. So its UDP twin stays bound: every process
    that uses this function asks for the twin too, and the system gives it out once. The twins of
    the last 200 ports are held, and end with the process.
    """
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        twin = socket.socket(type=socket.SOCK_DGRAM)
        try:
            twin.bind((LOOPBACK, port))
        except OSError:
            twin.close()
            continue
        _held.append(twin)
        return port


def own_host() -> str:
    """A loopback address that no other test process takes, for ports that cannot be chosen."""
    number = os.getpid()
    return f"127.{1 + (number >> 16) % 250}.{number >> 8 & 255}.{number & 255 or 1}"


def listener(host: str = LOOPBACK, port: int | None = None, backlog: int = 128) -> socket.socket:
    """A listening TCP socket, on a free port unless one is given."""
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, free_port() if port is None else port))
        listening.listen(backlog)
    except OSError:
        listening.close()
        raise
    return listening
