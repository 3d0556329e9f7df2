"""HTTP/1 as bytes on a socket, read within a limit of time. Clients and origins share it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable

Headers = list[tuple[str, str]]


class TruncatedError(Exception):
    """The peer closed in the middle of a message; `data` is what came of the part being read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"closed after {len(data)} bytes")
        self.data = data


class Wire:
    """A connected socket with the bytes read ahead.

    Every method that reads takes `deadline`, a `time.monotonic()` value, and raises TimeoutError
    when it passes, ConnectionError on a reset.
    """

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.ahead = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, deadline: float) -> bytes:
        """Some bytes; empty when the peer closed."""
        if self.ahead:
            data, self.ahead = self.ahead, b""
            return data
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        return self.socket.recv(65536)

    def until(self, mark: bytes, deadline: float) -> bytes:
        """The bytes before `mark`, which is taken too. TruncatedError if it never comes."""
        data = b""
        while mark not in data:
            more = self.receive(deadline)
            if not more:
                raise TruncatedError(data)
            data += more
        found, _, self.ahead = data.partition(mark)
        return found

    def exactly(self, count: int, deadline: float) -> bytes:
        data = b""
        while len(data) < count:
            more = self.receive(deadline)
            if not more:
                raise TruncatedError(data)
            data += more
        data, self.ahead = data[:count], data[count:]
        return data

    def to_end(self, deadline: float) -> bytes:
        data = b""
        while more := self.receive(deadline):
            data += more
        return data

    def chunked(self, deadline: float) -> bytes:
        """A body in chunks (RFC 9112, section 7.1); trailers are read and dropped."""
        data = b""
        try:
            while size := int(self.until(b"\r\n", deadline).split(b";")[0], 16):
                data += self.exactly(size + 2, deadline)[:-2]
            while self.until(b"\r\n", deadline):
                pass
        except TruncatedError as cut:
            raise TruncatedError(data + cut.data) from cut
        return data

    def head(self, deadline: float) -> tuple[str, Headers]:
        """The first line of a message, and its headers."""
        first, *rest = self.until(b"\r\n\r\n", deadline).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in rest)
        return first, [(name, value.strip()) for name, _, value in pairs]


def header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The value of the first header of this name, in any case of letters; else empty."""
    return next((value for key, value in headers if key.lower() == name.lower()), "")
