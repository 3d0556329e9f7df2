from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, bind_addresses
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.addresses.answers import final_rules
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.address import Address


class ServerIsOwnBind(HaproxyRule):
    """A server is the very frontend that its requests come from.

    ## Problem
    The address of a `server` is one on which the frontend in front of it listens.

    ## Why
    Measured on 2.6.12 and 2.8.25: each request goes round until no connection is left (`maxconn`),
    and ends with 504 or without an answer; nobody else is served meanwhile.

    ## In the log
    `web app/s1 0/0/0/-1/5001 504 ... sH--`, once for each round.

    ## Silent when
    Requests may leave the circle: the frontend chooses between backends, answers some requests by
    itself, or the backend has further servers. A frontend whose server is another frontend of the
    same configuration is a usual way to chain them. Addresses other than those of this machine
    are only compared with binds that name them.

    ## Fix safety
    None: the address of the application is not known.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, sections 4.2 and 5.2, keywords bind and server
    """

    code = "HAP103"
    name = "server-is-own-bind"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 127.0.0.1:8080
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
            listen database
                bind 10.0.0.5:3306
                server s1 10.0.0.5:3306
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                default_backend chain
            backend chain
                server next 127.0.0.1:8081
            frontend inner
                bind 127.0.0.1:8081
                default_backend app
            backend app
                server s1 10.0.0.1:8080
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for frontend in config.frontends:
            backend = _only_backend(config, frontend)
            if backend is None or frontend.is_disabled or backend.is_disabled:
                continue
            servers = [server for server in backend.servers if not server.is_disabled]
            if not servers or any(final_rules(frontend)) or any(final_rules(backend)):
                continue
            listens = _listens(frontend)
            hits = [(server, _met(server, listens)) for server in servers]
            if all(line is not None for _, line in hits):
                yield from (self._loop(server, line) for server, line in hits if line is not None)

    def _loop(self, server: Server, line: Line) -> Finding:
        word = server.address_word
        assert word is not None
        return self.finding(
            server.line,
            f'server "{server.name}" is the frontend that its requests come from: they go round'
            " until no connection is left",
            advice="write the address and port of the application",
            span=word.span,
            related=(Label(line.span, "HAProxy itself listens here"),),
        )


def _only_backend(config: HaproxyConfig, frontend: Proxy) -> Proxy | None:
    """Where all requests of a frontend go; None when that depends on the request."""
    if not frontend.routes:
        return frontend if frontend.is_backend else None
    route = frontend.routes[0]
    is_certain = not route.condition and not route.is_dynamic and not route.line.conditions
    return config.backend_by_name.get(route.backend.value) if is_certain else None


def _listens(frontend: Proxy) -> dict[int, list[tuple[Address, Line]]]:
    """The addresses of a frontend by port; ranges, which may be large, are left out."""
    found: dict[int, list[tuple[Address, Line]]] = defaultdict(list)
    for line, bind in frontend.binds:
        if line.conditions:
            continue
        for address in bind_addresses(bind):
            if address.port is not None and address.port_end is None:
                found[address.port].append((address, line))
    return found


def _met(server: Server, listens: dict[int, list[tuple[Address, Line]]]) -> Line | None:
    """The bind line that accepts a connection to the server."""
    target = server.address
    if target is None or target.port is None or target.variables or server.line.conditions:
        return None
    host = "127.0.0.1" if target.canonical_host == "localhost" else target.canonical_host
    for address, line in listens.get(target.port, ()):
        if address.transport != "stream" or address.variables:
            continue
        is_same = address.canonical_host == host and not address.is_any
        if is_same or (address.is_any and (target.is_loopback or target.is_any)):
            return line
    return None
