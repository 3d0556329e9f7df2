"""A gateway in neutral terms: what an nginx and a HAProxy configuration have in common.

Both dialects fill this model, so that a rule about the way of a request from one proxy to the next
needs to know neither. Times are seconds, sizes bytes. Each value knows where it was said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from gwlint.source import Span, Statement
from gwlint.syntax.values.address import Address

T = TypeVar("T")

HTTP1 = "http1"
H2 = "h2"
NEGOTIATED = "http"
"""HTTP/1 or HTTP/2, as the TLS handshake decides (ALPN)."""
TCP = "tcp"
"""Whatever the client speaks: the proxy passes bytes on."""

HTTP_VERSIONS = frozenset({HTTP1, H2, NEGOTIATED})


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and its origin. `statement` is None for a default; `value` is None for "without
    limit" or "off". `is_certain` is False when something not read might say otherwise."""

    value: T | None
    statement: Statement | None
    is_certain: bool

    @property
    def span(self) -> Span | None:
        return None if self.statement is None else self.statement.span


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect`: to reach a server; `response`: between two reads of its answer (nginx
    read_timeout, HAProxy timeout server)."""

    connect: Setting[float]
    response: Setting[float]


@dataclass(frozen=True, slots=True)
class Listener:
    """An address on which requests come in.

    `protocols` are what it understands, of HTTP1, H2 and TCP; empty when that hangs on the version
    of the server. `idle` is how long it keeps a connection on which no request comes; its value is
    0 when each connection serves one request. `is_certain` is False when a condition, a variable or
    a file that was not read decides how it listens.
    """

    statement: Statement
    address: Address
    is_tls: bool
    expects_proxy_protocol: bool
    protocols: frozenset[str]
    idle: Setting[float]
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Server:
    """An address to which requests go.

    `address_span` is where the address is written. `protocol` is what is spoken there: HTTP1, H2,
    NEGOTIATED, TCP, or the name of another protocol such as "fastcgi". `idle` is how long an idle
    connection to it is kept for the next request, its value 0 when none is. `is_certain` is False
    when a condition or a variable decides how it is spoken to.
    """

    statement: Statement
    address: Address
    address_span: Span
    protocol: str
    is_tls: bool
    is_backup: bool
    is_down: bool
    sends_proxy_protocol: bool
    is_checked: bool
    idle: Setting[float]
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """Servers among which requests are shared. `keepalive` is the number of idle connections kept
    to them, None when each request opens its own. Routes that lead to one upstream in the same way
    share the pool."""

    name: str
    statement: Statement
    servers: tuple[Server, ...]
    keepalive: Setting[int]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent on in all, and why again.

    `after_sending`: whether one that the server may have begun to work on is sent again, as when
    no answer came in time.
    """

    tries: int
    after_sending: bool
    statement: Statement | None
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Route:
    """From listeners to a pool: a location with a pass directive, or a frontend and a backend.

    `statement` is the pass directive, or the header of the backend. `is_upgraded`: it carries web
    sockets, so its timeouts are those of a tunnel. `body_limit` is the largest request body that is
    taken, `header_limit` the largest response header. No listeners: which ones lead here is not
    known.
    """

    statement: Statement
    listeners: tuple[Listener, ...]
    pool: Pool
    timeouts: Timeouts
    is_http: bool
    is_upgraded: bool
    body_limit: Setting[int]
    header_limit: Setting[int]
    retries: Retries


@dataclass(frozen=True)
class Gateway:
    """One proxy configuration as a whole. `name` is the path of its first file.

    `listeners` are all of them, also those without a route: a site may answer by itself.
    """

    dialect: str
    name: str
    routes: tuple[Route, ...] = field(default=())
    listeners: tuple[Listener, ...] = field(default=())

    @cached_property
    def pools(self) -> list[tuple[Pool, tuple[Route, ...]]]:
        """Each pool with the routes that lead there."""
        found: dict[int, tuple[Pool, list[Route]]] = {}
        for route in self.routes:
            found.setdefault(id(route.pool), (route.pool, []))[1].append(route)
        return [(pool, tuple(routes)) for pool, routes in found.values()]
