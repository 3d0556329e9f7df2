"""Which server blocks listen where, so that a destination can be met again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.address import Address, Family
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem

DEFAULT = "*:80"
"""Where a server without `listen` listens, when nginx is started by root."""


@dataclass(frozen=True, slots=True)
class Listening:
    """One `listen` of one server block; `directive` is None for the default."""

    server: Context
    directive: Directive | None
    address: Address
    flags: frozenset[str]

    @property
    def is_tls(self) -> bool:
        """By its own parameter, or by the old directive `ssl on` of the server."""
        return "ssl" in self.flags or self.server.effective("ssl").value == "on"


class Reached:
    """The listens that accept a connection to one address; there may be thousands."""

    def __init__(self, listens: list[Listening]) -> None:
        self.by_server = {id(one.server): one for one in listens}
        tls = {one.is_tls for one in listens}
        self.is_tls = tls.pop() if len(tls) == 1 else None
        """Whether TLS is expected; None when nothing listens, or some do and some do not."""

    def __bool__(self) -> bool:
        return bool(self.by_server)


class Listeners:
    """The listening sockets of the http block."""

    def __init__(self, config: NginxConfig) -> None:
        self._by_address: dict[tuple[str, int], list[Listening]] = defaultdict(list)
        for context in config.main.descendants():
            if context.kind == "http server":
                for one in _of(context):
                    if one.address.port is not None and one.address.port_end is None:
                        host = one.address.canonical_host or ""
                        self._by_address[host, one.address.port].append(one)
        self._chosen: dict[tuple[str, int], Reached] = {}
        self._nothing = Reached([])

    def reached_by(self, address: Address) -> Reached:
        """The listens that accept a connection to an address of this very machine.

        nginx prefers a socket of exactly this address to one of all addresses. Empty when the
        address is not the machine's own for certain, or nothing here listens there.
        """
        host, port = address.canonical_host or "", address.port
        if port is None or not address.family.is_network:
            return self._nothing
        key = host, port
        if key not in self._chosen:
            self._chosen[key] = Reached(self._choose(address, port))
        return self._chosen[key]

    def _choose(self, address: Address, port: int) -> list[Listening]:
        host = "127.0.0.1" if address.canonical_host == "localhost" else address.canonical_host
        exact = self._by_address.get((host or "", port), [])
        if exact and not address.is_any:
            return exact
        if not address.is_loopback:
            return []
        if address.family is Family.IPV6:
            return self._by_address.get(("::", port), [])
        everywhere = self._by_address.get(("", port), [])
        return everywhere + self._by_address.get(("0.0.0.0", port), [])


def _of(server: Context) -> Iterator[Listening]:
    listens = server.own("listen")
    if not listens and server.is_complete:
        yield Listening(server, None, parse_listen_address(DEFAULT), frozenset())
    for directive in listens:
        if not directive.values:
            continue
        try:
            address = parse_listen_address(directive.values[0])
        except ValueProblem:
            continue
        yield Listening(server, directive, address, frozenset(directive.values[1:]))
