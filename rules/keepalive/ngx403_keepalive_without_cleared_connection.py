from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import (
    cleared_connection_edits,
    idle_limit_edits,
    pooled_passes,
)


class KeepaliveWithoutClearedConnection(NginxRule):
    """The upstream keeps connections alive, but the route asks it to close each one.

    ## Problem
    Below nginx 1.29.7, `proxy_pass` sends `Connection: close` unless the header is set. The pool
    that `keepalive` makes stays empty.

    ## Why
    Measured on nginx 1.22.1: 600 requests opened 200 connections to the application instead of 4;
    `proxy_http_version 1.1` alone changes nothing. Every connection costs a round trip and a port;
    under load, ports run out and answers become 502.

    ## In the log
    Nothing is logged. The application sees a new connection for each request.

    ## Silent when
    The target is nginx 1.29.7 or newer, which sends no Connection header; a Connection header is
    set, to whatever value: a route for web sockets sets it on purpose; the headers of the route are
    not known because an include could not be read.

    ## Fix safety
    Adds `proxy_set_header Connection ""` where the headers of the route are set, so that none of
    them is lost. Where the upstream has no `keepalive_timeout`, it is set to 4s, so that nginx
    drops an idle connection before the application does. That is unsafe, unless facts say when the
    application closes an idle connection: the limit is then set below that.

    ## Versions
    From nginx 1.29.7 on no Connection header is sent by default. Without a target an older version
    is assumed, and the advice names this one. `keepalive_timeout` in an upstream needs nginx
    1.15.3.

    ## Learnt
    All 10 findings in real files read, all right: nine of the routes speak HTTP/1.0 as well
    (NGX402), one lacks this line alone.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
    """

    code = "NGX403"
    name = "keepalive-without-cleared-connection"
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
                    proxy_set_header Host $host;
                    location / {
                        proxy_pass http://app;
                        proxy_http_version 1.1;
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
                    proxy_set_header Host $host;
                    proxy_set_header Connection "";
                    location / {
                        proxy_pass http://app;
                        proxy_http_version 1.1;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route, upstream in pooled_passes(config):
            headers = route.effective("set_header")
            if route.header("Connection") is not None or not headers.is_certain:
                continue
            keepalive = upstream.keepalive
            assert keepalive is not None
            safety, limit = idle_limit_edits(config, upstream)
            edits = cleared_connection_edits(config, route)
            yield self.finding(
                route.directive,
                f'upstream "{upstream.name}" keeps connections alive, but this route sends'
                ' "Connection: close", so each request opens a new connection',
                advice='add proxy_set_header Connection "" beside the headers of this route'
                " (not needed from nginx 1.29.7 on)",
                related=(Label(keepalive.span, "the pool that is not used"),),
                fix=None
                if edits is None
                else Fix("send no Connection header", safety, (*edits, *limit)),
            )
