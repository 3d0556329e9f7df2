"""Origin servers that misbehave on purpose, and remember what reached them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from servers.ports import LOOPBACK, listener
from servers.wire import Headers, TruncatedError, Wire, header

LONGEST_SECONDS = 30.0
"""No connection of an origin lives longer."""

WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


@dataclass(frozen=True)
class Request:
    """A request as the origin read it. `connection` counts the connections from 1."""

    method: str
    path: str
    version: str
    headers: Headers
    body: bytes
    connection: int

    def header(self, name: str) -> str:
        return header(self.headers, name)

    @property
    def keeps_alive(self) -> bool:
        """Whether the client lets the connection live on (RFC 9112, section 9.3)."""
        connection = self.header("Connection").lower()
        if self.version == "HTTP/1.0":
            return "keep-alive" in connection
        return "close" not in connection


@dataclass(frozen=True)
class Answer:
    """What the origin sends. Times are seconds.

    `delay` passes before the status line, `pause` between the parts of the body. `promised` is
    the Content-Length when it is to differ from the truth. `close` ends the connection after it.
    """

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    parts: Sequence[bytes] = (b"ok\n",)
    delay: float = 0
    pause: float = 0
    promised: int | None = None
    close: bool = False


@dataclass(frozen=True)
class Hangup:
    """Close without answering, `delay` seconds after the request; `reset` sends an RST."""

    delay: float = 0
    reset: bool = False


@dataclass(frozen=True)
class WebSocket:
    """Accept an upgrade and then echo every byte; 426 for a request that asks for none."""


Behaviour = Answer | Hangup | WebSocket
Behaviours = Behaviour | Callable[[Request], Behaviour]


def padding(size: int) -> list[tuple[str, str]]:
    """Response headers of `size` bytes: one cookie, as a session token would be."""
    fixed = len("Set-Cookie: c=\r\n")
    return [("Set-Cookie", "c=" + "x" * (size - fixed))]


@dataclass
class Seen:
    """What reached an origin so far."""

    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    answered: int = 0
    """Answers sent to the end."""

    @property
    def duplicates(self) -> int:
        """Requests that came again, told by their X-Request-Id."""
        names = Counter(request.header("X-Request-Id") for request in self.requests)
        return sum(count - 1 for name, count in names.items() if name)

    def count(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)


class Origin:
    """An HTTP/1 server on a loopback port of its own, for use in `with`.

    `behaviour` is one for all requests, or a function that chooses one. `idle` closes a kept-alive
    connection that long after its last answer. Real servers decide to close a moment before the
    other side learns of it; `lag` makes that moment long enough to hit: within it a request is
    neither read nor answered, and then the connection is reset.
    """

    def __init__(
        self,
        behaviour: Behaviours = Answer(),
        *,
        idle: float = LONGEST_SECONDS,
        lag: float = 0,
        host: str = LOOPBACK,
        port: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.behaviour = behaviour
        self.idle = idle
        self.lag = lag
        self.host = host
        self.tls = tls
        self.seen = Seen()
        self._listener = listener(host, port)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connected in self._open:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(timeout=2)

    def forget(self) -> None:
        """Begin to count anew: between the faulty and the corrected proxy."""
        self.seen = Seen()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._connection, connected)

    def _connection(self, connected: socket.socket) -> None:
        with self._lock:
            self._open.add(connected)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls is not None:
                connected.settimeout(5)
                connected = self._secured(connected, self.tls)
            with self._lock:
                self.seen.connections += 1
                number = self.seen.connections
            self._serve(Wire(connected), number)
        except (OSError, TruncatedError, ValueError):
            pass  # the proxy went away or spoke no HTTP: nothing to answer
        finally:
            with self._lock:
                self._open.discard(connected)
            connected.close()

    def _secured(self, plain: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        secured = tls.wrap_socket(plain, server_side=True)
        with self._lock:
            self._open.discard(plain)
            self._open.add(secured)
        return secured

    def _serve(self, wire: Wire, number: int) -> None:
        end = time.monotonic() + LONGEST_SECONDS
        limit = end
        while True:
            try:
                request = self._read(wire, number, limit)
            except TimeoutError:
                self._stopping.wait(self.lag)
                return
            with self._lock:
                self.seen.requests.append(request)
            chosen = self.behaviour
            behaviour = chosen(request) if callable(chosen) else chosen
            if not self._act(wire, request, behaviour):
                return
            limit = min(end, time.monotonic() + self.idle)

    def _read(self, wire: Wire, number: int, limit: float) -> Request:
        first, headers = wire.head(limit)
        method, path, version = first.split(" ")
        end = time.monotonic() + LONGEST_SECONDS
        if header(headers, "Transfer-Encoding").lower() == "chunked":
            body = wire.chunked(end)
        else:
            body = wire.exactly(int(header(headers, "Content-Length") or 0), end)
        return Request(method, path, version, headers, body, number)

    def _act(self, wire: Wire, request: Request, behaviour: Behaviour) -> bool:
        """Carry out a behaviour; whether the connection goes on."""
        match behaviour:
            case Hangup():
                self._stopping.wait(behaviour.delay)
                if behaviour.reset:
                    # Closing with a linger time of zero resets the connection (socket(7)).
                    wire.socket.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                return False
            case WebSocket() if request.header("Upgrade").lower() == "websocket":
                self._echo(wire, request)
                return False
            case WebSocket():
                return self._answer(wire, request, Answer(status=426))
            case Answer():
                return self._answer(wire, request, behaviour)

    def _answer(self, wire: Wire, request: Request, answer: Answer) -> bool:
        true_length = sum(map(len, answer.parts))
        length = true_length if answer.promised is None else answer.promised
        goes_on = request.keeps_alive and not answer.close and length == true_length
        lines = [
            f"HTTP/1.1 {answer.status} X",
            f"Content-Length: {length}",
            f"Connection: {'keep-alive' if goes_on else 'close'}",
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        if self._stopping.wait(answer.delay):
            return False
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        for position, part in enumerate(answer.parts):
            if position and self._stopping.wait(answer.pause):
                return False
            wire.send(head + part)
            head = b""
        wire.send(head)
        with self._lock:
            self.seen.answered += 1
        return goes_on

    def _echo(self, wire: Wire, request: Request) -> None:
        key = request.header("Sec-WebSocket-Key").encode("latin-1")
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest()).decode()
        wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        end = time.monotonic() + LONGEST_SECONDS
        while data := wire.receive(end):
            wire.send(data)


@contextmanager
def black_hole(host: str = LOOPBACK) -> Iterator[int]:
    """A port whose connections are never accepted nor refused, as behind a dropping firewall.

    The queue of a listening socket that nobody accepts from is filled; Linux then drops further
    SYNs (listen(2)). Yields the port. RuntimeError if the system does answer.
    """
    full = listener(host, backlog=0)
    port: int = full.getsockname()[1]
    fillers: list[socket.socket] = []
    try:
        for _ in range(8):
            filler = socket.socket()
            fillers.append(filler)
            filler.settimeout(0.1)
            try:
                filler.connect((host, port))
            except TimeoutError:
                break
        else:
            raise RuntimeError("this system goes on accepting: no black hole")
        yield port
    finally:
        for filler in fillers:
            filler.close()
        full.close()
