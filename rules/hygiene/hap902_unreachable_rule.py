from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, Route
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.hygiene.haproxy_conditions import Conditions, Terms, implies
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.conditions import split_condition

MOST_ROUTES = 300
"""use_backend lines of one section that are compared with each other; the rest is not."""

_FINAL = frozenset({"allow", "auth", "deny", "redirect", "return", "tarpit"})
"""Measured: without a condition, HAProxy warns that what follows is without effect."""


class UnreachableRule(HaproxyRule):
    """No request ever comes to this rule: one above it takes them all, or none arrive.

    ## Problem
    The first use_backend whose condition holds is the last one that is looked at. Behind one
    without condition, or one whose condition holds whenever the later one does, no rule counts:
    `path_beg /api/v2` below `path_beg /api`, the same ACL a second time. Nor does an http-request
    rule behind a `deny`, `return`, `redirect` or `allow` for every request. A frontend without
    `bind` gets no request at all, and the servers of a listen with a default_backend get none.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25: requests for /api/v2 went to the servers of /api, which
    answered 404. HAProxy accepts the file without a word; it warns only of http-request rules
    behind an unconditional one, of frontends without bind, and of servers beside default_backend.

    ## In the log
    `web api/s1 ... 404 ... ----`: the wrong backend is named.

    ## Silent when
    The file has neither `global` nor `defaults`, so that it may be an excerpt, and the frontend has
    no `bind`. It cannot be proved that the earlier rule takes all: other samples, regular
    expressions, maps, values that change from line to line (`rand`, `date`, counters that a rule
    increments), names from expressions or the environment, lines under `.if`, more than 300
    use_backend lines. Where both lead to the same backend, it is information.

    ## Fix safety
    None: whether to move the rule up or drop it is a decision.

    ## Learnt
    38 findings in published files read, all right; eight are frontends without a bind in the
    files of an ingress controller, which adds them while HAProxy runs.

    ## References
    - HAProxy configuration manual, section 4.2, keywords use_backend, http-request
      and default_backend
    """

    code = "HAP902"
    name = "unreachable-rule"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                bind 127.0.0.1:8080
                acl is_api path_beg /api
                http-request deny
                http-request set-header X-App web
                use_backend api if is_api
                use_backend api_v2 if { path_beg /api/v2 } METH_POST
                use_backend app
                default_backend api

            backend api
                server a1 127.0.0.1:3001

            backend api_v2
                server a2 127.0.0.1:3002

            backend app
                server s1 127.0.0.1:3000
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                default_backend app

            listen app
                bind 127.0.0.1:8081
                server s1 127.0.0.1:3000
                default_backend app
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                bind 127.0.0.1:8080
                acl is_api path_beg /api
                http-request deny if { src 192.0.2.0/24 }
                http-request set-header X-App web
                use_backend api_v2 if { path_beg /api/v2 }
                use_backend api if is_api METH_GET
                use_backend app if is_api
                default_backend api

            backend api
                server a1 127.0.0.1:3001

            backend api_v2
                server a2 127.0.0.1:3002

            backend app
                server s1 127.0.0.1:3000
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for proxy in config.frontends:
            yield from self._routes(proxy)
        for proxy in config.proxies:
            yield from self._http(proxy)
            if config.is_whole and not proxy.is_disabled and not proxy.header.conditions:
                yield from self._whole(proxy)

    def _whole(self, proxy: Proxy) -> Iterator[Finding]:
        """What is said of a proxy as a whole: it listens nowhere, or its servers are idle."""
        has_bind = proxy.own("bind") or _binds_by_name(proxy)
        if proxy.kind == "frontend" and not has_bind:
            yield self.finding(
                proxy.header,
                f'no request comes to frontend "{proxy.name}": it has no bind line',
                advice="add 'bind ADDRESS:PORT', or remove the section",
                span=proxy.header.words[0].span,
            )
        default = proxy.effective("default_backend")
        if proxy.kind == "listen" and default.line is not None and default.is_certain:
            servers = [server.line for server in proxy.servers if not server.line.conditions]
            if servers:
                yield self.finding(
                    servers[0],
                    f"no request comes to the servers of {proxy.name}: its default_backend takes"
                    " them all",
                    advice="remove the servers, or the default_backend",
                    span=servers[0].words[0].span,
                    related=(Label(default.line.span, "goes before the servers"),),
                )

    def _routes(self, proxy: Proxy) -> Iterator[Finding]:
        routes = proxy.routes
        if len(routes) < 2 or len(routes) > MOST_ROUTES:
            return
        conditions = Conditions(proxy)
        earlier: list[tuple[Route, Terms]] = []
        for route in routes:
            if route.is_default and route.line.section is not proxy.section:
                continue
            terms = conditions.terms(route.condition)
            if terms is None:
                continue
            taker = next((one for one, other in earlier if implies(terms, other)), None)
            if taker is not None:
                yield self._shadowed(route, taker)
            elif not (route.is_dynamic or route.line.conditions):
                earlier.append((route, terms))

    def _shadowed(self, route: Route, taker: Route) -> Finding:
        is_same = route.backend.value == taker.backend.value
        where = "the same backend" if is_same else f'backend "{taker.backend.value}"'
        return self.finding(
            route.line,
            f"this {route.line.keyword} is never reached: a rule above sends all its requests to"
            f" {where}",
            advice="remove it" if is_same else "move it in front of the other, or remove it",
            severity=Severity.INFO if is_same else Severity.WARNING,
            span=route.backend.span,
            related=(Label(taker.line.span, "takes all of them"),),
        )

    def _http(self, proxy: Proxy) -> Iterator[Finding]:
        final: Line | None = None
        for line in proxy.own("http-request"):
            if final is not None:
                yield self.finding(
                    line,
                    f'this rule is never reached: "http-request {final.values[0]}" above it is for'
                    " every request",
                    advice="move it in front of the other, or remove it",
                    span=line.words[0].span,
                    related=(Label(final.span, "has no condition"),),
                )
                return
            if _takes_all(line):
                final = line


def _binds_by_name(proxy: Proxy) -> bool:
    """`frontend NAME ADDRESS`, an old way that HAProxy refuses (HAP004)."""
    arguments = proxy.header.arguments
    return len(arguments) > 1 and arguments[1].value != "from"


def _takes_all(line: Line) -> bool:
    words, condition = split_condition(line.arguments)
    return (
        bool(words)
        and words[0].value in _FINAL
        and not condition
        and not line.conditions
        and line.modifier is None
        and all(word.value != "ignore-empty" for word in words)
    )
