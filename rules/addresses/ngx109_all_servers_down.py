from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity


class AllServersDown(NginxRule):
    """Every server of an upstream is marked `down`, or is a backup for nobody.

    ## Problem
    A server with the parameter `down` gets no requests; when all of them have it, there is nobody
    to ask. An upstream of nothing but `backup` servers is refused at start.

    ## Why
    Measured on nginx 1.22.1: 502 on every request when all are down; nginx does not start when
    all are backups.

    ## In the log
    `no live upstreams while connecting to upstream`, with the name of the upstream block where an
    address would stand. With backups only, at start: `[emerg] no servers in upstream`.

    ## Silent when
    All servers are down but a backup is left: it takes all requests. Servers come from an include
    that could not be read, or from a state file. All are down, but no route leads there.

    ## Fix safety
    There is no fix: which server is well again, only the operator knows.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX109"
    name = "all-servers-down"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000 down;
                    server 127.0.0.1:3001 down;
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
                    server 127.0.0.1:3000 backup;
                    server 127.0.0.1:3001 backup;
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
                    server 127.0.0.1:3000 down;
                    server 127.0.0.1:3001;
                }
                upstream spare {
                    server 127.0.0.1:3002 down;
                    server 127.0.0.1:3003 backup;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /spare {
                        proxy_pass http://spare;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            servers = upstream.servers
            if not servers or upstream.has_dynamic_servers:
                continue
            if all(server.is_backup for server in servers):
                yield self.finding(
                    upstream.directive,
                    f'every server of "{upstream.name}" is a backup, so nginx does not start',
                    advice='remove "backup" from the servers that normally do the work',
                )
            elif all(server.is_down for server in servers) and config.passes_to(upstream):
                yield self.finding(
                    upstream.directive,
                    f'every server of "{upstream.name}" is marked down, so every request gets 502',
                    advice='remove "down" from a server that is well',
                )
