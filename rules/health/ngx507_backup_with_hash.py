from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import METHODS_WITHOUT_BACKUP
from gwlint.rule import Example, Finding, Label, NginxRule, Severity


class BackupWithHash(NginxRule):
    """A backup server under a balancing method that knows none: nginx does not start.

    ## Problem
    `ip_hash`, `hash` and `random` choose among all servers and have no place for one that waits.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: nginx refuses to start.

    ## In the log
    `[emerg] balancing method does not support parameter "backup" in ...`

    ## Silent when
    The server stands before the method: nginx then starts (measured), for it looks at what it has
    read so far.

    ## Fix safety
    No fix: either the method or the backup has to go.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX507"
    name = "backup-with-hash"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    ip_hash;
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001 backup;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            stream {
                upstream app {
                    hash $remote_addr consistent;
                    server 127.0.0.1:3000;
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
                    least_conn;
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001 backup;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            method = None
            servers = {id(one.directive): one for one in upstream.servers}
            for directive in upstream.context.directives:
                if directive.name in METHODS_WITHOUT_BACKUP:
                    method = directive
                    continue
                server = servers.get(id(directive))
                word = None if server is None else server.flag("backup")
                if method is None or word is None:
                    continue
                yield self.finding(
                    directive,
                    f"{method.name} does not support backup servers: nginx does not start",
                    advice="remove backup, or use round robin or least_conn",
                    span=word.span,
                    related=(Label(method.span, "the balancing method"),),
                )
