from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.answers import (
    final_rules,
    has_negated_rule,
    has_page,
    leaves_nothing,
)


class FrontendWithoutRoute(HaproxyRule):
    """Requests that no use_backend matches have nowhere to go.

    ## Problem
    A frontend has no `default_backend`, and either no `use_backend` at all, or only ones with a
    condition.

    ## Why
    Measured on 2.6.12: a request that no rule matches is answered with 503; in mode tcp the
    connection is closed. Often it is a host name that nobody thought of, or a health check.

    ## In the log
    `web web/<NOSRV> -1/-1/-1/-1/0 503 ... SC--`

    ## Silent when
    The frontend answers by itself (statistics, a monitor, an own page for 503, rules that redirect,
    return or deny all that is left); two conditions are opposites or one is always true; it is
    disabled or listens nowhere; the file has neither `global` nor `defaults`, so that it is a part
    of a configuration.

    ## Fix safety
    None: where the rest should go is the author's decision.

    ## Learnt
    Routers by host name often leave unknown hosts to the 503 on purpose; then `http-request deny
    deny_status 421` or a `default_backend` says so. 10 of 20 findings in published files read, all
    right.

    ## References
    - HAProxy configuration manual, section 4.2, keywords default_backend and use_backend
    """

    code = "HAP110"
    name = "frontend-without-route"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                use_backend app if { path_beg /app }
            backend app
                server s1 10.0.0.1:80
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
                use_backend app if { path_beg /app }
                default_backend app
            frontend secure
                bind :8081
                acl is_app path_beg /app
                use_backend app if is_app
                use_backend app unless is_app
            frontend go
                bind :8082
                http-request redirect scheme https
            frontend known
                bind :8083
                http-request deny unless { hdr(host) app.local }
                use_backend app if { hdr(host) app.local }
            frontend numbers
                bind :8404
                stats enable
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for proxy in config.frontends:
            if proxy.is_disabled or not proxy.binds or proxy.header.conditions:
                continue
            if proxy.is_backend and (proxy.servers or not proxy.routes):
                continue
            if any(route.is_default for route in proxy.routes):
                continue
            yield from self._judge(proxy)

    def _judge(self, proxy: Proxy) -> Iterator[Finding]:
        fate = "are answered with 503" if proxy.is_http else "are closed"
        what = "requests" if proxy.is_http else "connections"
        if not proxy.routes:
            if has_page(proxy) or any(final_rules(proxy)):
                return
            yield self.finding(
                proxy.header,
                f'{proxy.kind} "{proxy.name}" leads to no backend: all {what} {fate}',
                advice="add a default_backend",
            )
        elif not (leaves_nothing(proxy, proxy.routes) or has_negated_rule(proxy)):
            yield self.finding(
                proxy.header,
                f'{proxy.kind} "{proxy.name}" has no default_backend: {what} that no use_backend'
                f" matches {fate}",
                advice="add a default_backend, or a rule that denies what is left",
                severity=Severity.WARNING,
            )
