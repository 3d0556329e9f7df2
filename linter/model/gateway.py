"""A gateway in neutral terms: what an nginx and a HAProxy configuration have in common.

Both dialects fill this model, so that a rule about the way of a request from one proxy to the next
needs to know neither. Times are seconds, sizes bytes. Each value knows where it was said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gwlint.source import Span, Statement
from gwlint.syntax.values.address import Address

T = TypeVar("T")


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
    """An address on which requests come in."""

    statement: Statement
    address: Address
    is_tls: bool
    expects_proxy_protocol: bool


@dataclass(frozen=True, slots=True)
class Server:
    """An address to which requests go."""

    statement: Statement
    address: Address
    is_tls: bool
    is_backup: bool
    is_down: bool
    sends_proxy_protocol: bool
    is_checked: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """Servers among which requests are shared. `keepalive` is the number of idle connections kept
    to them, None when each request opens its own."""

    name: str
    statement: Statement
    servers: tuple[Server, ...]
    keepalive: Setting[int]


@dataclass(frozen=True, slots=True)
class Route:
    """From listeners to a pool: a location with a pass directive, or a frontend and a backend.

    `statement` is the pass directive, or the header of the backend. `is_upgraded`: it carries web
    sockets, so its timeouts are those of a tunnel.
    """

    statement: Statement
    listeners: tuple[Listener, ...]
    pool: Pool
    timeouts: Timeouts
    is_http: bool
    is_upgraded: bool


@dataclass(frozen=True, slots=True)
class Gateway:
    """One proxy configuration as a whole. `name` is the path of its first file."""

    dialect: str
    name: str
    routes: tuple[Route, ...] = field(default=())
