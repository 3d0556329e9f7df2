"""The spec of a gateway, as read: what the YAML says, defaults filled in, for either proxy.

Times are milliseconds, sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gwlint.source import Position


@dataclass(frozen=True, slots=True)
class Target:
    """The versions of the servers that will read the result."""

    nginx: str = "1.26.3"
    haproxy: str = "3.0.11"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that clients connect to. `address` is an IP address, or * for every IPv4 address."""

    port: int
    address: str
    https: bool
    redirect: bool
    """Answer every request with a redirect to https. Only without https."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A PEM file with the chain, and one with the key; `key` is None when the first has both."""

    certificate: str
    key: str | None
    key_place: Position


@dataclass(frozen=True, slots=True)
class Tls:
    """Mozilla's guideline 6.0: profile intermediate or modern."""

    profile: str
    certificate: Certificate
    hsts: int
    """How long browsers insist on https, in milliseconds; 0 for no such header."""
    post_quantum: bool
    """Offer X25519MLKEM768 too: with OpenSSL below 3.5 the server would not start."""


@dataclass(frozen=True, slots=True)
class Route:
    """Requests below `path` go to `pool`. /api is /api itself and all below /api/."""

    path: str
    pool: str
    websocket: bool
    limit: str | None
    body: int | None
    """The largest request body, where it differs from the gateway's."""


@dataclass(frozen=True, slots=True)
class Site:
    """Host names and where their requests go."""

    name: str
    hosts: tuple[str, ...]
    routes: tuple[Route, ...]
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Server:
    """One application server."""

    host: str
    port: int
    weight: int
    backup: bool
    connections: int | None
    """How many requests it takes at once; None for any number."""
    place: Position

    @property
    def address(self) -> str:
        """host:port, IPv6 in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Idle connections kept to the servers: how many, and for how long."""

    connections: int
    idle: int


@dataclass(frozen=True, slots=True)
class Health:
    """When a server is taken out, and put back.

    nginx counts failed requests: `failures` of them within `pause` take it out for `pause`.
    HAProxy asks for `path` at every `interval`: `failures` bad answers in a row take it out,
    `recoveries` good ones put it back.
    """

    failures: int
    pause: int
    path: str | None
    host: str | None
    interval: int
    timeout: int
    recoveries: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Servers that can answer the same requests."""

    name: str
    servers: tuple[Server, ...]
    algorithm: str
    keep_alive: KeepAlive
    health: Health
    connect: int
    response: int


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the gateway waits for clients, and, unless a pool says otherwise, for servers."""

    request_header: int
    request_body: int
    send: int
    client_idle: int
    connect: int
    response: int
    queue: int
    websocket: int
    shutdown: int


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request that may be repeated is tried in all, and within which time."""

    attempts: int
    within: int


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """How many requests one client address may send: `rate` per second (s) or minute (m), and
    `burst` at once on top."""

    name: str
    rate: int
    unit: str
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of what clients and servers may send."""

    body: int
    request_header: int
    response_header: int


@dataclass(frozen=True, slots=True)
class Logging:
    """Where logs go: "local" (nginx: files in `folder`, HAProxy: /dev/log), "stdout", or the
    HOST:PORT of a syslog server."""

    to: str
    folder: str
    level: str


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes: how many, for how many client connections at once, as whom."""

    processes: int | None
    clients: int
    user: str | None
    group: str | None
    chroot: str | None


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """All of it."""

    target: Target
    listeners: tuple[Listener, ...]
    tls: Tls | None
    sites: tuple[Site, ...]
    pools: tuple[Pool, ...]
    timeouts: Timeouts
    retries: Retries
    limits: Limits
    request_limits: tuple[RequestLimit, ...]
    resolvers: tuple[str, ...]
    """DNS servers that look names of servers up again while the gateway runs."""
    logging: Logging
    workers: Workers
    places: dict[str, Position] = field(default_factory=dict)
    """Where the value of each top-level key begins, for what is checked later."""
