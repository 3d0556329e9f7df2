"""Routes that speak TLS to the application, and the name that its certificate should have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gwlint.edits import Edit
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.passes import Pass
from gwlint.rules.protocol.levels import changed
from gwlint.syntax.values.address import Address, Family

TLS_FAMILIES = frozenset({"proxy", "grpc", "uwsgi"})
"""The modules with `<family>_ssl_...` directives."""

_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_INTERNAL = re.compile(
    r"\.(?:local|localdomain|internal|intranet|lan|home|corp|svc|consul)(?:\.|$)"
)


class TlsRoute:
    """One route that speaks TLS to the application.

    `twins` are the routes of the same pass directive, this one included: several where its file
    is included in several places. What is written there has to be right for each of them.
    """

    def __init__(self, route: Pass, config: NginxConfig, twins: Sequence[Pass] = ()) -> None:
        self.route = route
        self._config = config
        self._twins = twins

    @property
    def is_shared(self) -> bool:
        return len(self._twins) > 1

    def setting(self, suffix: str) -> Effective:
        """`setting("name")` is `proxy_ssl_name`, or its kin of grpc and uwsgi."""
        return self.route.effective(f"ssl_{suffix}")

    @property
    def has_own_name(self) -> bool:
        """Whether another name than that of the destination is set, for SNI and certificate."""
        setting = self.setting("name")
        return setting.is_set and setting.value not in ("$proxy_host", "${proxy_host}")

    @property
    def host(self) -> str:
        """The host of the destination without its port: the name by default."""
        authority = self.route.destination.authority
        return authority if authority.startswith("[") else authority.partition(":")[0]

    @property
    def addresses(self) -> list[Address]:
        """Where the route leads: the servers of the upstream, or its one address."""
        upstream = self.route.upstream
        if upstream is None:
            return [] if self.route.address is None else [self.route.address]
        return [one.address for one in upstream.servers if one.address is not None]

    @property
    def stays_on_this_machine(self) -> bool:
        addresses = self.addresses
        return bool(addresses) and all(
            one.is_loopback or one.family is Family.UNIX for one in addresses
        )

    @property
    def server_names(self) -> list[str]:
        """The different host names, as in `api.example.com`, under which servers are reached."""
        names = {one.canonical_host for one in self.addresses if one.family is Family.NAME}
        return sorted(name for name in names if name and is_host_name(name))

    @property
    def known_name(self) -> str | None:
        """The one name that the certificate should have: from facts, else that of the servers,
        else a fixed Host header. None when nothing says so, or several names do."""
        names = {TlsRoute(twin, self._config)._name for twin in self._twins or (self.route,)}
        return names.pop() if len(names) == 1 else None

    @property
    def _name(self) -> str | None:
        facts = {
            service.tls_name
            for address in self.addresses
            if (service := self._config.facts.at(address)) is not None and service.tls_name
        }
        if facts:
            return facts.pop() if len(facts) == 1 else None
        names = self.server_names
        if names:
            return names[0] if len(names) == 1 else None
        header = self.route.header("Host") if self.route.is_http else None
        host = "" if header is None else header.value.partition(":")[0]
        return host if is_host_name(host) else None

    def set_to(self, **wanted: str) -> tuple[Edit, ...]:
        """The edits that give settings these values at the level of the route: `name="x"`.

        Empty where that cannot be done.
        """
        return changed(
            self.route, *((self.setting(suffix), value) for suffix, value in wanted.items())
        )


def tls_routes(config: NginxConfig) -> Iterator[TlsRoute]:
    """The routes that certainly speak TLS to the application, of http and stream."""
    routes = [
        route for route in config.passes if route.family in TLS_FAMILIES and _speaks_tls(route)
    ]
    twins: dict[int, list[Pass]] = {}
    for route in routes:
        twins.setdefault(id(route.directive), []).append(route)
    for route in routes:
        yield TlsRoute(route, config, twins[id(route.directive)])


def _speaks_tls(route: Pass) -> bool:
    return route.destination.is_tls if route.is_http else route.effective("ssl").value == "on"


def is_host_name(text: str) -> bool:
    """Whether a text is a name that a certificate can have: `api.example.com`, no address."""
    return _HOST_NAME.fullmatch(text) is not None and not text.rpartition(".")[2].isdecimal()


def is_internal_name(name: str) -> bool:
    """Whether a name is one of a private network, where servers seldom need SNI."""
    return _INTERNAL.search(name.lower()) is not None
