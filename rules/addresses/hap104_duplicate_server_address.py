from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity

_TELL_APART = (
    "addr", "alpn", "backup", "cookie", "disabled", "maxconn", "namespace", "port", "proto",
    "resolvers", "sni", "socks4", "source", "ssl", "track", "verifyhost", "weight",
)  # fmt: skip
"""Parameters that give two servers of one address a meaning of their own."""


class DuplicateServerAddress(HaproxyRule):
    """Two servers of one backend are the same address.

    ## Problem
    Two `server` lines name the same address and port: usually one was copied and not changed.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy accepts it and takes them for two servers. One gets a
    double share, its connections are counted apart, `option redispatch` sends a request that
    failed to the same address again, and the server that was meant gets nothing.

    ## In the log
    Nothing; the names of both servers appear.

    ## Silent when
    The two differ in a way that says it is on purpose: weight, cookie, maxconn, backup, TLS, SNI,
    source and the like; a resolvers section gives each its own address of one name; one is
    disabled, or stands in an `.if` block.

    ## Fix safety
    None: which address was meant is not known.

    ## Learnt
    Real ones are copies in which the name was changed and the address was not: `server api4
    /sockets/api3.sock` behind `server api3 /sockets/api3.sock`. All 6 findings in published files
    read, all right.

    ## References
    - HAProxy configuration manual, section 5.2, keyword server
    """

    code = "HAP104"
    name = "duplicate-server-address"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:80 check
                server s2 10.0.0.1:80 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:80 cookie a
                server s2 10.0.0.1:80 cookie b
                server s3 10.0.0.2:80
                server s4 10.0.0.2:81
                server s5 10.0.0.2:80 backup
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in config.backends:
            if not backend.is_disabled:
                yield from self._backend(backend)

    def _backend(self, backend: Proxy) -> Iterator[Finding]:
        seen: dict[tuple[str, ...], Server] = {}
        for server in backend.servers:
            key = _key(server)
            if key is None:
                continue
            first = seen.setdefault(key, server)
            word = server.address_word
            if first is server or word is None:
                continue
            yield self.finding(
                server.line,
                f'"{server.name}" and "{first.name}" are the same address, so this backend has one'
                " server less than it seems",
                advice="write the address that was meant, or remove the line",
                span=word.span,
                related=(Label(first.line.span, "the same address"),),
            )


def _key(server: Server) -> tuple[str, ...] | None:
    """What two servers share when they are one; None for those that cannot be compared."""
    address = server.address
    if server.line.keyword != "server" or server.line.conditions or address is None:
        return None
    if address.variables or server.is_disabled or server.has("resolvers"):
        return None
    if any(one.uncertain or one.unknown for one in server.parsed.parameters):
        return None
    place = address.path if address.path is not None else address.canonical_host
    if place is None:
        return None
    traits = []
    for name in _TELL_APART:
        parameter = server.parameter(name)
        if parameter is not None:
            traits.append(" ".join([name, *(word.value for word in parameter.values)]))
    return (address.family.value, place, str(address.port), str(address.offset), *traits)
