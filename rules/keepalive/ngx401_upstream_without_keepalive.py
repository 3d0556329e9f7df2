from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import POOL_BY_DEFAULT_SINCE
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import POOL_SIZE, missing_idle_limit, reuse_edits, wants_reuse
from gwlint.syntax.nginx.amend import added_inside, replaced
from gwlint.syntax.values.whole_numbers import whole_number

_MANY_CONNECTIONS = 4096


class UpstreamWithoutKeepalive(NginxRule):
    """Each request opens a new connection to the application.

    ## Problem
    Below nginx 1.29.7 an upstream block keeps no connection unless `keepalive` says so.

    ## Why
    Measured on nginx 1.22.1: 9000 requests opened 3000 connections to the application instead of
    16, at 8,400 requests per second instead of 22,000. Each connection costs a round trip, and a
    handshake where it is encrypted.

    ## In the log
    Nothing is logged. The application sees a new connection for each request.

    ## Silent when
    The target is nginx 1.29.7 or newer, which keeps 32 connections by default; `keepalive` is
    there, were it 0, or an include in the block could not be read; no `proxy_pass` leads there;
    all routes say `Connection: close`, or are named for web sockets, which take a connection each;
    all servers are unix sockets, where a connection costs next to nothing.

    It is a warning where the configuration is made for load, which several servers, 4096
    `worker_connections` or more, or `worker_rlimit_nofile` show, and info elsewhere: a quiet site
    does not notice what a connection for each request costs.

    ## Fix safety
    Sets `keepalive 32`, and `proxy_http_version 1.1` and a cleared Connection header on each route,
    without which it does nothing, and an idle limit of 4s, or below the one that facts give.
    Unsafe, because an application that does not bear kept connections was shielded from them, and
    one that closes them sooner makes a 502 of a POST.

    ## Versions
    From nginx 1.29.7 on upstream blocks keep 32 connections by default, with HTTP/1.1 and without a
    Connection header. Without a target an older version is assumed, and the advice names this one.
    `keepalive_timeout` in an upstream needs nginx 1.15.3.

    ## Learnt
    Two of three upstream blocks in real files have no `keepalive`. Those with one server mostly
    name a single application on the same machine or in the same container network, where nobody
    suffers; so the warning asks for signs of load.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    """

    code = "NGX401"
    name = "upstream-without-keepalive"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            worker_processes auto;
            events {
                worker_connections 8192;
            }
            http {
                upstream app {
                    least_conn;
                    server 10.0.0.1:3000;
                    server 10.0.0.2:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_set_header Host $host;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app { server 127.0.0.1:3000; }
                server {
                    listen 8080;
                    location / { proxy_pass http://app; }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            worker_processes auto;
            events {
                worker_connections 8192;
            }
            http {
                upstream app {
                    least_conn;
                    server 10.0.0.1:3000;
                    server 10.0.0.2:3000;
                    keepalive 32;
                    keepalive_timeout 4s;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $host;
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
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """,
            target="1.29.7",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if config.is_at_least(POOL_BY_DEFAULT_SINCE):
            return
        is_loaded = _is_made_for_load(config)
        for upstream in config.upstreams:
            if upstream.keepalive is not None or upstream.has_dynamic_servers:
                continue
            routes = [one for one in config.passes_to(upstream) if wants_reuse(one)]
            if not routes or not _is_over_network(upstream):
                continue
            yield self.finding(
                upstream.directive,
                f'upstream "{upstream.name}" keeps no connections, so each request opens a new one',
                advice=f"add keepalive {POOL_SIZE}, and on its routes proxy_http_version 1.1 and"
                f" a cleared Connection header (the default from nginx {POOL_BY_DEFAULT_SINCE} on)",
                severity=Severity.WARNING if is_loaded or upstream.has_failover else Severity.INFO,
                related=(Label(routes[0].directive.span, "requests go there"),),
                fix=_fix(config, upstream, routes),
            )


def _is_over_network(upstream: Upstream) -> bool:
    return any(
        server.address is not None and server.address.family.is_network
        for server in upstream.servers
    )


def _is_made_for_load(config: NginxConfig) -> bool:
    if config.main.first("worker_rlimit_nofile") is not None:
        return True
    numbers = [one.values[0] for _, one in config.find("worker_connections") if one.values]
    return any(text.isdecimal() and whole_number(text) >= _MANY_CONNECTIONS for text in numbers)


def _fix(config: NginxConfig, upstream: Upstream, routes: list[Pass]) -> Fix | None:
    """None where a route cannot be given what it needs, or belongs to another protocol."""
    if len(routes) != len(config.passes_to(upstream)):
        return None
    edits: dict[Edit, None] = {}
    for route in routes:
        needed = reuse_edits(config, route)
        if needed is None or not route.effective("set_header").is_certain:
            return None
        edits.update(dict.fromkeys(needed))
    _, wanted = missing_idle_limit(config, upstream)
    statements = [f"keepalive {POOL_SIZE};"]
    own = upstream.context.first("keepalive_timeout")
    if wanted is not None and own is not None and own.arguments:
        edits[replaced(own.arguments[0], wanted)] = None
    elif wanted is not None:
        statements.append(f"keepalive_timeout {wanted};")
    edits[added_inside(upstream.directive, *statements)] = None
    return Fix("keep connections to the application", Safety.UNSAFE, tuple(edits))
