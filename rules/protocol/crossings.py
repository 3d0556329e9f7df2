"""What is spoken to a server, beside what the other side of the connection expects.

The other side is a listener of another configuration, or an application that gwlint.yaml describes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gwlint.model.deployment import Delivery, Deployment, Hop
from gwlint.model.gateway import H2, HTTP1, NEGOTIATED, TCP, Pool, Route, Server
from gwlint.rule import Label
from gwlint.source import Span, Statement
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.parameters import Parameter
from gwlint.syntax.values.server_line import parse_server

_SPOKEN: Mapping[str, frozenset[str]] = {
    "http1": frozenset({HTTP1, NEGOTIATED}),
    "h2c": frozenset({H2}),
    "https": frozenset({HTTP1, H2, NEGOTIATED}),
    "fastcgi": frozenset({"fastcgi"}),
    "uwsgi": frozenset({"uwsgi"}),
    "grpc": frozenset({H2, NEGOTIATED}),
}
"""What a service of gwlint.yaml understands, by its `protocol`."""

_BY_TLS: Mapping[str, bool] = {
    "http1": False,
    "h2c": False,
    "https": True,
    "fastcgi": False,
    "uwsgi": False,
}
"""Whether it expects TLS. gRPC goes both ways."""


@dataclass(frozen=True, slots=True)
class FarSide:
    """What a server expects; None, or no protocols, where that is not known.

    `name` begins a sentence: "nginx", or 'service "api"'. `tls_name` is the name of its
    certificate. `listener` is where a configuration of this run says so.
    """

    name: str
    is_tls: bool | None
    proxy_protocol: bool | None
    protocols: frozenset[str]
    tls_name: str | None
    listener: Span | None

    def label(self, text: str) -> tuple[Label, ...]:
        return () if self.listener is None else (Label(self.listener, text),)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A server, the routes that lead to it, and what it expects."""

    dialect: str
    pool: Pool
    routes: tuple[Route, ...]
    server: Server
    far: FarSide


def crossings(deployment: Deployment) -> Iterator[Crossing]:
    """Every server of which both sides are known; those that take no traffic are left out."""
    for hop in deployment.hops:
        if hop.server.is_certain and not hop.server.is_down:
            yield Crossing(hop.gateway.dialect, hop.pool, hop.routes, hop.server, _of_gateway(hop))
    for delivery in deployment.deliveries:
        if delivery.server.is_certain and not delivery.server.is_down:
            yield Crossing(
                delivery.gateway.dialect,
                delivery.pool,
                delivery.routes,
                delivery.server,
                _of_service(delivery),
            )


def _of_gateway(hop: Hop) -> FarSide:
    entrance = hop.entrance
    protocols = entrance.protocols
    if protocols and entrance.is_tls and TCP not in protocols:
        protocols |= {NEGOTIATED}
    passes_bytes = TCP in protocols
    return FarSide(
        name=entrance.gateway.dialect,
        # What passes through a TCP proxy may be TLS or a PROXY header for the one behind it.
        is_tls=entrance.is_tls or (None if passes_bytes else entrance.is_tls),
        proxy_protocol=entrance.expects_proxy_protocol
        or (None if passes_bytes else entrance.expects_proxy_protocol),
        protocols=frozenset() if passes_bytes else protocols,
        tls_name=None,
        listener=entrance.listener.statement.span,
    )


def _of_service(delivery: Delivery) -> FarSide:
    service = delivery.service
    protocol = service.protocol or ""
    return FarSide(
        name=f'service "{service.name}"',
        is_tls=_BY_TLS.get(protocol),
        proxy_protocol=service.proxy_protocol,
        protocols=_SPOKEN.get(protocol, frozenset()),
        tls_name=service.tls_name,
        listener=None,
    )


def speaking(
    wrong: Iterator[Crossing],
) -> Iterator[tuple[Crossing, list[Statement]]]:
    """Each crossing with the lines that decide how the server is spoken to: its own server line,
    or the pass directives of nginx, which speak to all servers of an upstream alike and so are
    given once."""
    said: set[int] = set()
    for crossing in wrong:
        if isinstance(crossing.server.statement, Line):
            yield crossing, [crossing.server.statement]
        elif id(crossing.pool) not in said:
            said.add(id(crossing.pool))
            passes = {id(one.statement): one.statement for one in crossing.routes}
            yield crossing, list(passes.values())


def others_agree(deployment: Deployment, crossing: Crossing) -> bool:
    """Whether all servers of the pool are known to expect what this one does."""
    here = deployment.facts.at(crossing.server.address)
    return all(
        other is crossing.server
        or (
            here is not None
            and (service := deployment.facts.at(other.address)) is not None
            and service.protocol == here.protocol
        )
        for other in crossing.pool.servers
    )


def server_place(crossing: Crossing, speaker: Statement) -> tuple[Label, ...]:
    """A label for the server where it does not stand in the line that speaks to it."""
    if crossing.server.statement is speaker:
        return ()
    return (Label(crossing.server.address_span, "the server"),)


def own_parameter(line: Line, *names: str) -> Parameter | None:
    """The parameter of one of these names on a server line itself; None when it is inherited."""
    parsed = parse_server(line)
    return next((one for name in names if (one := parsed.last(name)) is not None), None)


def destination(directive: Directive) -> Word:
    """The argument of a pass directive."""
    return directive.words[1]
