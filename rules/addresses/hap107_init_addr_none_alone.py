from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.haproxy_resolvers import has_nameservers, mute_resolvers
from gwlint.syntax.values.address import Family


class InitAddrNoneAlone(HaproxyRule):
    """A server with a host name is told not to look it up, and nothing else does.

    ## Problem
    `init-addr none` leaves the server without an address at start. Without `resolvers`, or with a
    resolvers section that has no nameserver, it never gets one.

    ## Why
    Measured on 2.6.12 and 2.8.25: each request is answered with 503, although the name can be
    looked up.

    ## In the log
    `web app/<NOSRV> 0/-1/-1/-1/0 503 ... SC--`

    ## Silent when
    The server has `resolvers`, or an IP address; another method follows (`libc`, an address);
    `last` finds an address in a state file; the file has neither `global` nor `defaults`, so that
    others complete it.

    ## Fix safety
    None: either a resolvers section or a lookup at start was meant.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, keyword init-addr
    """

    code = "HAP107"
    name = "init-addr-none-alone"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 app:3000 check init-addr none
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                default-server init-addr last,none
            backend app
                server s1 app:3000
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            resolvers dns
                hold valid 10s
            backend app
                server s1 app:3000 resolvers dns init-addr none
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            resolvers dns
                parse-resolv-conf
            backend app
                server s1 app:3000 init-addr none resolvers dns
                server s2 app:3001 init-addr last,libc,none
                server s3 127.0.0.1:3000 init-addr none
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        mute = mute_resolvers(config)
        for backend in config.backends:
            if backend.is_disabled:
                continue
            keeps_state = any(backend.lines("load-server-state-from-file"))
            for server in backend.servers:
                methods = server.parameter("init-addr")
                address = server.address
                if methods is None or methods.value is None or methods.value.references:
                    continue
                if address is None or address.family is not Family.NAME:
                    continue
                if server.is_disabled or has_nameservers(server, mute):
                    continue
                found = {method.strip() for method in methods.value.value.split(",")}
                if found - {"none", "last"} or ("last" in found and keeps_state):
                    continue
                is_own = server.parsed.last("init-addr") is not None
                what = "a nameserver" if server.has("resolvers") else "resolvers"
                yield self.finding(
                    server.line,
                    f'"{address.host}" is never looked up: without {what}, init-addr'
                    f" {methods.value.value} leaves the server without an address, and requests"
                    " get 503",
                    advice="name a resolvers section that has nameservers, or remove init-addr",
                    span=methods.keyword.span if is_own else server.line.span,
                )
