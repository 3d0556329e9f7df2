"""Everything that was read, and the hops by which a request goes from one proxy to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import PurePath
from typing import TYPE_CHECKING

from gwlint.model.facts import NO_FACTS, Facts
from gwlint.project.files import Project
from gwlint.syntax.version import Version

if TYPE_CHECKING:
    from gwlint.model.gateway import Gateway, Listener, Route, Server
    from gwlint.model.haproxy.config import HaproxyConfig
    from gwlint.model.nginx.config import NginxConfig


class Entrance:
    """One address on which a gateway listens, and the sites behind it.

    A site is what a single server block or frontend does: its routes. Which site a request
    reaches may depend on its host, which no address shows.
    """

    def __init__(self, gateway: Gateway, listener: Listener) -> None:
        self.gateway = gateway
        self.address = listener.address
        self.sites: dict[Listener, list[Route]] = {}

    @cached_property
    def slowest_route(self) -> Route | None:
        """The route with the longest response timeout of the least patient site.

        So whatever site a request reaches, it has a route at least as patient. Only routes count
        whose timeout is known for certain; web sockets are no requests that wait for an answer.
        """
        slowest = [
            max(known, key=_patience)
            for routes in self.sites.values()
            if (known := [route for route in routes if _has_known_patience(route)])
        ]
        return min(slowest, key=_patience) if slowest else None


def _patience(route: Route) -> float:
    return route.timeouts.response.value or 0.0


def _has_known_patience(route: Route) -> bool:
    response = route.timeouts.response
    return (
        route.is_http
        and not route.is_upgraded
        and response.is_certain
        and response.value is not None
    )


@dataclass(frozen=True, slots=True)
class Hop:
    """A server of an outer route is an entrance of another gateway."""

    gateway: Gateway
    route: Route
    server: Server
    entrance: Entrance


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
        self.nginx: list[NginxConfig] = []
        self.haproxy: list[HaproxyConfig] = []
        # Most runs read one dialect, and loading the other's model would double their time.
        if project.nginx_roots:
            from gwlint.model.nginx.config import NginxConfig

            self.nginx = [NginxConfig(root, target_nginx, facts) for root in project.nginx_roots]
        if project.haproxy_roots:
            from gwlint.model.haproxy.config import HaproxyConfig

            self.haproxy = [
                HaproxyConfig(root, target_haproxy, facts) for root in project.haproxy_roots
            ]

    @cached_property
    def gateways(self) -> list[Gateway]:
        from gwlint.model.haproxy.gateway import haproxy_gateway
        from gwlint.model.nginx.gateway import nginx_gateway

        return [
            *(nginx_gateway(config) for config in self.nginx),
            *(haproxy_gateway(config) for config in self.haproxy),
        ]

    @cached_property
    def hops(self) -> list[Hop]:
        """Every way from a route of one gateway to an entrance of another.

        Two gateways meet where a server address is a listen address. A listener on any address
        (`*:8080`) meets only servers on a loopback address: any other address could be another
        machine. Where several gateways have that address, the one in the nearest folder is meant,
        since one repository often holds many machines; between equally near ones nothing is said.
        """
        if len(self.nginx) + len(self.haproxy) < 2:
            return []
        return list(self._find_hops())

    def _find_hops(self) -> Iterator[Hop]:
        entrances = self._entrances()
        for gateway in self.gateways:
            for route in gateway.routes:
                for server in route.pool.servers:
                    place = server.address.path or server.address.port
                    found = [
                        entrance
                        for entrance in entrances.get(place or "", ())
                        if entrance.gateway is not gateway and _leads_to(server, entrance)
                    ]
                    for entrance in _nearest(gateway, found):
                        yield Hop(gateway, route, server, entrance)

    def _entrances(self) -> dict[str | int, list[Entrance]]:
        """All entrances by socket path or port."""
        found: dict[tuple[int, str | int, str | None], Entrance] = {}
        for gateway in self.gateways:
            for route in gateway.routes:
                for listener in route.listeners:
                    place = listener.address.path or listener.address.port
                    if place is None:
                        continue
                    key = (id(gateway), place, listener.address.canonical_host)
                    if key not in found:
                        found[key] = Entrance(gateway, listener)
                    found[key].sites.setdefault(listener, []).append(route)
        by_place: dict[str | int, list[Entrance]] = {}
        for (_, place, _), entrance in found.items():
            by_place.setdefault(place, []).append(entrance)
        return by_place


def _nearest(outer: Gateway, entrances: list[Entrance]) -> list[Entrance]:
    """The entrances of the gateway whose folder is nearest to that of `outer`, if it is one."""
    if not entrances:
        return []
    folder = PurePath(outer.name).parent.parts
    depths = [_shared(folder, PurePath(one.gateway.name).parent.parts) for one in entrances]
    nearest = [one for one, depth in zip(entrances, depths, strict=True) if depth == max(depths)]
    return nearest if len({id(one.gateway) for one in nearest}) == 1 else []


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many folders two paths share, from the first on."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _leads_to(server: Server, entrance: Entrance) -> bool:
    destination, bound = server.address, entrance.address
    if destination.path is not None or bound.path is not None:
        return destination.path == bound.path
    if destination.canonical_host is None or destination.is_any:
        return False
    if bound.is_any:
        return destination.is_loopback
    return destination.canonical_host == bound.canonical_host
