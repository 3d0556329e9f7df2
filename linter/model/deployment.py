"""Everything that was read, and the hops by which a request goes from one proxy to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import PurePath
from typing import TYPE_CHECKING

from gwlint.model.facts import NO_FACTS, Facts, Service
from gwlint.project.files import Project
from gwlint.syntax.values.address import Family
from gwlint.syntax.version import Version

if TYPE_CHECKING:
    from gwlint.model.gateway import Gateway, Listener, Pool, Route, Server
    from gwlint.model.haproxy.config import HaproxyConfig
    from gwlint.model.nginx.config import NginxConfig
    from gwlint.model.nginx.passes import Pass
    from gwlint.syntax.nginx.tree import Directive
    from gwlint.syntax.values.address import Address


_ANY = "*"
"""Stands for all addresses of a machine."""


class Entrance:
    """One address on which a gateway listens, and the sites behind it.

    A site is what a single server block or frontend does: its routes. Which site a request
    reaches may depend on its host, which no address shows. How the address is spoken to holds for
    all of its listeners: nginx takes `ssl`, `http2` and `proxy_protocol` for the whole socket.
    """

    def __init__(self, gateway: Gateway, address: Address) -> None:
        self.gateway = gateway
        self.address = address
        self.listeners: list[Listener] = []
        self.sites: dict[Listener, list[Route]] = {}

    @property
    def listener(self) -> Listener:
        """The first one: where messages point."""
        return self.listeners[0]

    @cached_property
    def is_tls(self) -> bool | None:
        """Whether TLS is expected; None when that is not certain."""
        return self._agreed(lambda one: one.is_tls)

    @cached_property
    def expects_proxy_protocol(self) -> bool | None:
        """Whether a PROXY header is expected; None when that is not certain."""
        return self._agreed(lambda one: one.expects_proxy_protocol)

    @cached_property
    def protocols(self) -> frozenset[str]:
        """What is understood here; empty when that is not certain."""
        if not all(one.is_certain and one.protocols for one in self.listeners):
            return frozenset()
        return frozenset().union(*(one.protocols for one in self.listeners))

    def _agreed(self, asked: Callable[[Listener], bool]) -> bool | None:
        if any(one.is_certain and asked(one) for one in self.listeners):
            return True
        return False if all(one.is_certain for one in self.listeners) else None

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
    """A server of a pool, to which `routes` lead, is an entrance of another gateway."""

    gateway: Gateway
    pool: Pool
    routes: tuple[Route, ...]
    server: Server
    entrance: Entrance


@dataclass(frozen=True, slots=True)
class Delivery:
    """A server of a pool, to which `routes` lead, is an application that gwlint.yaml describes."""

    gateway: Gateway
    pool: Pool
    routes: tuple[Route, ...]
    server: Server
    service: Service


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
        self._colliding: dict[tuple[int, int], bool] = {}
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
        found: list[Gateway] = []
        if self.nginx:
            from gwlint.model.nginx.gateway import nginx_gateway

            found += [nginx_gateway(config) for config in self.nginx]
        if self.haproxy:
            from gwlint.model.haproxy.gateway import haproxy_gateway

            found += [haproxy_gateway(config) for config in self.haproxy]
        return found

    @cached_property
    def hops(self) -> list[Hop]:
        """Every way from a pool of one gateway to an entrance of another.

        Two gateways meet where a server address is a listen address. A listener on any address
        (`*:8080`) meets only servers on a loopback address: any other address could be another
        machine. Two gateways that listen on one address are no neighbours on one machine, but files
        to choose from. Where several gateways have that address, the one in the nearest folder is
        meant, since one repository often holds many machines; between equally near ones nothing is
        said.
        """
        if len(self.nginx) + len(self.haproxy) < 2:
            return []
        return list(self._find_hops())

    @cached_property
    def deliveries(self) -> list[Delivery]:
        """Every way from a pool to an application of which gwlint.yaml says something.

        Where another gateway of this run listens on the address, its configuration is what counts.
        """
        if not self.facts.services:
            return []
        gateways_behind = {id(hop.server) for hop in self.hops}
        return [
            Delivery(gateway, pool, routes, server, service)
            for gateway in self.gateways
            for pool, routes in gateway.pools
            for server in pool.servers
            if id(server) not in gateways_behind
            and (service := self.facts.at(server.address)) is not None
        ]

    def haproxy_of(self, gateway: Gateway) -> HaproxyConfig | None:
        """The configuration behind a gateway; None for nginx."""
        made = zip(self.gateways[len(self.nginx) :], self.haproxy, strict=True)
        return next((config for one, config in made if one is gateway), None)

    def is_shared(self, directive: Directive) -> bool:
        """Whether an nginx directive stands in several places, since several include its file."""
        return sum(len(config.contexts_of(directive)) for config in self.nginx) > 1

    def pass_of(self, route: Route) -> tuple[NginxConfig, Pass] | None:
        """The pass directive of an nginx route, with its configuration; None for HAProxy."""
        return self._passes.get(id(route.statement))

    @cached_property
    def _passes(self) -> dict[int, tuple[NginxConfig, Pass]]:
        return {id(one.directive): (config, one) for config in self.nginx for one in config.passes}

    @cached_property
    def outermost(self) -> list[Entrance]:
        """The entrances to which no gateway of this run leads: clients and layers come in here."""
        inner = {id(hop.entrance) for hop in self.hops}
        return [one for one in self._entrances if id(one) not in inner]

    def listens_on(self, address: Address) -> bool:
        """Whether a gateway of this run listens on an address, the one that names it or another."""
        return any(True for _ in self._entrances_at(address))

    def _find_hops(self) -> Iterator[Hop]:
        for gateway in self.gateways:
            for pool, routes in gateway.pools:
                for server in pool.servers:
                    found = [
                        entrance
                        for entrance in self._entrances_at(server.address)
                        if entrance.gateway is not gateway
                        and not (server.address.is_loopback and self._collide(gateway, entrance))
                    ]
                    nearest = _nearest(gateway, found)
                    if nearest:
                        chosen = min(nearest, key=lambda one: _generality(server, one))
                        yield Hop(gateway, pool, routes, server, chosen)

    def _entrances_at(self, address: Address) -> Iterator[Entrance]:
        """The entrances that accept a connection to an address, of all gateways."""
        place, host = address.path or address.port, address.canonical_host
        if place is None or (address.path is None and (host is None or address.is_any)):
            return
        hosts = [host or ""]
        if host == "localhost":
            hosts.append("127.0.0.1")
        if address.is_loopback:
            hosts.append(_ANY)
        for one in hosts:
            yield from self._entrances_by_place.get((place, one), ())

    def _collide(self, gateway: Gateway, entrance: Entrance) -> bool:
        """Whether two gateways listen on one address, so that no machine can run both."""
        pair = id(gateway), id(entrance.gateway)
        if pair not in self._colliding:
            self._colliding[pair] = not self._bound[pair[0]].isdisjoint(self._bound[pair[1]])
        return self._colliding[pair]

    @cached_property
    def _bound(self) -> dict[int, frozenset[tuple[str | int, str]]]:
        """Where each gateway listens; all addresses of the machine are one."""
        return {
            id(gateway): frozenset(
                (place, "" if address.is_any else address.canonical_host or "")
                for listener in gateway.listeners
                if (place := (address := listener.address).path or address.port) is not None
            )
            for gateway in self.gateways
        }

    @cached_property
    def _entrances(self) -> list[Entrance]:
        """One for each address of each gateway."""
        found: dict[tuple[int, str | int | None, str | None], Entrance] = {}
        for gateway in self.gateways:
            for listener in gateway.listeners:
                address = listener.address
                key = (id(gateway), address.path or address.port, address.canonical_host)
                if key not in found:
                    found[key] = Entrance(gateway, address)
                found[key].listeners.append(listener)
            for route in gateway.routes:
                for listener in route.listeners:
                    address = listener.address
                    key = (id(gateway), address.path or address.port, address.canonical_host)
                    found[key].sites.setdefault(listener, []).append(route)
        return list(found.values())

    @cached_property
    def _entrances_by_place(self) -> dict[tuple[str | int, str], list[Entrance]]:
        """All entrances by socket path or port, and host."""
        found: dict[tuple[str | int, str], list[Entrance]] = {}
        for entrance in self._entrances:
            address = entrance.address
            place = address.path or address.port
            if place is not None:
                host = _ANY if address.is_any else address.canonical_host or ""
                found.setdefault((place, host), []).append(entrance)
        return found


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


def _generality(server: Server, entrance: Entrance) -> int:
    """A socket of exactly this address comes before one of all addresses, of the same family."""
    if not entrance.address.is_any:
        return 0
    same_family = (entrance.address.family is Family.IPV6) is (server.address.family is Family.IPV6)
    return 1 if same_family else 2
