from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.source import Span


class ModeMismatch(HaproxyRule):
    """A frontend in mode http leads to a backend in mode tcp.

    ## Problem
    `use_backend` or `default_backend` of a frontend in mode http names a backend in mode tcp, which
    is the mode where nobody sets one.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy refuses the configuration, so it does not start, and a
    reload keeps the old one. The other way round works: a connection is upgraded to HTTP.

    ## In the log
    `[ALERT] config : http frontend 'web' (haproxy.cfg:12) tries to use incompatible tcp backend
    'app' (haproxy.cfg:15) as its default backend (see 'mode').`

    ## Silent when
    The name comes from an expression (a request that gets there then fails with 500, as measured);
    the frontend is disabled; a mode stands in an `.if` block, or a defaults section may be in a
    file that was not read.

    ## Fix safety
    None: which of the two modes was meant is not known.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, keyword mode
    """

    code = "HAP601"
    name = "mode-mismatch"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                timeout connect 5s
            frontend web
                mode http
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            listen web
                bind :8080
                use_backend raw if { path_beg /raw }
                server s1 10.0.0.1:80
            backend raw
                mode tcp
                server s1 10.0.0.1:81
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
                default_backend app
            frontend raw
                mode tcp
                bind :8081
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for frontend in config.frontends:
            if frontend.is_disabled or not frontend.is_http or not _is_certain(frontend):
                continue
            for route in frontend.routes:
                backend = config.backend_by_name.get(route.backend.value)
                if backend is None or route.is_dynamic or route.line.conditions:
                    continue
                if backend.mode != "tcp" or not _is_certain(backend):
                    continue
                yield self.finding(
                    route.line,
                    f'{frontend.kind} "{frontend.name}" is in mode http, but backend'
                    f' "{backend.name}" in mode tcp: HAProxy does not start',
                    advice=f"set 'mode http' in backend {backend.name}, or mode tcp here",
                    span=route.backend.span,
                    related=(Label(_mode_span(backend), _mode_source(backend)),),
                )


def _is_certain(proxy: Proxy) -> bool:
    mode = proxy.effective("mode")
    return (
        mode.is_certain
        and not proxy.header.conditions
        and not any(word.references for word in mode.words)
    )


def _mode_span(backend: Proxy) -> Span:
    return backend.effective("mode").span or backend.header.span


def _mode_source(backend: Proxy) -> str:
    return "mode tcp" if backend.effective("mode").is_set else "no mode is set, so it is tcp"
