from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import POOL_BY_DEFAULT_SINCE, has_pool
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import idle_limit_edits
from gwlint.rules.keepalive.upgrades import upgrade_maps
from gwlint.syntax.nginx.amend import replaced


class ConnectionMapCloses(NginxRule):
    """The map that makes the Connection header closes each connection that is not upgraded.

    ## Problem
    The usual `map $http_upgrade $connection_upgrade` says `close` for a request that asks for no
    upgrade. On a route whose upstream keeps connections, each plain request then asks the
    application to close.

    ## Why
    Measured on nginx 1.22.1: 180 plain requests opened 60 connections to the application instead of
    4. With an empty value nginx sends no Connection header, and web sockets still work.

    ## In the log
    Nothing is logged. The application sees a new connection for each request.

    ## Silent when
    No route with such a header leads to an upstream that keeps connections: one with `keepalive`,
    or any from nginx 1.29.7 on. Where there is no pool, nothing is lost.

    ## Fix safety
    Replaces `close` by `''`. Where an upstream has no `keepalive_timeout`, it is set to 4s, or
    below the limit that facts give; without facts that is unsafe, since an application that closes
    idle connections sooner makes a 502 of a POST.

    ## Versions
    From nginx 1.29.7 on every upstream block keeps connections; below it, and without a target,
    those with `keepalive` alone.

    ## Learnt
    The map is copied from nginx's own page on web sockets, mostly into configurations without any
    pool, where it does no harm.

    ## References
    - https://nginx.org/en/docs/http/websocket.html
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    """

    code = "NGX406"
    name = "connection-map-closes"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                map $http_upgrade $connection_upgrade {
                    default upgrade;
                    ''      close;
                }
                upstream app {
                    server 127.0.0.1:3000;
                    keepalive 32;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                map $http_upgrade $conn { default close; websocket upgrade; }
                upstream app { server 127.0.0.1:3000; }
                server {
                    listen 8080;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $conn;
                    location / { proxy_pass http://app; }
                }
            }
            """,
            target="1.30.0",
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                map $http_upgrade $connection_upgrade {
                    default upgrade;
                    ''      '';
                }
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
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                map $http_upgrade $connection_upgrade {
                    default upgrade;
                    ''      close;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        routes = _routes_by_variable(config)
        for one in upgrade_maps(config):
            users = routes.get(one.variable, [])
            if not users or not one.is_certain or one.plain is None:
                continue
            if one.plain_value != "close":
                continue
            route, upstream = users[0]
            safety, limits = idle_limit_edits(config, upstream)
            for _, other in users[1:]:
                further, edits = idle_limit_edits(config, other)
                safety = safety if further is Safety.SAFE else further
                limits += [edit for edit in edits if edit not in limits]
            yield self.finding(
                one.directive,
                f'requests without an upgrade send "Connection: close" to upstream'
                f' "{upstream.name}", so the connections that it should keep are closed',
                advice="map the empty value to '' instead of close",
                span=one.plain.span,
                related=(Label(route.directive.span, "this route has a pool to lose"),),
                fix=Fix(
                    "send no Connection header for plain requests",
                    safety,
                    (replaced(one.plain, "''"), *limits),
                ),
            )


def _routes_by_variable(config: NginxConfig) -> dict[str, list[tuple[Pass, Upstream]]]:
    """The routes with a pool, by the variable (without `$`) that makes their Connection header;
    each upstream once."""
    found: dict[str, dict[int, tuple[Pass, Upstream]]] = {}
    by_default = config.is_at_least(POOL_BY_DEFAULT_SINCE)
    for route in config.passes:
        upstream = route.upstream
        if route.family != "proxy" or not route.is_http or upstream is None:
            continue
        if not has_pool(upstream) and (not by_default or upstream.keepalive is not None):
            continue
        word = route.header("Connection")
        if word is not None and word.value.startswith("$"):
            name = word.value.strip("${}")
            found.setdefault(name, {}).setdefault(id(upstream), (route, upstream))
    return {name: list(users.values()) for name, users in found.items()}
