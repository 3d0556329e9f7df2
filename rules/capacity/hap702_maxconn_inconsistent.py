from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.capacity.haproxy_limits import global_number, plain_number
from gwlint.syntax.haproxy.tree import Line


class MaxconnInconsistent(HaproxyRule):
    """Two limits of connections contradict each other, and one has no effect.

    ## Problem
    A frontend allows more connections than the global section, or a server has a `minconn` that
    is no less than its `maxconn`, or no `maxconn` at all.

    ## Why
    A frontend cannot have more connections than all of HAProxy: before its own `maxconn` is
    reached, all other frontends have none left (manual, maxconn). Measured on 2.6.12 and 2.8.25: a
    server with `minconn 5 maxconn 1` gets five requests at once, one with `minconn 5` alone as
    well: the greater of both is a fixed limit.

    ## In the log
    Nothing.

    ## Silent when
    A number hangs on a variable or `.if`; the values are equal. A `maxconn` that comes from a
    defaults section, where it is above the global one, is info.

    ## Fix safety
    None: which of the two was meant is not known.

    ## References
    - HAProxy configuration manual, sections 3.2, 4.2 and 5.2, keywords maxconn and minconn
    """

    code = "HAP702"
    name = "maxconn-inconsistent"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            global
                maxconn 2000
            defaults
                mode http
            frontend web
                bind :8080
                maxconn 5000
                default_backend app
            backend app
                server s1 10.0.0.1:80 minconn 50 maxconn 10
                server s2 10.0.0.2:80 minconn 50
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                maxconn 5000
            defaults
                mode http
                maxconn 5000
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80 minconn 5 maxconn 10
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        limit = global_number(config, "maxconn")
        told: set[Line] = set()
        for proxy in config.proxies:
            if proxy.is_disabled:
                continue
            own = proxy.effective("maxconn")
            number = plain_number(own.word)
            if (
                proxy.is_frontend
                and limit is not None
                and own.line is not None
                and own.is_certain
                and number is not None
                and number > limit[1]
                and own.line not in told
            ):
                told.add(own.line)
                is_inherited = own.section is not proxy.section
                yield self.finding(
                    own.line,
                    f"maxconn {number} is never reached: all of HAProxy takes {limit[1]}"
                    " connections (global maxconn)",
                    advice="raise maxconn in the global section, or lower it here",
                    severity=Severity.INFO if is_inherited else Severity.WARNING,
                    related=(Label(limit[0].span, "the limit of all frontends together"),),
                )
            for server in proxy.servers:
                yield from self._server(server)

    def _server(self, server: Server) -> Iterator[Finding]:
        least, most = server.value("minconn"), server.value("maxconn")
        low = plain_number(least)
        if not low or least is None or (most is not None and plain_number(most) is None):
            return
        high = plain_number(most) or 0
        if low <= high:
            return
        own = server.parsed.last("minconn")
        yield self.finding(
            server.line,
            f"minconn {low} "
            + (f"is above maxconn {high}" if high else "has no maxconn above it")
            + f": the server gets up to {low} requests at once, whatever the load",
            advice="set maxconn to the limit, and minconn below it or not at all",
            span=server.line.span if own is None else own.keyword.span,
        )
