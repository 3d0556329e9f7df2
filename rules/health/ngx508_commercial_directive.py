from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity

_COMMERCIAL = {
    "health_check": "max_fails and fail_timeout are the health checks that it has",
    "queue": "raise max_conns, or answer 503 early",
    "ntlm": "use HAProxy in front of NTLM, or another way to authenticate",
}
"""Directives that no version of open source nginx has, and what to do instead."""

_FREE_SINCE = {"sticky": "1.29.6", "least_time": "1.31.0"}
"""Directives that were commercial before."""

_STICKY_METHODS = frozenset({"cookie", "route", "learn"})

_SIGNS_OF_PLUS = (
    "api",
    "auth_jwt",
    "keyval",
    "keyval_zone",
    "license_token",
    "mgmt",
    "oidc_provider",
    "state",
    "status",
    "zone_sync",
)


class CommercialDirective(NginxRule):
    """A directive or parameter that only NGINX Plus has: open source nginx does not start.

    ## Problem
    Active health checks, `slow_start`, `queue` and `ntlm` are part of the commercial NGINX Plus
    alone; `sticky` came to open source with 1.29.6 and `least_time` with 1.31.0. Tutorials do not
    always say so.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: nginx refuses to start. On 1.31.3 `sticky` and `least_time`
    are accepted.

    ## In the log
    `[emerg] unknown directive "health_check" in ...`, or
    `[emerg] invalid parameter "slow_start=30s" in ...`.

    ## Silent when
    The configuration is one for NGINX Plus, as `api`, `mgmt`, `state`, `keyval`, `zone_sync` and
    the like show; a dynamic module named after it is loaded; `sticky` is used as the module of
    another author wants it. Where the target is not known, `sticky` and `least_time` are a warning.

    ## Fix safety
    No fix: what they do has to be done in another way.

    ## Versions
    `sticky` is free from nginx 1.29.6 on, `least_time` from 1.31.0 on. Without a target these two
    are a warning; the other directives are an error in every version.

    ## Learnt
    6 of 7 findings in published files read, all right: configurations for NGINX Plus, in its manual
    and in tests.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_hc_module.html
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#sticky
    """

    code = "NGX508"
    name = "commercial-directive"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    zone app 64k;
                    server 127.0.0.1:3000 slow_start=30s;
                    server 127.0.0.1:3001;
                    queue 100 timeout=70;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        health_check;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                    sticky cookie route expires=1h;
                }
            }
            """,
            target="1.28.0",
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000 max_fails=3 fail_timeout=30s;
                    server 127.0.0.1:3001 max_fails=3 fail_timeout=30s;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                    sticky cookie route expires=1h;
                }
            }
            """,
            target="1.29.6",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if next(config.find(*_SIGNS_OF_PLUS), None) is not None:
            return
        for context, directive in config.find(*_COMMERCIAL):
            if config.is_fragment and context.kind == "unknown":
                continue
            yield self.finding(
                directive,
                f"{directive.name} is part of NGINX Plus: open source nginx does not start",
                advice=f"remove it; {_COMMERCIAL[directive.name]}",
                span=directive.words[0].span,
            )
        yield from self._slow_starts(config)
        yield from self._balancing(config)

    def _slow_starts(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            for server in upstream.servers:
                word = server.parameter("slow_start")
                if word is not None:
                    yield self.finding(
                        server.directive,
                        "slow_start is part of NGINX Plus: open source nginx does not start",
                        advice="remove it",
                        span=word.span,
                    )

    def _balancing(self, config: NginxConfig) -> Iterator[Finding]:
        modules = [one.values[0] for _, one in config.find("load_module") if one.values]
        for _, directive in config.find(*_FREE_SINCE):
            name = directive.name
            since = _FREE_SINCE[name]
            if config.is_at_least(since) or any(name in module for module in modules):
                continue
            if name == "sticky" and not _STICKY_METHODS.intersection(directive.values[:1]):
                continue
            yield self.finding(
                directive,
                f"open source nginx has {name} from {since} on, and does not start with it below",
                advice=f"use nginx {since} or newer, or hash or least_conn",
                span=directive.words[0].span,
                severity=Severity.WARNING if config.target is None else Severity.ERROR,
            )
