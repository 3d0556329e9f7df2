"""Everything that was read, and the hops by which a request goes from one proxy to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from gwlint.model.facts import NO_FACTS, Facts
from gwlint.model.gateway import Gateway, Listener, Route, Server
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.gateway import haproxy_gateway
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.gateway import nginx_gateway
from gwlint.project.files import Project
from gwlint.syntax.version import Version


@dataclass(frozen=True, slots=True)
class Hop:
    """`server` of the outer route is a listener of the inner gateway, whose routes go on."""

    outer_gateway: Gateway
    outer: Route
    server: Server
    inner_gateway: Gateway
    listener: Listener
    inner: Route


class Deployment:
    """All configurations of one run. Files that belong to none are in `project.files`."""

    def __init__(
        self,
        project: Project,
        target_nginx: Version | None,
        target_haproxy: Version | None,
        facts: Facts = NO_FACTS,
    ) -> None:
        self.project = project
        self.facts = facts
        self.nginx = [NginxConfig(root, target_nginx, facts) for root in project.nginx_roots]
        self.haproxy = [
            HaproxyConfig(root, target_haproxy, facts) for root in project.haproxy_roots
        ]

    @cached_property
    def gateways(self) -> list[Gateway]:
        return [
            *(nginx_gateway(config) for config in self.nginx),
            *(haproxy_gateway(config) for config in self.haproxy),
        ]

    @cached_property
    def hops(self) -> list[Hop]:
        """Every way from a route of one gateway into a route of another.

        Two gateways meet where a server address is a listen address. A listener on any address
        (`*:8080`) meets only servers on a loopback address: any other address could be another
        machine.
        """
        return list(self._find_hops())

    def _find_hops(self) -> Iterator[Hop]:
        inward: dict[int | str, list[tuple[Gateway, Listener, Route]]] = {}
        for gateway in self.gateways:
            for route in gateway.routes:
                for listener in route.listeners:
                    key = listener.address.path or listener.address.port
                    if key is not None:
                        inward.setdefault(key, []).append((gateway, listener, route))
        for gateway in self.gateways:
            for outer in gateway.routes:
                for server in outer.pool.servers:
                    key = server.address.path or server.address.port
                    for inner_gateway, listener, inner in inward.get(key or "", ()):
                        if inner_gateway is not gateway and _meets(server, listener):
                            yield Hop(gateway, outer, server, inner_gateway, listener, inner)


def _meets(server: Server, listener: Listener) -> bool:
    destination, bound = server.address, listener.address
    if destination.path is not None or bound.path is not None:
        return destination.path == bound.path
    if destination.canonical_host is None or destination.is_any:
        return False
    if bound.is_any:
        return destination.is_loopback
    return destination.canonical_host == bound.canonical_host
