from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.answers import has_negated_rule, has_page

_HAS_A_LAST_RESORT = re.compile(r"\bmap(?:_[a-z]+)*\([^(),]*,[^()]+\)|\biif\(")
"""A map with a default value, or a choice of two names."""


class DynamicBackendWithoutDefault(HaproxyRule):
    """The backend is made from the request, and a name that does not exist leads nowhere.

    ## Problem
    `use_backend %[...]` takes the name of the backend from a header, a map or the like. Where no
    backend has that name, HAProxy goes on to `default_backend`, and there is none.

    ## Why
    Measured on 2.6.12 and 2.8.25: a name that does not exist, or is empty, is answered with 503;
    with a `default_backend` that one answers. Anybody may send a host name that nobody expects.

    ## In the log
    `web web/<NOSRV> -1/-1/-1/-1/0 503 ... SC--`

    ## Silent when
    There is a `default_backend`; the map has a default value; a rule denies what is not known; the
    frontend has an own page for 503; the frontend is disabled, or stands in a file that has
    neither `global` nor `defaults`. HAP110 speaks of a `use_backend %[...]` with a condition.

    ## Fix safety
    None: where the rest should go is the author's decision.

    ## Learnt
    Programs that manage HAProxy may add the `default_backend` while they run; the file that they
    begin with has none. 10 of 11 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, keyword use_backend
    """

    code = "HAP111"
    name = "dynamic-backend-without-default"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                use_backend %[req.hdr(host),lower]
            backend app.local
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
                use_backend %[req.hdr(host),lower]
                default_backend app.local
            frontend other
                bind :8081
                use_backend %[req.hdr(host),lower,map(/etc/haproxy/hosts.map,app.local)]
            backend app.local
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for frontend in config.frontends:
            routes = frontend.routes
            if frontend.is_disabled or any(route.is_default for route in routes):
                continue
            last = next((route for route in routes if not route.condition), None)
            if last is None or "%" not in last.backend.value or last.line.conditions:
                continue
            if frontend.is_backend and frontend.servers:
                continue
            if _HAS_A_LAST_RESORT.search(last.backend.value):
                continue
            if has_negated_rule(frontend) or has_page(frontend):
                continue
            fate = "gets 503" if frontend.is_http else "is closed"
            what = "a request" if frontend.is_http else "a connection"
            yield self.finding(
                last.line,
                f"{what} for which no backend has the name that this makes {fate}: there is no"
                " default_backend",
                advice="add a default_backend, or a rule that denies what is not known",
                span=last.backend.span,
            )
