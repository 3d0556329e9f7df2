"""Clients: plain requests over sockets, each with a limit of time, and what became of them."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from servers.ports import LOOPBACK
from servers.wire import Headers, TruncatedError, Wire, header

TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Reply:
    """What a client saw of one request.

    `outcome` is "answered", or what came instead: "truncated" (the body ended early), "eof",
    "reset", "refused", "timeout". `status` is None when no status line came.
    """

    outcome: str
    status: int | None = None
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    seconds: float = 0

    def header(self, name: str) -> str:
        return header(self.headers, name)

    @property
    def result(self) -> int | str:
        """The status of a whole answer, else the outcome: 502, "eof"."""
        return self.status if self.status and self.outcome == "answered" else self.outcome


def tally(replies: Iterable[Reply]) -> dict[int | str, int]:
    """How often each result came: {200: 18, 502: 2}."""
    return dict(Counter(reply.result for reply in replies))


class Session:
    """One client connection, kept alive over several requests; closed by `close` or `with`."""

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self.host = host
        self.port = port
        self._wire: Wire | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        if self._wire is not None:
            self._wire.socket.close()
            self._wire = None

    def get(
        self,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Reply:
        return self.request("GET", path, headers, timeout=timeout)

    def post(
        self,
        path: str = "/",
        body: bytes = b"data",
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Reply:
        return self.request("POST", path, headers, body, timeout)

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Reply:
        """Send one request and read its answer, all within `timeout` seconds.

        A connection that ended without an answer is not opened again: the next request of the
        session opens a new one, as a browser would.
        """
        begin = time.monotonic()
        answer = self._exchange(_message(method, path, headers, body), begin + timeout)
        reply = Reply(*answer, seconds=time.monotonic() - begin)
        if reply.outcome != "answered" or "close" in reply.header("Connection").lower():
            self.close()
        return reply

    def _exchange(self, message: bytes, deadline: float) -> tuple[str, int | None, Headers, bytes]:
        status: int | None = None
        headers: Headers = []
        try:
            wire = self._connected(deadline)
            wire.send(message)
            line, headers = wire.head(deadline)
            status = int(line.split(" ")[1])
            return "answered", status, headers, _body(wire, status, headers, deadline)
        except TruncatedError as cut:
            if status is not None:
                return "truncated", status, headers, cut.data
            return "eof", None, [], cut.data
        except TimeoutError:
            return "timeout", status, headers, b""
        except ConnectionRefusedError:
            return "refused", None, [], b""
        except ConnectionError:
            return "reset", status, headers, b""

    def _connected(self, deadline: float) -> Wire:
        if self._wire is None:
            left = max(deadline - time.monotonic(), 0.001)
            self._wire = Wire(socket.create_connection((self.host, self.port), left))
        return self._wire


def _message(
    method: str, path: str, headers: Mapping[str, str] | None, body: bytes | None
) -> bytes:
    sent = {"Host": "test.example", **(headers or {})}
    if body is not None:
        sent["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def _body(wire: Wire, status: int, headers: Headers, deadline: float) -> bytes:
    if status in (101, 204, 304):
        return b""
    if header(headers, "Transfer-Encoding").lower() == "chunked":
        return wire.chunked(deadline)
    length = header(headers, "Content-Length")
    return wire.exactly(int(length), deadline) if length else wire.to_end(deadline)


def get(
    port: int,
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Reply:
    """GET over a connection of its own."""
    with Session(port) as session:
        return session.get(path, headers, timeout)


def post(
    port: int,
    path: str = "/",
    body: bytes = b"data",
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Reply:
    """POST over a connection of its own. Give X-Request-Id for the origin to tell duplicates."""
    with Session(port) as session:
        return session.post(path, body, headers, timeout)


def several(count: int, call: Callable[[int], Reply]) -> list[Reply]:
    """`call(0)` to `call(count - 1)`, one after the other."""
    return [call(number) for number in range(count)]


def together(count: int, call: Callable[[int], Reply]) -> list[Reply]:
    """`call(0)` to `call(count - 1)` at the same time, each in a thread (at most 64)."""
    if count > 64:
        raise ValueError("at most 64 requests at a time")
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


class Upgraded:
    """A web socket's connection after the handshake; `status` is 101 if it came about."""

    def __init__(self, wire: Wire, status: int) -> None:
        self._wire = wire
        self.status = status

    def echoes(self, data: bytes = b"ping", timeout: float = 2.0) -> bool:
        """Whether bytes sent come back, so that the connection is alive end to end."""
        try:
            self._wire.send(data)
            return self._wire.exactly(len(data), time.monotonic() + timeout) == data
        except (TruncatedError, OSError):
            return False


@contextmanager
def websocket(port: int, path: str = "/") -> Iterator[Upgraded]:
    """Ask for a web socket (RFC 6455, section 4.1)."""
    wanted = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAECAwQFBgcICQoLDA0ODw==",
    }
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with socket.create_connection((LOOPBACK, port), TIMEOUT_SECONDS) as connected:
        wire = Wire(connected)
        wire.send(_message("GET", path, wanted, None))
        line, _ = wire.head(deadline)
        yield Upgraded(wire, int(line.split(" ")[1]))


def drip(port: int, seconds: float, interval: float = 0.2) -> Reply:
    """Send request headers that never end, one every `interval` seconds, for `seconds`.

    "timeout" when the server still listens after that; else what it answered, or how it closed.
    """
    begin = time.monotonic()
    with socket.create_connection((LOOPBACK, port), TIMEOUT_SECONDS) as connected:
        wire = Wire(connected)
        try:
            wire.send(b"GET / HTTP/1.1\r\n")
            while (now := time.monotonic()) < begin + seconds:
                wire.send(b"X-Drip: 1\r\n")
                try:
                    line, headers = wire.head(now + interval)
                except TimeoutError:
                    continue
                status = int(line.split(" ")[1])
                return Reply("answered", status, headers, seconds=time.monotonic() - begin)
        except TruncatedError:
            return Reply("eof", seconds=time.monotonic() - begin)
        except ConnectionError:
            return Reply("reset", seconds=time.monotonic() - begin)
    return Reply("timeout", seconds=time.monotonic() - begin)
