from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.capacity.haproxy_limits import global_number, plain_number
from gwlint.syntax.haproxy.tree import Line


class MaxconnInconsistent(HaproxyRule):
    """Two limits of connections contradict each other, and one has no effect.

    ## Problem
    A frontend or a server allows more connections than the global section, or a server has a
    `minconn` that is no less than its `maxconn`, or no `maxconn` at all. `fullconn` says at which
    load servers go from `minconn` to `maxconn`, and no server of the backend has a `minconn`.

    ## Why
    A frontend cannot have more connections than all of HAProxy: before its own `maxconn` is
    reached, all other frontends have none left (manual, maxconn). Measured on 2.6.12 and 2.8.25: a
    server with `minconn 5 maxconn 1` gets five requests at once, one with `minconn 5` alone as
    well: the greater of both is a fixed limit. With `fullconn 1` and `maxconn 3` six requests ran
    three at a time, as they do without it.

    ## In the log
    Nothing.

    ## Silent when
    A number hangs on a variable or `.if`; the values are equal. A `maxconn` that comes from a
    defaults section, where it is above the global one, is info; so are a `fullconn` without effect
    and a server above the global limit. A `fullconn` in a defaults section may be meant for others.

    ## Fix safety
    None: which of the two was meant is not known.

    ## Learnt
    All 5 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, sections 3.2, 4.2 and 5.2, keywords maxconn, minconn
      and fullconn
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
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                fullconn 500
                server s1 10.0.0.1:80 maxconn 10
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
                if limit is not None:
                    yield from self._server_limit(server, limit, told)
            yield from self._fullconn(proxy)

    def _server_limit(
        self, server: Server, limit: tuple[Line, int], told: set[Line]
    ) -> Iterator[Finding]:
        most = server.value("maxconn")
        number = plain_number(most)
        if number is None or number <= limit[1] or server.line.conditions:
            return
        line = next(one for one in (server.line, *server.inherited) if most in one.words)
        if line in told:
            return
        told.add(line)
        yield self.finding(
            line,
            f"the server never has {number} connections: all of HAProxy takes {limit[1]} from"
            " clients (global maxconn)",
            advice="lower maxconn to what the server bears, or raise it in the global section",
            severity=Severity.INFO,
            span=most.span if most is not None else line.span,
            related=(Label(limit[0].span, "the limit of all frontends together"),),
        )

    def _fullconn(self, proxy: Proxy) -> Iterator[Finding]:
        lines = proxy.own("fullconn") if proxy.is_backend else []
        if not lines or not proxy.servers:
            return
        if any(server.last("minconn") or not server.is_certain for server in proxy.servers):
            return
        yield self.finding(
            lines[-1],
            f"fullconn has no effect: no server of {proxy.name} has a minconn to begin with",
            advice="give the servers minconn and maxconn, or remove the line",
            severity=Severity.INFO,
            span=lines[-1].words[0].span,
        )

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
