from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, Route
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.addresses.answers import final_rules, has_page

_MEANT_TO_FAIL = re.compile(
    r"503|black-?_?hole|den(?:y|ied)|reject|drop|block|maint|error|unavailable|none|null|nothing"
    r"|no-?_?(?:match|where|server)|dummy|empty|dev-?null|sink|trap",
    re.IGNORECASE,
)
_DESTINATIONS = ("server", "server-template", "dispatch", "transparent")


class BackendWithoutServers(HaproxyRule):
    """Requests are routed to a section that has no server.

    ## Problem
    A frontend routes to a backend, or a `listen` section accepts requests itself, and there is no
    `server` line to pass them on to.

    ## Why
    Measured on 2.6.12: the configuration is accepted, and each request that goes there is answered
    with 503.

    ## In the log
    `web app/<NOSRV> 0/-1/-1/-1/0 503 ... SC--`

    ## Silent when
    Nothing routes there, as to a backend that only holds a stick-table; the section answers by
    itself (redirect, return, deny, a service, statistics, an own page for 503); its name says that
    it is meant to fail; it is disabled; an `.if` block may bring servers.

    ## Fix safety
    None: the address of the server is not known.

    ## Learnt
    Both findings in published files read, right.

    ## References
    - HAProxy configuration manual, section 4.2, keyword server
    """

    code = "HAP108"
    name = "backend-without-servers"
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
                balance roundrobin
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
            listen database
                bind :3306
                balance leastconn
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
                http-request track-sc0 src table rates
                use_backend go if { path /old }
                use_backend maintenance if { nbsrv(app) eq 0 }
                use_backend deny if { path /admin }
                default_backend app
            backend app
                server s1 10.0.0.1:80
            backend go
                http-request redirect location /new
            backend maintenance
                errorfile 503 /etc/haproxy/maintenance.http
            backend deny
                balance roundrobin
            backend rates
                stick-table type ip size 100k expire 30s store http_req_rate(10s)
            listen stats
                bind :8404
                stats enable
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        users: dict[str, Route] = {}
        for frontend in config.frontends:
            if not frontend.is_disabled:
                for route in frontend.routes:
                    users.setdefault(route.backend.value, route)
        for proxy in config.backends:
            user = users.get(proxy.name)
            accepts = proxy.is_frontend and bool(proxy.binds) and not proxy.routes
            if not accepts and user is None:
                continue
            if _has_destination(proxy) or _is_uncertain(proxy) or proxy.is_disabled:
                continue
            if has_page(proxy) or any(final_rules(proxy)) or _MEANT_TO_FAIL.search(proxy.name):
                continue
            yield self.finding(
                proxy.header,
                f'{proxy.kind} "{proxy.name}" has no server: '
                + (
                    "every request is answered with 503"
                    if proxy.is_http
                    else "every connection is closed"
                ),
                advice="add a server line, or route elsewhere",
                related=()
                if user is None
                else (Label(user.line.span, "requests are routed there"),),
            )


def _has_destination(proxy: Proxy) -> bool:
    if any(proxy.own(keyword) for keyword in _DESTINATIONS):
        return True
    return (proxy.is_frontend and bool(proxy.routes)) or any(
        proxy.option(name) for name in ("transparent", "http_proxy")
    )


def _is_uncertain(proxy: Proxy) -> bool:
    """Whether lines that look like those of another section may belong to this one."""
    return bool(proxy.header.conditions)
