from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.health.failover import next_upstream_settings
from gwlint.syntax.nginx.amend import arguments_replaced


class NoFailover(NginxRule):
    """A failed request is not passed to the next server although there is one.

    ## Problem
    `proxy_next_upstream off` (and its kin for FastCGI, uwsgi, SCGI, gRPC and stream) answers 502
    or 504 when the chosen server fails, while other servers of the upstream are well.

    ## Why
    Measured on nginx 1.22.1 with one refusing server of three: 3 of 180 requests got 502, against
    none with the default, before the server was taken out. After each `fail_timeout` it happens
    again.

    ## In the log
    `connect() failed (111: Connection refused) while connecting to upstream`, then
    `[warn] upstream server temporarily disabled while connecting to upstream`.

    ## Silent when
    The upstream has one usable server, or an include that could not be read may set it.

    ## Fix safety
    Writes the default, `error timeout`. It never repeats a request that is not idempotent once it
    was sent, so the fix is safe.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
    - https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_next_upstream
    """

    code = "NGX502"
    name = "no-failover"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    proxy_next_upstream off;
                    location / {
                        proxy_pass http://app;
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
                    server 127.0.0.1:3001;
                }
                upstream one {
                    server 127.0.0.1:3002;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_next_upstream error timeout;
                    }
                    location /one {
                        proxy_pass http://one;
                        proxy_next_upstream off;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for setting, upstream in next_upstream_settings(config):
            directive = setting.directive
            if directive is None or setting.value != "off":
                continue
            default = "error timeout" if upstream.is_http else "on"
            yield self.finding(
                directive,
                f'a request that fails at one server of "{upstream.name}" is answered with an'
                " error while the other servers are well",
                advice=f"leave {directive.name} at its default, {default}",
                related=(Label(upstream.directive.span, "several servers"),),
                fix=Fix(
                    "try the next server", Safety.SAFE, (arguments_replaced(directive, default),)
                ),
            )
