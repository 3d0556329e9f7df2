"""Listening sockets of the http block, with the servers that share each of them.

Until a request has said for which host it is, the default server of its socket counts: the one
with `default_server`, else the first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem

UNWRITTEN = "*:80"
"""Where a server without `listen` listens, when nginx is started by root."""


@dataclass(frozen=True, slots=True)
class Listen:
    """One `listen` of one server block; `directive` is None where none is written."""

    server: Context
    directive: Directive | None
    address: Address

    @property
    def flags(self) -> list[str]:
        return [] if self.directive is None else self.directive.values[1:]

    @property
    def is_default(self) -> bool:
        """Whether it says that it is the default; `default` is the old spelling."""
        return "default_server" in self.flags or "default" in self.flags

    @property
    def is_tls(self) -> bool:
        return "ssl" in self.flags or "quic" in self.flags

    @property
    def text(self) -> str:
        """The address as it is written."""
        return UNWRITTEN if self.directive is None else self.directive.values[0]


@dataclass(slots=True)
class Socket:
    """One address and port, and who listens there, in order."""

    listens: list[Listen] = field(default_factory=list)

    @property
    def default(self) -> Listen:
        return next((one for one in self.listens if one.is_default), self.listens[0])

    @property
    def is_tls(self) -> bool:
        """Whether one server there asks for TLS, which then holds for all of them."""
        return any(one.is_tls for one in self.listens)


def sockets_of(config: NginxConfig) -> list[Socket]:
    """The sockets in order. Servers whose address cannot be read are left out."""
    found: dict[Hashable, Socket] = {}
    for context in config.main.descendants():
        if context.kind == "http server" and context.parent and context.parent.kind == "http":
            for listen in _listens(context):
                found.setdefault(_key(listen), Socket()).listens.append(listen)
    return list(found.values())


def servers_are_known(config: NginxConfig) -> bool:
    """Whether no file that could not be read may hold another server, or another `listen`."""
    return config.main.is_complete and all(
        context.is_complete
        for context in config.main.descendants()
        if context.kind in ("http", "http server")
    )


def _listens(server: Context) -> Iterator[Listen]:
    written = server.own("listen")
    if not written and server.is_complete:
        yield Listen(server, None, parse_listen_address(UNWRITTEN))
    for directive in written:
        if not directive.values:
            continue
        try:
            address = parse_listen_address(directive.values[0])
        except ValueProblem:
            continue
        yield Listen(server, directive, address)


def _key(listen: Listen) -> Hashable:
    address = listen.address
    host = address.canonical_host or "0.0.0.0"
    return address.path or host, address.port, address.port_end, "quic" in listen.flags
