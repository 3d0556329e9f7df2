from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import speaks_http10
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import http11_edits, idle_limit_edits, pooled_passes


class KeepaliveWithoutHttp11(NginxRule):
    """The upstream keeps connections alive, but the route speaks HTTP/1.0 to it.

    ## Problem
    `keepalive` in an upstream block does nothing for a route that sends HTTP/1.0, and HTTP/1.0 is
    the default of `proxy_http_version` below nginx 1.29.7.

    ## Why
    Measured on nginx 1.22.1: 600 requests opened 200 connections to the application instead of 4.
    Every connection costs a round trip and a port; under load, ports run out and answers become
    502.

    ## In the log
    Nothing is logged. The application sees a new connection for each request.

    ## Silent when
    The target is nginx 1.29.7 or newer, where HTTP/1.1 is the default; the version of the route is
    not known because an include could not be read; `keepalive 0`.

    ## Fix safety
    Adds `proxy_http_version 1.1`. Where the upstream has no `keepalive_timeout`, it is set to 4s,
    so that nginx drops an idle connection before the application does. That is unsafe, unless facts
    say when the application closes an idle connection: the limit is then set below that.

    ## Versions
    From nginx 1.29.7 on HTTP/1.1 is the default. Without a target an older version is assumed, and
    the advice names this one. `keepalive_timeout` in an upstream needs nginx 1.15.3.

    ## Learnt
    All 9 findings in real files read, all right: each of the routes lacks both lines, so that
    NGX403 speaks of it too.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version
    """

    code = "NGX402"
    name = "keepalive-without-http11"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    keepalive 32;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_set_header Connection "";
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    keepalive 32;
                    keepalive_timeout 4s;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route, upstream in pooled_passes(config):
            version = route.effective("http_version")
            if not speaks_http10(route) or not version.is_certain:
                continue
            keepalive = upstream.keepalive
            assert keepalive is not None
            safety, limit = idle_limit_edits(config, upstream)
            edits = http11_edits(config, route)
            yield self.finding(
                route.directive,
                f'upstream "{upstream.name}" keeps connections alive, but this route speaks'
                " HTTP/1.0 to it, so each request opens a new connection",
                advice="set proxy_http_version 1.1 (the default from nginx 1.29.7 on)",
                related=(Label(keepalive.span, "the pool that is not used"),),
                fix=None
                if edits is None
                else Fix("speak HTTP/1.1 to the upstream", safety, (*edits, *limit)),
            )
